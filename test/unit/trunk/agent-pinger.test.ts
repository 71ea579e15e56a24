import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { PingAnswer } from '../../../src/sip/options-ping.ts';
import { AgentPinger } from '../../../src/trunk/agent-pinger.ts';

const YAML = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces:
  - { name: udp, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
  - { name: tcp, realm: core, sip-ports: [ tcp/127.0.0.1:6062 ] }
session-agents:
  - { name: one, realm: core, address: 10.0.0.1, options-ping: { interval: 1s, timeout: 300ms } }
  - { name: two, realm: core, address: "10.0.0.2:5080", transport: tcp, options-ping: { interval: 3s } }
  - { name: unasked, realm: core, address: 10.0.0.3 }
`;

function load(text: string): Config {
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

let sent: { atMs: number; interfaceName: string; uri: string; nextHop: string }[] = [];
let reported: unknown[] = [];
let nowMs = 0;

/** `answers` says how long the n-th OPTIONS of all waits for which answer; later ones get none. */
function build(answers: readonly (readonly [afterMs: number, answer: PingAnswer])[] = []) {
  return new AgentPinger({
    agents: {
      report: (name, outcome, ping) =>
        reported.push([Math.round(nowMs), name, outcome, ping?.status]),
    },
    ping: ({ interfaceName, uri, nextHop }) => {
      const [afterMs, answer] = answers[sent.length] ?? [1e9, { type: 'silence' }];
      sent.push({ atMs: nowMs, interfaceName, uri, nextHop });
      return new Promise((resolve) => {
        setTimeout(() => resolve(answer), afterMs);
      });
    },
    onAnswer: (name, rttMs) => reported.push([name, rttMs]),
    nowMs: () => nowMs,
    random: () => 0.5,
  });
}

/** Lets time pass by the millisecond. */
async function wait(durationMs: number): Promise<void> {
  for (let passed = 0; passed < durationMs; passed += 1) {
    nowMs += 1;
    await vi.advanceTimersByTimeAsync(1);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  reported = [];
  nowMs = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

test('each agent is asked at its interval through the interface that reaches it', async () => {
  const pinger = build();
  pinger.apply(load(YAML));
  await wait(4200);
  pinger.stop();
  await wait(9000);
  expect(sent).toEqual([
    { atMs: 500, interfaceName: 'udp', uri: 'sip:10.0.0.1', nextHop: 'sip:10.0.0.1' },
    {
      atMs: 1000,
      interfaceName: 'tcp',
      uri: 'sip:10.0.0.2:5080',
      nextHop: 'sip:10.0.0.2:5080;transport=tcp',
    },
    ...[1500, 2500, 3500].map((atMs) => expect.objectContaining({ atMs, interfaceName: 'udp' })),
    expect.objectContaining({ atMs: 4000, interfaceName: 'tcp' }),
  ]);
  expect(vi.getTimerCount()).toBe(sent.length);
});

test('an answer, one that comes too late, a failure, and an engine that is not there', async () => {
  const only = load(YAML.replace(/ {2}- \{ name: two.*\n/, ''));
  const pinger = build([
    [20, { type: 'answer', status: 404 }],
    [400, { type: 'answer', status: 200 }],
    [5, { type: 'transportError' }],
    [5, { type: 'notAsked' }],
  ]);
  pinger.apply(only);
  await wait(4000);
  pinger.stop();
  expect(reported).toEqual([
    ['one', 20],
    [520, 'one', { type: 'answer', status: 404, by: 'ping' }, 404],
    [1800, 'one', { type: 'silence', by: 'ping' }, undefined],
    [2505, 'one', { type: 'transportError', by: 'ping' }, undefined],
  ]);
});

test('a reload leaves the rhythm of unchanged agents alone, and drops answers to those that left', async () => {
  const pinger = build([[200, { type: 'answer', status: 200 }]]);
  pinger.apply(load(YAML));
  await wait(600);
  pinger.apply(load(YAML.replace('address: 10.0.0.1,', 'address: 10.0.0.9,')));
  await wait(600);
  pinger.apply(load(YAML.replace('- { name: one', '- { name: other')));
  await wait(300);
  pinger.stop();
  expect(sent.map(({ atMs, uri }) => [atMs, uri])).toEqual([
    [500, 'sip:10.0.0.1'],
    [1000, 'sip:10.0.0.2:5080'],
    [1100, 'sip:10.0.0.9'],
  ]);
  expect(reported).toEqual([]);
});

test('once stopped nothing starts it again', async () => {
  const pinger = build();
  pinger.stop();
  pinger.apply(load(YAML));
  await wait(3000);
  expect(sent).toEqual([]);
});

test('an agent is asked through another interface when the one before is gone', async () => {
  const pinger = build();
  pinger.apply(load(YAML));
  await wait(1);
  const other = YAML.replace('name: udp,', 'name: other,');
  pinger.apply(load(other));
  await wait(1500);
  expect(sent.filter(({ uri }) => uri === 'sip:10.0.0.1')).not.toHaveLength(0);
  expect(new Set(sent.map(({ interfaceName }) => interfaceName))).toEqual(
    new Set(['other', 'tcp']),
  );
  pinger.stop();
});
