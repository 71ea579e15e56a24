/** How many pairs of media ports the calls that the limits allow take in a realm; what has no limit counts nothing. */
import type { Config, SessionAgent } from './config.ts';
import { metInOwnRealm } from './leg-meetings.ts';

/** By the name of the realm. */
export function pairsNeeded(config: Config): (realm: string) => number {
  const { isTwiceIn, pairsOf } = doubles(config);
  const own = Map.groupBy(config.sessionAgents, ({ realm }) => realm);
  const behind = pairsBehind(config, (agent) => pairsOf([agent]));
  const interfaces = Map.groupBy(config.sipInterfaces, ({ realm }) => realm);
  return (realm) => {
    const limits = (interfaces.get(realm) ?? []).map(({ constraints }) => constraints.maxSessions);
    const ofInterfaces = limits.includes(0) ? 0 : limits.reduce((sum, limit) => sum + limit, 0);
    const ofAll = config.admission.constraints.maxSessions * (isTwiceIn(realm) ? 2 : 1);
    const asked = Math.max(pairsOf(own.get(realm) ?? []), behind(realm), ofInterfaces, ofAll);
    return Math.min(asked, ofInterfaces || asked, ofAll || asked);
  };
}

/** Calls that take two pairs in one realm: those that go back into the realm they come from. */
function doubles(config: Config): {
  readonly isTwiceIn: (realm: string) => boolean;
  readonly pairsOf: (agents: readonly SessionAgent[]) => number;
} {
  const met = metInOwnRealm(config, {
    of: ({ agent }) => agent === undefined,
    join: (one, other) => one || other,
  });
  const realms = new Set([...met.keys()].map(({ sipInterface }) => sipInterface.realm));
  // Agents that meet another agent are counted on both sides; with a stranger there is no limit that counts the other.
  const meetStrangers = new Set(
    [...met].flatMap(([{ agent }, isStranger]) => (isStranger ? (agent?.name ?? []) : [])),
  );
  return {
    isTwiceIn: (realm) => realms.has(realm),
    pairsOf: (agents) =>
      agents.reduce(
        (sum, { name, constraints }) =>
          sum + constraints.maxSessions * (meetStrangers.has(name) ? 2 : 1),
        0,
      ),
  };
}

/** Pairs of all agents that the policies of a realm lead to. */
function pairsBehind(
  { localPolicies, sessionGroups, sessionAgents }: Config,
  pairsOf: (agent: SessionAgent) => number,
): (realm: string) => number {
  const members = new Map(sessionGroups.map((group) => [group.name, group.members]));
  const pairs = new Map(sessionAgents.map((agent) => [agent.name, pairsOf(agent)]));
  const targets = new Map<string, Set<string>>();
  for (const { fromRealm, nextHop } of localPolicies) {
    const known = targets.get(fromRealm) ?? new Set();
    targets.set(fromRealm, known.add(nextHop));
  }
  const named = (realm: string): Set<string> =>
    new Set(
      [...(targets.get(realm) ?? [])].flatMap((name) => [name, ...(members.get(name) ?? [])]),
    );
  const sum = (names: ReadonlySet<string>): number =>
    [...names].reduce((total, name) => total + (pairs.get(name) ?? 0), 0);
  const everywhere = named('*');
  const pairsEverywhere = sum(everywhere);
  return (realm) => {
    const others = [...named(realm)].filter((name) => !everywhere.has(name));
    return pairsEverywhere + sum(new Set(others));
  };
}
