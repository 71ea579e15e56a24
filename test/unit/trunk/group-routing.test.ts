import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Config, HuntStrategy } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { AgentOutcome } from '../../../src/trunk/agent-health.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';
import { route } from '../../../src/trunk/policy.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
const STRATEGIES: readonly HuntStrategy[] = ['hunt', 'round-robin', 'least-busy', 'weighted'];
const REQUEST = { fromRealm: 'core', calledNumber: '1', requestUri: 'sip:1@sbc.example' };
const SILENCE: AgentOutcome = { type: 'silence', by: 'ping' };

function load(strategy: HuntStrategy): Config {
  const agents = NAMES.map(
    (name, index) =>
      `  - { name: ${name}, realm: core, address: 10.0.0.${index + 1}, options-ping: { down-after: 1 }, constraints: { max-sessions: 2 } }`,
  );
  const text = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] } ]
session-agents:
${agents.join('\n')}
session-groups: [ { name: all, strategy: ${strategy}, members: [ ${NAMES.join(', ')} ] } ]
local-policies: [ { to: "*", next-hop: all } ]
`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

const CONFIGS = STRATEGIES.map((strategy) => load(strategy));

/** What has happened to each agent before the call. */
const fate = fc.constantFrom('idle', 'busy', 'full', 'silent', 'locked');

test('every agent that can take the call is tried once, every other one is named', () => {
  const fates = fc.tuple(fate, fate, fate, fate);
  fc.assert(
    fc.property(fc.constantFrom(...CONFIGS), fates, fc.nat(5), (config, given, turns) => {
      const registry = new AgentRegistry(config, { nowMs: () => 0 });
      for (const [index, name] of NAMES.entries()) {
        const what = given[index];
        if (what === 'busy' || what === 'full') registry.counter(name)?.open('outbound', 0);
        if (what === 'full') registry.counter(name)?.open('inbound', 0);
        if (what === 'silent') registry.report(name, SILENCE);
        if (what === 'locked') registry.setLocked(name, true);
      }
      for (let turn = 0; turn < turns; turn += 1) registry.nextTurn('all');
      const result = route(config, REQUEST, registry);
      const isUp = (index: number): boolean => ['idle', 'busy'].includes(given[index] ?? '');
      const up = NAMES.filter((_, index) => isUp(index));
      const hops = result.type === 'route' ? result.hops : [];
      const tried = hops.map(({ agent }) => agent?.name ?? '');
      expect(tried.toSorted((one, other) => one.localeCompare(other))).toEqual(up);
      expect(result.skipped.map(({ agent }) => agent)).toEqual(
        NAMES.filter((_, index) => !isUp(index)),
      );
      expect(result.type).toBe(up.length === 0 ? 'reject' : 'route');
    }),
  );
});

test.each([
  ['silent', 'out-of-service (no-answer)'],
  ['full', 'constrained (max-sessions)'],
  ['locked', 'locked (operator)'],
])('an agent that is %s is skipped as %s', (what, reason) => {
  const [config = load('hunt')] = CONFIGS;
  const registry = new AgentRegistry(config);
  if (what === 'silent') registry.report('b', SILENCE);
  if (what === 'locked') registry.setLocked('b', true);
  if (what === 'full') {
    registry.counter('b')?.open('inbound', 0);
    registry.counter('b')?.open('outbound', 0);
  }
  expect(route(config, REQUEST, registry).skipped).toEqual([{ agent: 'b', reason }]);
});

test('least-busy puts the agent with the fewest calls first, those out of service aside', () => {
  const config = load('least-busy');
  const registry = new AgentRegistry(config);
  registry.counter('a')?.open('outbound', 0);
  registry.report('b', SILENCE);
  const result = route(config, REQUEST, registry);
  const order = result.type === 'route' ? result.hops.map(({ agent }) => agent?.name) : [];
  expect(order).toEqual(['c', 'd', 'a']);
});
