/** Rules about trust and header-rules: what opens a door, what has no effect. */
import type { Config, LegOverrides } from './config.ts';
import type { HeaderRule } from './header-rule.ts';
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
  return placesOf(config).flatMap(({ path, rules, isTrusted }) => {
    const earlier = new EarlierRules();
    return rules.flatMap((rule, index) => {
      const reason = whyIdle(rule, isTrusted) ?? earlier.whyShadowed(rule);
      earlier.add(rule);
      return reason === undefined ? [] : [{ path: [...path, index], message: reason }];
    });
  });
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

/** What the rules before one have done to its header. */
class EarlierRules {
  /** Headers that are taken away without any condition, by direction. */
  readonly #removed = new Set<string>();
  readonly #added = new Set<string>();

  add(rule: HeaderRule): void {
    const key = rule.header.toLowerCase();
    if (rule.action === 'add') this.#added.add(key);
    if (rule.action === 'remove' && isUnconditional(rule)) {
      this.#removed.add(`${rule.direction} ${key}`);
    }
  }

  whyShadowed({ action, direction, header }: HeaderRule): string | undefined {
    const key = header.toLowerCase();
    const isGone = this.#removed.has(`${direction} ${key}`) && !this.#added.has(key);
    return action !== 'add' && isGone ? `an earlier rule has removed ${header}` : undefined;
  }
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

function placesOf({ sipInterfaces, sessionAgents }: Config): Place[] {
  const served = new Set(sipInterfaces.map(({ realm }) => realm));
  const [interfaceTrusts, agentTrusted] = [
    trustingRealms(sipInterfaces),
    trustingRealms(sessionAgents),
  ];
  return [
    ...sipInterfaces.map(({ realm, leg, headerRules }, index): Place => ({
      path: ['sip-interfaces', index, 'header-rules'],
      rules: headerRules ?? [],
      // Or an agent that inherits its rules.
      isTrusted: leg.trust === 'trusted' || agentTrusted.has(realm),
    })),
    ...sessionAgents.map(({ realm, leg, headerRules }, index): Place => ({
      path: ['session-agents', index, 'header-rules'],
      rules: headerRules ?? [],
      isTrusted:
        leg.trust === undefined
          ? interfaceTrusts.has(realm)
          : leg.trust === 'trusted' && served.has(realm),
    })),
  ];
}

/** Realms of those that are trusted by what is written on themselves. */
function trustingRealms(
  places: readonly { readonly realm: string; readonly leg: LegOverrides }[],
): ReadonlySet<string> {
  return new Set(places.filter(({ leg }) => leg.trust === 'trusted').map(({ realm }) => realm));
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
