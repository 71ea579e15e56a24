/** Rules about trust and header-rules: what opens a door, what has no effect. */
import type { Config, LegOverrides, SessionAgent, SipInterface } from './config.ts';
import type { HeaderRule } from './header-rule.ts';
import { effectiveSettings } from './effective.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import type { Path } from './problem.ts';

/** Headers that cross only between trusted sides. */
const TRUSTED_ONLY = new Set(['diversion', 'history-info', 'identity', 'resource-priority']);

interface Place {
  readonly path: Path;
  readonly rules: readonly HeaderRule[];
  readonly isTrusted: boolean;
}

function trustedStrangers(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    if (sipInterface.leg.trust !== 'trusted' || sipInterface.admit !== 'anyone') return [];
    const message = `interface "${sipInterface.name}" believes whoever calls who he is`;
    return [{ path: ['sip-interfaces', index, 'trust'], message }];
  });
}

function trustedUnlisted(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    const isOpen = sipInterface.admit === 'agents' && sipInterface.allow.length > 0;
    if (sipInterface.leg.trust !== 'trusted' || !isOpen) return [];
    const message = `interface "${sipInterface.name}" trusts its allow networks as well as its agents`;
    return [{ path: ['sip-interfaces', index, 'trust'], message }];
  });
}

function idleRules(config: Config): RuleFinding[] {
  return placesOf(config).flatMap(({ path, rules, isTrusted }) =>
    rules.flatMap((rule, index) => {
      const reason = whyIdle(rule, isTrusted) ?? whyShadowed(rule, rules.slice(0, index));
      return reason === undefined ? [] : [{ path: [...path, index], message: reason }];
    }),
  );
}

function whyIdle(rule: HeaderRule, isTrusted: boolean): string | undefined {
  const key = rule.header.toLowerCase();
  const isNeverRead = rule.direction === 'in' && key === 'p-asserted-identity' && !isTrusted;
  if (isNeverRead) return 'an untrusted side asserts no identity: the header is dropped anyway';
  if (rule.direction === 'in' && rule.action !== 'remove' && TRUSTED_ONLY.has(key) && !isTrusted) {
    return `${rule.header} of an untrusted side does not cross`;
  }
  return undefined;
}

/** An earlier rule that takes the same header away without any condition. */
function whyShadowed(rule: HeaderRule, earlier: readonly HeaderRule[]): string | undefined {
  if (rule.action === 'add') return undefined;
  const key = rule.header.toLowerCase();
  const remover = earlier.find(
    (other) =>
      other.action === 'remove' &&
      other.direction === rule.direction &&
      other.header.toLowerCase() === key &&
      isUnconditional(other),
  );
  const isAddedAgain = earlier.some(
    (other) => other.action === 'add' && other.header.toLowerCase() === key,
  );
  return remover === undefined || isAddedAgain
    ? undefined
    : `an earlier rule has removed ${rule.header}`;
}

function isUnconditional(rule: HeaderRule): boolean {
  return (
    rule.pattern === undefined &&
    rule.methods.length === 0 &&
    rule.messages === 'any' &&
    rule.responseCodes.length === 0 &&
    rule.ifHeader === undefined
  );
}

function placesOf(config: Config): Place[] {
  const interfaces = config.sipInterfaces.map((item, index): Place => ({
    path: ['sip-interfaces', index, 'header-rules'],
    rules: item.headerRules ?? [],
    isTrusted: trustIn(item, config.sessionAgents),
  }));
  const agents = config.sessionAgents.map((item, index): Place => ({
    path: ['session-agents', index, 'header-rules'],
    rules: item.headerRules ?? [],
    isTrusted: config.sipInterfaces.some(
      (each) =>
        each.realm === item.realm && effectiveSettings(each, item).trust.value === 'trusted',
    ),
  }));
  return [...interfaces, ...agents];
}

/** Whether the interface, or an agent that inherits its rules, is trusted. */
function trustIn(sipInterface: SipInterface, agents: readonly SessionAgent[]): boolean {
  const legs: readonly LegOverrides[] = [
    sipInterface.leg,
    ...agents.filter(({ realm }) => realm === sipInterface.realm).map(({ leg }) => leg),
  ];
  return legs.some(({ trust }) => trust === 'trusted');
}

export const HEADER_LINT_RULES: readonly LintRule[] = [
  {
    code: 'trusted-strangers',
    severity: 'warning',
    explanation:
      'Anyone could set P-Asserted-Identity and Diversion and be believed. Use admit: agents, or set trust: trusted on single agents.',
    find: trustedStrangers,
  },
  {
    code: 'trusted-networks',
    severity: 'info',
    explanation: 'Set trust: trusted on single agents if only they belong to the trust domain.',
    find: trustedUnlisted,
  },
  {
    code: 'header-rule-without-effect',
    severity: 'warning',
    explanation: 'The rule changes nothing; it may be on the wrong side or in the wrong order.',
    find: idleRules,
  },
];
