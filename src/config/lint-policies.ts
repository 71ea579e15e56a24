/** Rules about local policies: which are never used, and which leave a hole. */
import type { Config } from './config.ts';
import type { LintRule, LintSource, RuleFinding } from './lint.ts';
import { policyIndex, type PolicyQuery, prefixOf } from './policy-index.ts';
import { alternativesKey, PolicyShadows } from './policy-shadows.ts';
import type { LocalPolicy } from './routing-config.ts';
import { isOverlap, isWholeWeek } from './time-window.ts';

/** Reports about policies, each with its place in the file; what is said of several prefixes is said once. */
function perPolicy(
  config: Config,
  find: (policy: LocalPolicy, place: number) => string | undefined,
): RuleFinding[] {
  const said = new Map<string, RuleFinding>();
  for (const [place, policy] of config.localPolicies.entries()) {
    const message = find(policy, place);
    if (message === undefined) continue;
    const path = ['local-policies', policy.place];
    said.set(`${policy.place} ${message}`, { path, message });
  }
  return [...said.values()];
}

/** What the requests that a policy is for have in common. */
function queriesOf(config: Config): (policy: LocalPolicy, method: string) => PolicyQuery {
  const realms = new Map(config.sessionAgents.map(({ name, realm }) => [name, realm]));
  return ({ fromAgent, fromRealm, to, from }, method) => ({
    method,
    fromRealm: realms.get(fromAgent ?? '') ?? fromRealm,
    fromAgent,
    called: prefixOf(to),
    calling: prefixOf(from),
  });
}

function unreachableRoutes(config: Config): RuleFinding[] {
  const served = new Set(['*', ...config.sipInterfaces.map(({ realm }) => realm)]);
  const isOverridden = overriddenWildcards(config);
  const queryOf = queriesOf(config);
  const shadowing = new PolicyShadows(config.localPolicies);
  return perPolicy(config, (policy, place) => {
    if (!served.has(policy.fromRealm)) {
      return `never used: no sip-interface serves realm "${policy.fromRealm}"`;
    }
    if (isOverridden(policy)) {
      return 'never used: every realm has a policy of its own for this prefix';
    }
    const shadows = policy.methods.map((method) =>
      shadowing.shadowOf({ policy, place }, queryOf(policy, method)),
    );
    const [shadow] = shadows;
    if (shadow === undefined || shadows.includes(undefined)) return undefined;
    return `never used: local-policies[${shadow.policy.place}] ${shadow.why}`;
  });
}

/** A policy for any realm is dead when every realm with an interface has its own for the same numbers. */
function overriddenWildcards(config: Config): (policy: LocalPolicy) => boolean {
  const served = new Set(config.sipInterfaces.map((sipInterface) => sipInterface.realm));
  const owners = new Map<string, Set<string>>();
  for (const policy of config.localPolicies) {
    const { fromAgent, fromRealm, time, methods } = policy;
    if (fromAgent !== undefined || time !== undefined || !served.has(fromRealm)) continue;
    for (const method of methods) {
      const key = alternativesKey({ ...policy, fromRealm: '*' }, method);
      owners.set(key, (owners.get(key) ?? new Set()).add(fromRealm));
    }
  }
  return (policy) =>
    policy.fromRealm === '*' &&
    policy.fromAgent === undefined &&
    policy.methods.every(
      (method) => owners.get(alternativesKey(policy, method))?.size === served.size,
    );
}

function noRoute(config: Config): RuleFinding[] {
  const agents = new Map(config.sessionAgents.map(({ name, realm }) => [name, realm]));
  const routed = new Set(
    config.localPolicies
      .filter(({ methods }) => methods.includes('INVITE'))
      .map(({ fromRealm, fromAgent }) =>
        fromAgent === undefined ? fromRealm : agents.get(fromAgent),
      ),
  );
  return config.sipInterfaces.flatMap(({ name, realm }, index) => {
    if (routed.has('*') || routed.has(realm)) return [];
    const message = `calls that arrive on interface "${name}" have no route`;
    return [{ path: ['sip-interfaces', index], message }];
  });
}

/** So many are named; nobody reads more of them. */
const NAMED_REALMS = 10;

function ambiguousRealm(config: Config): RuleFinding[] {
  const agents = new Map(config.sessionAgents.map(({ name, realm }) => [name, realm]));
  const realms = new Set(config.sipInterfaces.map((sipInterface) => sipInterface.realm));
  return perPolicy(config, ({ nextHop, toRealm, fromAgent, fromRealm }) => {
    if (nextHop !== 'request-uri' || toRealm !== undefined) return undefined;
    const own = agents.get(fromAgent ?? '') ?? fromRealm;
    const isClear = realms.size - Number(realms.has(own)) <= (own === '*' ? 2 : 1);
    if (isClear) return undefined;
    const others = [...realms].filter((realm) => realm !== own);
    const further = others.length > NAMED_REALMS ? ' and more' : '';
    return `request-uri may leave through any of: ${others.slice(0, NAMED_REALMS).join(', ')}${further}`;
  });
}

/** Two policies for the same requests at the same hours, and nothing but their place to tell which is first. */
function overlappingTimes(config: Config): RuleFinding[] {
  const rivals = timedRivals(config);
  return perPolicy(config, (policy) => {
    const { time, methods } = policy;
    if (time === undefined) return undefined;
    const earlier = methods
      .flatMap((method) => [...(rivals.get(rivalsKey(policy, method))?.values() ?? [])])
      .find(
        (other) =>
          other.time !== undefined &&
          other.time.text !== time.text &&
          other.place < policy.place &&
          isOverlap(other.time, time),
      );
    if (earlier === undefined) return undefined;
    return `its hours overlap those of local-policies[${earlier.place}], which goes first`;
  });
}

/** Alternatives with the same cost, of each time of theirs the first. */
function timedRivals({ localPolicies }: Config): ReadonlyMap<string, Map<string, LocalPolicy>> {
  const rivals = new Map<string, Map<string, LocalPolicy>>();
  for (const policy of localPolicies) {
    const { time } = policy;
    if (time === undefined) continue;
    for (const key of policy.methods.map((method) => rivalsKey(policy, method))) {
      const firsts = rivals.get(key) ?? new Map<string, LocalPolicy>();
      rivals.set(key, firsts);
      if (!firsts.has(time.text)) firsts.set(time.text, policy);
    }
  }
  return rivals;
}

function rivalsKey(policy: LocalPolicy, method: string): string {
  return `${alternativesKey(policy, method)} ${policy.cost}`;
}

/** Requests that have a policy at some hours of the week and none at others. */
function timeGaps(config: Config): RuleFinding[] {
  if (config.localPolicies.every(({ time }) => time === undefined)) return [];
  const shadowing = new PolicyShadows(config.localPolicies);
  const queryOf = queriesOf(config);
  return perPolicy(config, (policy) => {
    if (policy.time === undefined) return undefined;
    const query = queryOf(policy, policy.methods[0] ?? 'INVITE');
    // Of a set of alternatives only the first is named.
    if (shadowing.firstAlternative(policy, query.method) !== policy) return undefined;
    if (shadowing.isAlways(query)) return undefined;
    const all = policyIndex(config.localPolicies).candidates(query);
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
