import { expect, test } from 'vitest';
import { agentView } from '../../../src/api/agent-view.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { AgentOutcome } from '../../../src/trunk/agent-health.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

const SILENCE: AgentOutcome = { type: 'silence', by: 'ping' };
const ANSWER: AgentOutcome = { type: 'answer', by: 'ping', status: 200 };

function load(address: string): Config {
  const text = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] } ]
session-agents:
  - name: carrier
    realm: core
    address: ${address}
    constraints: { max-sessions: 1 }
    options-ping: { down-after: 2, up-after: 1 }
local-policies: [ { from-realm: core, to: "*", next-hop: carrier } ]
`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

function start() {
  let atMs = 0;
  const registry = new AgentRegistry(load('10.0.0.1'), { nowMs: () => atMs });
  const at = (ms: number, act: () => unknown): void => {
    atMs = ms;
    act();
  };
  const history = (): string[] => {
    const [view] = registry.list();
    const changes = view === undefined ? [] : agentView(view, []).history;
    return changes.map(
      ({ at: time, from, to, reason }) => `${time.slice(17, 19)} ${from} > ${to}: ${reason}`,
    );
  };
  return { registry, at, history };
}

test('lock and health leave a line for each change and none for what stays', () => {
  const { registry, at, history } = start();
  expect(history()).toEqual([]);
  at(1_000, () => registry.report('carrier', SILENCE));
  at(2_000, () => registry.report('carrier', SILENCE));
  at(3_000, () => registry.report('carrier', SILENCE));
  at(4_000, () => registry.setLocked('carrier', true));
  at(5_000, () => registry.setLocked('carrier', true));
  // Below the lock the agent comes back: that shows when it is unlocked.
  at(6_000, () => registry.report('carrier', ANSWER));
  at(7_000, () => registry.setLocked('carrier', false));
  expect(history()).toEqual([
    '02 in-service > out-of-service: no-answer',
    '04 out-of-service > locked: operator',
    '07 locked > in-service: answers',
  ]);
});

test('being full for a while is no change', () => {
  const { registry, history } = start();
  const call = registry.counter('carrier')?.open('outbound', 0);
  expect(registry.list()[0]?.state).toBe('constrained');
  call?.();
  expect(history()).toEqual([]);
});

test('an agent that moves starts anew, and its history goes on', () => {
  const { registry, at, history } = start();
  at(1_000, () => registry.report('carrier', SILENCE));
  at(2_000, () => registry.report('carrier', SILENCE));
  at(3_000, () => registry.reconfigure(load('10.0.0.2')));
  at(4_000, () => registry.reconfigure(load('10.0.0.2')));
  expect(history()).toEqual([
    '02 in-service > out-of-service: no-answer',
    '03 out-of-service > in-service: started',
  ]);
});

test('the last 50 changes are kept', () => {
  const { registry, at, history } = start();
  for (let change = 0; change < 59; change += 1) {
    at(change * 1_000, () => registry.setLocked('carrier', change % 2 === 0));
  }
  expect(history()).toHaveLength(50);
  expect(history()[0]).toBe('09 locked > in-service: started');
  expect(history()[49]).toBe('58 in-service > locked: operator');
});
