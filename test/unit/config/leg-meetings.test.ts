import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { type LegKind, legKinds } from '../../../src/config/leg-kinds.ts';
import { met, metInOwnRealm } from '../../../src/config/leg-meetings.ts';
import type { LocalPolicy } from '../../../src/config/routing-config.ts';
import { configOf } from './sample.ts';

const REALMS = ['access', 'core', 'far'];
const AGENTS = ['a0', 'a1', 'a2', 'a3'];
const GROUPS = ['g0', 'g1'];

const source = fc.oneof(
  fc.constantFrom(...REALMS, '"*"').map((realm) => `from-realm: ${realm}`),
  fc.constantFrom(...AGENTS).map((agent) => `from-agent: ${agent}`),
);
const target = fc.oneof(
  fc.constantFrom('request-uri', 'reject', ...AGENTS, ...GROUPS),
  fc.constantFrom(...REALMS).map((realm) => `request-uri, to-realm: ${realm}`),
);

function line(text: string): string {
  return `  - { ${text} }\n`;
}

/** Interfaces and agents in some realms, and policies between them. */
const configs = fc
  .record({
    realms: fc.integer({ min: 1, max: REALMS.length }),
    admits: fc.array(fc.constantFrom('anyone', 'agents'), { minLength: 4, maxLength: 4 }),
    places: fc.array(fc.nat(), { minLength: AGENTS.length, maxLength: AGENTS.length }),
    members: fc.array(fc.subarray(AGENTS, { minLength: 1 }), { minLength: 2, maxLength: 2 }),
    policies: fc.array(fc.tuple(source, target), { minLength: 1, maxLength: 8 }),
  })
  .map(({ realms, admits, places, members, policies }) => {
    const interfaces = [...REALMS, 'access'].map(
      (realm, n) =>
        `name: i${n}, realm: ${realm}, sip-ports: [ udp/127.0.0.1:${6060 + n} ], admit: ${admits[n]}`,
    );
    const served = interfaces.filter((_, n) => n % REALMS.length < realms);
    const agents = AGENTS.map(
      (name, n) =>
        `name: ${name}, realm: ${REALMS[(places[n] ?? 0) % realms]}, address: "127.0.0.1:${7000 + n}"`,
    );
    const media = REALMS.map(
      (name, n) =>
        `name: ${name}, media: { address: 127.0.0.1, port-min: ${20_000 + 100 * n}, port-max: ${20_099 + 100 * n} }`,
    );
    const groups = GROUPS.map((name, n) => `name: ${name}, members: [ ${members[n]?.join(', ')} ]`);
    const routes = policies.map(([from, hop]) => `${from}, next-hop: ${hop}`);
    const sections = { media, served, agents, groups, routes };
    const [realmLines = '', ...others] = Object.values(sections).map((each) =>
      each.map(line).join(''),
    );
    const names = ['sip-interfaces', 'session-agents', 'session-groups', 'local-policies'];
    return `realms:\n${realmLines}${names.map((name, n) => `${name}:\n${others[n]}`).join('')}`;
  });

/** Every leg that `policy` lets `caller` meet, one by one. */
function calleesOf(config: Config, policy: LocalPolicy, caller: LegKind): readonly LegKind[] {
  const kinds = legKinds(config);
  const { realm, admit } = caller.sipInterface;
  if (caller.agent === undefined && admit !== 'anyone') return [];
  if (![realm, '*'].includes(policy.fromRealm)) return [];
  if (policy.fromAgent !== undefined && policy.fromAgent !== caller.agent?.name) return [];
  const strangers = kinds.filter(({ agent }) => agent === undefined);
  if (policy.nextHop === 'request-uri') {
    const { toRealm } = policy;
    if (toRealm !== undefined) return strangers.filter((kind) => realmOf(kind) === toRealm);
    const others = strangers.filter((kind) => realmOf(kind) !== realm);
    return others.length > 0 ? others : strangers;
  }
  const group = config.sessionGroups.find(({ name }) => name === policy.nextHop);
  const names = group?.members ?? [policy.nextHop];
  return kinds.filter(({ agent }) => agent !== undefined && names.includes(agent.name));
}

function realmOf({ sipInterface }: LegKind): string {
  return sipInterface.realm;
}

/** Label of each leg with the labels of those it meets, looked up pair by pair. */
function pairByPair(config: Config, isMeant: (a: LegKind, b: LegKind) => boolean) {
  const labels = new Map<string, Set<string>>();
  const add = ({ label }: LegKind, other: LegKind): void => {
    labels.set(label, (labels.get(label) ?? new Set()).add(other.label));
  };
  for (const policy of config.localPolicies) {
    for (const caller of legKinds(config)) {
      for (const callee of calleesOf(config, policy, caller)) {
        if (!isMeant(caller, callee)) continue;
        add(caller, callee);
        add(callee, caller);
      }
    }
  }
  return labels;
}

const LABELS = {
  of: ({ label }: LegKind): ReadonlySet<string> => new Set([label]),
  join: (one: ReadonlySet<string>, other: ReadonlySet<string>) => new Set([...one, ...other]),
};

function labelled(legs: ReadonlyMap<LegKind, ReadonlySet<string>>) {
  return new Map([...legs].map(([{ label }, others]) => [label, others] as const));
}

test('each leg meets those that a look at every pair finds', () => {
  fc.assert(
    fc.property(configs, (text) => {
      const config = configOf(text);
      expect(labelled(met(config, LABELS))).toEqual(pairByPair(config, () => true));
      expect(labelled(metInOwnRealm(config, LABELS))).toEqual(
        pairByPair(config, (a, b) => realmOf(a) === realmOf(b)),
      );
    }),
  );
});
