/** Rules about local policies: which are never used, and which leave a hole. */
import type { Config } from './config.ts';
import type { LintRule, LintSource, RuleFinding } from './lint.ts';
import { isAlternative, policyIndex, prefixOf } from './policy-index.ts';
import { type LocalPolicy, policySource } from './routing-config.ts';
import { isOverlap, isWholeWeek } from './time-window.ts';

/** Reports about policies, each with its place in the file; what is said of several prefixes is said once. */
function perPolicy(
  config: Config,
  find: (policy: LocalPolicy) => string | undefined,
): RuleFinding[] {
  const said = new Map<string, RuleFinding>();
  for (const policy of config.localPolicies) {
    const message = find(policy);
    if (message === undefined) continue;
    const path = ['local-policies', policy.place];
    said.set(`${policy.place} ${message}`, { path, message });
  }
  return [...said.values()];
}

/** Every policy for the requests that `policy` is for, best first; itself included. */
function candidatesOf(config: Config, policy: LocalPolicy, method: string): LocalPolicy[] {
  const realm = config.sessionAgents.find(({ name }) => name === policy.fromAgent)?.realm;
  return policyIndex(config.localPolicies).candidates({
    method,
    fromRealm: realm ?? policy.fromRealm,
    fromAgent: policy.fromAgent,
    called: prefixOf(policy.to),
    calling: prefixOf(policy.from),
  });
}

function unreachableRoutes(config: Config): RuleFinding[] {
  const overridden = overriddenWildcards(config);
  return perPolicy(config, (policy) => {
    if (!isServed(config, policy)) {
      return `never used: no sip-interface serves realm "${policy.fromRealm}"`;
    }
    if (overridden.has(policy)) {
      return 'never used: every realm has a policy of its own for this prefix';
    }
    const shadows = policy.methods.map((method) => shadowOf(config, policy, method));
    const [shadow] = shadows;
    if (shadow === undefined || shadows.includes(undefined)) return undefined;
    return `never used: local-policies[${shadow.policy.place}] ${shadow.why}`;
  });
}

interface Shadow {
  readonly policy: LocalPolicy;
  readonly why: string;
}

/** The policy before `policy` that leaves it no request. */
function shadowOf(config: Config, policy: LocalPolicy, method: string): Shadow | undefined {
  for (const other of candidatesOf(config, policy, method)) {
    if (other === policy) return undefined;
    const isAlways = other.time === undefined || other.time.text === policy.time?.text;
    if (!isAlways) continue;
    if (!isAlternative(other, policy)) {
      return { policy: other, why: `is for the same requests with priority ${other.priority}` };
    }
    if (other.nextHop === 'reject') {
      return { policy: other, why: 'rejects the same requests before' };
    }
    if (other.nextHop === policy.nextHop && other.translate === policy.translate) {
      const source = policySource(policy).split(' ', 1)[0] ?? '';
      return { policy: other, why: `has the same ${source} and to, and the same next-hop` };
    }
  }
  return undefined;
}

function isServed(config: Config, policy: LocalPolicy): boolean {
  if (policy.fromRealm === '*') return true;
  return config.sipInterfaces.some((sipInterface) => sipInterface.realm === policy.fromRealm);
}

/** A policy for any realm is dead when every realm with an interface has its own for the same numbers. */
function overriddenWildcards(config: Config): ReadonlySet<LocalPolicy> {
  const realms = new Set(config.sipInterfaces.map((sipInterface) => sipInterface.realm));
  return new Set(
    config.localPolicies.filter(
      (policy) =>
        policy.fromRealm === '*' &&
        policy.fromAgent === undefined &&
        policy.methods.every((method) =>
          [...realms].every((fromRealm) =>
            candidatesOf(config, { ...policy, fromRealm }, method).some(
              (own) =>
                own.fromRealm === fromRealm &&
                own.time === undefined &&
                isAlternative({ ...own, fromRealm: '*' }, policy),
            ),
          ),
        ),
    ),
  );
}

function noRoute(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap((sipInterface, index) => {
    const agents = config.sessionAgents.filter(({ realm }) => realm === sipInterface.realm);
    const names = new Set<string | undefined>(agents.map(({ name }) => name));
    const hasRoute = config.localPolicies.some(({ fromRealm, fromAgent }) =>
      fromAgent === undefined
        ? fromRealm === '*' || fromRealm === sipInterface.realm
        : names.has(fromAgent),
    );
    const message = `calls that arrive on interface "${sipInterface.name}" have no route`;
    return hasRoute ? [] : [{ path: ['sip-interfaces', index], message }];
  });
}

function ambiguousRealm(config: Config): RuleFinding[] {
  return perPolicy(config, (policy) => {
    if (policy.nextHop !== 'request-uri' || policy.toRealm !== undefined) return undefined;
    const agent = config.sessionAgents.find(({ name }) => name === policy.fromAgent);
    const own = agent?.realm ?? policy.fromRealm;
    const others = new Set(
      config.sipInterfaces
        .map((sipInterface) => sipInterface.realm)
        .filter((realm) => realm !== own),
    );
    const isClear = own === '*' ? others.size <= 2 : others.size <= 1;
    return isClear ? undefined : `request-uri may leave through any of: ${[...others].join(', ')}`;
  });
}

/** Two policies for the same requests at the same hours, and nothing but their place to tell which is first. */
function overlappingTimes(config: Config): RuleFinding[] {
  return perPolicy(config, (policy) => {
    const { time, methods, cost } = policy;
    if (time === undefined) return undefined;
    const earlier = methods
      .flatMap((method) => candidatesOf(config, policy, method))
      .find(
        (other) =>
          other.time !== undefined &&
          other.time.text !== time.text &&
          other.place < policy.place &&
          isAlternative(other, policy) &&
          other.cost === cost &&
          isOverlap(other.time, time),
      );
    if (earlier === undefined) return undefined;
    return `its hours overlap those of local-policies[${earlier.place}], which goes first`;
  });
}

/** Requests that have a policy at some hours of the week and none at others. */
function timeGaps(config: Config): RuleFinding[] {
  return perPolicy(config, (policy) => {
    if (policy.time === undefined) return undefined;
    const [method = 'INVITE'] = policy.methods;
    const all = candidatesOf(config, policy, method);
    const first = all.find((other) => isAlternative(other, policy));
    // Of a set of alternatives only the first is named.
    if (first !== policy || all.some(({ time }) => time === undefined)) return undefined;
    const windows = all.flatMap(({ time }) => time ?? []);
    const { to } = policy;
    return isWholeWeek(windows)
      ? undefined
      : `outside of ${windows.map(({ text }) => text).join(', ')} requests to "${to}" have no route`;
  });
}

function methodsNotServed(config: Config): RuleFinding[] {
  return perPolicy(config, ({ methods }) => {
    const others = methods.filter((method) => method !== 'INVITE');
    return others.length === 0 ? undefined : `nothing asks for a route of ${others.join(', ')}`;
  });
}

function bareNumbers(_: Config, source: LintSource): RuleFinding[] {
  return source.bareNumbers.flatMap((path) => {
    const [section] = path;
    const key = path.findLast((step) => typeof step === 'string');
    const isNumber =
      (section === 'local-policies' && POLICY_KEYS.has(String(key))) ||
      (section === 'translations' && NUMBER_KEYS.has(String(key)));
    return isNumber ? [{ path, message: `write the digits of "${String(key)}" with quotes` }] : [];
  });
}

const POLICY_KEYS = new Set(['to', 'to-prefixes', 'from']);
const NUMBER_KEYS = new Set(['strip-prefix', 'add-prefix', 'replace', 'pattern']);

export const POLICY_RULES: readonly LintRule[] = [
  {
    code: 'unreachable-route',
    severity: 'warning',
    explanation:
      'Lower priority, then the longest prefix, then the named agent or realm, then cost and the first in the file. Remove the policy or change what it is for.',
    find: unreachableRoutes,
  },
  {
    code: 'no-route',
    severity: 'warning',
    explanation: 'Every call there is answered 404. Add a local policy with this from-realm.',
    find: noRoute,
  },
  {
    code: 'ambiguous-realm',
    severity: 'warning',
    explanation: 'The first interface of another realm is taken. Name the realm with to-realm.',
    find: ambiguousRealm,
  },
  {
    code: 'overlapping-times',
    severity: 'warning',
    explanation: 'Change the hours, or say with cost which goes first.',
    find: overlappingTimes,
  },
  {
    code: 'time-gap',
    severity: 'warning',
    explanation:
      'Such calls get 404, or 484 where a policy for longer numbers makes them look incomplete. Add a policy without time, for instance one that rejects.',
    find: timeGaps,
  },
  {
    code: 'method-not-served',
    severity: 'warning',
    explanation:
      'Policies route INVITE; where other requests go is said by `methods` of the interface or agent they come from.',
    find: methodsNotServed,
  },
  {
    code: 'bare-number',
    severity: 'warning',
    explanation: 'Other YAML programs read it as a number and lose leading zeros or the plus sign.',
    find: bareNumbers,
  },
];
