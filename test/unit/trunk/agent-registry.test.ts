import { describe, expect, test } from 'vitest';
import type { Config, SipInterface } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { AgentOutcome } from '../../../src/trunk/agent-health.ts';
import { AgentRegistry, type RequestSource } from '../../../src/trunk/agent-registry.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062, tcp/127.0.0.1:6062 ], allow: [ 192.0.2.0/24, "2001:db8:1::/48" ], deny: [ 192.0.2.128/25, 10.0.0.66 ] }
  - { name: open, realm: core, sip-ports: [ udp/127.0.0.1:6064, tls/127.0.0.1:6065 ], tls: { certificate: c.pem, key: k.pem }, admit: anyone, deny: [ 198.51.100.0/24 ] }
session-agents:
  - { name: any-port, realm: core, address: 10.0.0.1 }
  - { name: one-port, realm: core, address: 10.0.0.1:5070 }
  - { name: tcp, realm: core, address: 10.0.0.2:5060, transport: tcp }
  - { name: tls, realm: core, address: 10.0.0.21, transport: tls }
  - { name: six, realm: core, address: "2001:db8::6" }
  - { name: six-port, realm: core, address: "[2001:db8::8]:5070" }
  - { name: first, realm: core, address: 10.0.0.20 }
  - { name: port, realm: core, address: 10.0.0.20:5071 }
  - { name: both, realm: core, address: 10.0.0.20:5072, transport: tcp }
  - { name: named, realm: core, address: sip.carrier.example }
  - { name: limited, realm: core, address: 10.0.0.9, constraints: { max-sessions: 2, max-burst-rate: 3 } }
  - { name: rated, realm: core, address: 10.0.0.10, constraints: { max-burst-rate: 2 } }
  - { name: probed, realm: core, address: 10.0.0.11, options-ping: { down-after: 2, up-after: 2 } }
  - { name: blocked, realm: core, address: 10.0.0.66 }
`;

function load(text: string): Config {
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

const config = load(YAML);

function interfaceNamed(name: string): SipInterface {
  const found = config.sipInterfaces.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no interface ${name}`);
  return found;
}

function source(address: string, port = 5060, transport: RequestSource['transport'] = 'udp') {
  return { address, port, transport };
}

/** Counts a call towards the agent; gives back what ends it. */
function open(registry: AgentRegistry, agent: string, nowMs = 0): () => void {
  return registry.counter(agent)?.open('outbound', nowMs) ?? ((): void => undefined);
}

function viewOf(registry: AgentRegistry, name: string) {
  return registry.list().find(({ agent }) => agent.name === name);
}

const SILENCE: AgentOutcome = { type: 'silence', by: 'ping' };
const ANSWER: AgentOutcome = { type: 'answer', by: 'ping', status: 200 };

describe('matching a source', () => {
  test.each<[string, RequestSource, string | undefined]>([
    ['port of the agent', source('10.0.0.1', 5070), 'one-port'],
    ['another port', source('10.0.0.1', 40_000), 'any-port'],
    [
      'TCP, as for large requests, from the port of the agent',
      source('10.0.0.1', 5070, 'tcp'),
      'one-port',
    ],
    ['TCP from an ephemeral port', source('10.0.0.1', 40_000, 'tcp'), 'any-port'],
    ['TLS of an agent that is called by UDP', source('10.0.0.1', 40_000, 'tls'), 'any-port'],
    ['TCP from any port', source('10.0.0.2', 40_000, 'tcp'), 'tcp'],
    ['UDP of an agent that is called by TCP', source('10.0.0.2', 5060), 'tcp'],
    ["UDP from a port that is not the agent's", source('10.0.0.2', 40_000), undefined],
    ['IPv6 by TCP', source('2001:db8::6', 40_000, 'tcp'), 'six'],
    ['IPv6 by TCP, an agent with a port', source('2001:db8::8', 40_000, 'tcp'), 'six-port'],
    ["IPv6 by UDP, another port than the agent's", source('2001:db8::8', 40_000), undefined],
    ['tls over tls', source('10.0.0.21', 40_000, 'tls'), 'tls'],
    ['tls over tcp', source('10.0.0.21', 40_000, 'tcp'), undefined],
    ['tls over udp', source('10.0.0.21', 5060), undefined],
    ['one host: transport and port', source('10.0.0.20', 5072, 'tcp'), 'both'],
    ['one host: port before transport', source('10.0.0.20', 5071, 'tcp'), 'port'],
    ['one host: transport', source('10.0.0.20', 40_000, 'tcp'), 'both'],
    ['one host: the first', source('10.0.0.20', 40_000, 'tls'), 'first'],
    ['IPv6', source('2001:db8::6'), 'six'],
    ['IPv6 written otherwise', source('2001:0db8:0:0::6'), 'six'],
    ['IPv4 through a dual-stack socket', source('::ffff:10.0.0.1'), 'any-port'],
    ['address nobody has', source('10.0.0.3'), undefined],
    ['no address', source('sip.carrier.example'), undefined],
    ['IPv6 with zone', source('2001:db8::6%eth0'), 'six'],
  ])('%s', (_, from, expected) => {
    expect(new AgentRegistry(config).match(interfaceNamed('core'), from)?.name).toBe(expected);
  });

  test('an agent of another realm is a stranger', () => {
    const registry = new AgentRegistry(config);
    expect(registry.match(interfaceNamed('access'), source('10.0.0.1'))).toBeUndefined();
  });

  test('a host name matches once its addresses are known', () => {
    const registry = new AgentRegistry(config);
    registry.setAddresses('named', ['203.0.113.7', '2001:db8::7']);
    registry.setAddresses('nobody', ['203.0.113.8']);
    const core = interfaceNamed('core');
    expect(registry.match(core, source('203.0.113.7'))?.name).toBe('named');
    expect(registry.match(core, source('2001:db8::7'))?.name).toBe('named');
    expect(registry.match(core, source('203.0.113.8'))).toBeUndefined();
  });
});

test.each<[string, string, string, object]>([
  ['agent', 'core', '2001:db8::6', { type: 'agent', agent: { name: 'six' } }],
  ['allowed network', 'core', '192.0.2.77', { type: 'stranger', by: 'network' }],
  ['allowed IPv6 network', 'core', '2001:db8:1::5', { type: 'stranger', by: 'network' }],
  ['outside of the network', 'core', '192.0.3.1', { type: 'refused', reason: 'unknown-source' }],
  ['anyone', 'access', '192.0.3.1', { type: 'stranger', by: 'anyone' }],
  ['denied half of it', 'core', '192.0.2.200', { type: 'refused', reason: 'denied' }],
  ['denied agent', 'core', '10.0.0.66', { type: 'refused', reason: 'denied' }],
  ['anyone but the denied', 'open', '198.51.100.9', { type: 'refused', reason: 'denied' }],
  ['the others', 'open', '198.51.101.9', { type: 'stranger', by: 'anyone' }],
])('admission: %s', (_, interfaceName, address, expected) => {
  const registry = new AgentRegistry(config);
  expect(registry.admit(interfaceNamed(interfaceName), source(address))).toMatchObject(expected);
});

describe('state', () => {
  test('a full agent is constrained until a call ends', () => {
    let nowMs = 1000;
    const registry = new AgentRegistry(config, { nowMs: () => nowMs });
    open(registry, 'limited', 1000);
    const release = open(registry, 'limited', 2000);
    nowMs = 5000;
    expect(registry.obstacle('limited')).toEqual({ state: 'constrained', reason: 'max-sessions' });
    expect(viewOf(registry, 'limited')).toMatchObject({ sessions: 2, sinceMs: 2000 });
    release();
    expect(registry.isUsable('limited')).toBe(true);
    expect(viewOf(registry, 'limited')).toMatchObject({ state: 'in-service', sinceMs: 1000 });
  });

  test('an agent at its rate is constrained until the window has passed', () => {
    let nowMs = 0;
    const registry = new AgentRegistry(config, { nowMs: () => nowMs });
    open(registry, 'rated')();
    open(registry, 'rated')();
    nowMs = 999;
    expect(registry.obstacle('rated')).toEqual({ state: 'constrained', reason: 'max-burst-rate' });
    nowMs = 1000;
    expect(registry.isUsable('rated')).toBe(true);
  });

  test('an agent that is not configured gets no calls and has nothing to count', () => {
    const registry = new AgentRegistry(config);
    open(registry, 'gone')();
    registry.report('gone', SILENCE);
    expect(registry.sessions('gone')).toBe(0);
    expect(registry.obstacle('gone')).toEqual({ state: 'unknown', reason: 'not-configured' });
  });

  test('health goes out and comes back with an event each, a lock stands before it', () => {
    let nowMs = 0;
    const seen: unknown[] = [];
    const registry = new AgentRegistry(config, {
      nowMs: () => nowMs,
      onHealthChange: ({ agent, state, reason, isAnswering }) =>
        seen.push([nowMs, agent.name, state, reason, isAnswering]),
    });
    const obstacles: unknown[] = [];
    const steps: readonly (AgentOutcome | 'lock' | 'unlock')[] = [
      SILENCE,
      SILENCE,
      'lock',
      ANSWER,
      'unlock',
      ANSWER,
    ];
    for (const [index, step] of steps.entries()) {
      nowMs = index + 1;
      if (typeof step === 'string') registry.setLocked('probed', step === 'lock');
      else registry.report('probed', step);
      obstacles.push(registry.obstacle('probed')?.state);
    }
    expect(obstacles).toEqual([
      undefined,
      'out-of-service',
      'locked',
      'locked',
      'out-of-service',
      undefined,
    ]);
    expect(seen).toEqual([
      [2, 'probed', 'out-of-service', 'no-answer', false],
      [6, 'probed', 'in-service', 'answers', true],
    ]);
  });

  test('an agent that nobody probes is not taken out by its calls', () => {
    const registry = new AgentRegistry(config);
    for (let call = 0; call < 10; call += 1) {
      registry.report('tcp', { type: 'transportError', by: 'call' });
    }
    expect(viewOf(registry, 'tcp')).toMatchObject({ state: 'in-service', reason: 'not-probed' });
  });

  test('what the last OPTIONS brought is shown', () => {
    const registry = new AgentRegistry(config);
    expect(viewOf(registry, 'probed')?.lastPing).toBeUndefined();
    registry.report('probed', ANSWER, { atMs: 1, status: 200, rttMs: 2.5 });
    expect(viewOf(registry, 'probed')?.lastPing).toEqual({ atMs: 1, status: 200, rttMs: 2.5 });
  });
});

/** With the agent `probed` out of service. */
function takenOut(): AgentRegistry {
  const registry = new AgentRegistry(config);
  registry.report('probed', SILENCE);
  registry.report('probed', SILENCE);
  return registry;
}

describe('reload', () => {
  test('calls, lock and health of an agent survive, also when its limits change', () => {
    const registry = takenOut();
    const release = open(registry, 'limited');
    registry.setLocked('limited', true);
    registry.reconfigure(load(YAML.replace('max-sessions: 2', 'max-sessions: 5')));
    expect(viewOf(registry, 'limited')).toMatchObject({
      state: 'locked',
      sessions: 1,
      agent: { constraints: { maxSessions: 5 } },
    });
    release();
    expect(registry.sessions('limited')).toBe(0);
    expect(viewOf(registry, 'probed')?.state).toBe('out-of-service');
  });

  test.each([
    ['somewhere else', 'address: 10.0.0.11', 'address: 10.0.0.12'],
    ['not probed any more', ', options-ping: { down-after: 2, up-after: 2 }', ''],
  ])('an agent that is %s starts anew', (_, from, to) => {
    const registry = takenOut();
    registry.reconfigure(load(YAML.replace(from, to)));
    expect(viewOf(registry, 'probed')?.state).toBe('in-service');
  });

  test('a reload that moves an agent moves what it matches', () => {
    const registry = new AgentRegistry(config);
    registry.setAddresses('named', ['203.0.113.7']);
    registry.reconfigure(load(YAML.replace('10.0.0.1 }', '10.0.0.77 }')));
    const core = interfaceNamed('core');
    expect(registry.match(core, source('10.0.0.77'))?.name).toBe('any-port');
    expect(registry.match(core, source('10.0.0.1', 1))).toBeUndefined();
    expect(registry.match(core, source('203.0.113.7'))?.name).toBe('named');
  });
});

test('a locked agent takes no calls until it is unlocked', () => {
  let nowMs = 1;
  const registry = new AgentRegistry(config, { nowMs: () => nowMs });
  expect(registry.setLocked('tcp', true)).toMatchObject({ state: 'locked', reason: 'operator' });
  nowMs = 2;
  expect(registry.setLocked('tcp', true)).toMatchObject({ sinceMs: 1 });
  expect(registry.isUsable('tcp')).toBe(false);
  expect(registry.setLocked('tcp', false)).toMatchObject({ state: 'in-service' });
  expect(registry.isUsable('tcp')).toBe(true);
  expect(registry.setLocked('nobody', true)).toBeUndefined();
});

test('turns count up per group', () => {
  const registry = new AgentRegistry(config);
  expect([registry.nextTurn('a'), registry.nextTurn('a'), registry.nextTurn('b')]).toEqual([
    0, 1, 0,
  ]);
});

test('the sources of an interface are its agents, looked-up ones too, and its networks', () => {
  const registry = new AgentRegistry(config);
  const before = registry.sourcesByInterface();
  expect(before.get('access')).toEqual([]);
  expect(before.get('core')).toEqual([
    '10.0.0.1',
    '10.0.0.1',
    '10.0.0.2',
    '10.0.0.21',
    '2001:db8::6',
    '2001:db8::8',
    '10.0.0.20',
    '10.0.0.20',
    '10.0.0.20',
    '10.0.0.9',
    '10.0.0.10',
    '10.0.0.11',
    '10.0.0.66',
    '192.0.2.0/24',
    '2001:db8:1::/48',
  ]);
  registry.setAddresses('named', ['203.0.113.1', '203.0.113.2']);
  expect(registry.sourcesByInterface().get('core')).toEqual(
    expect.arrayContaining(['203.0.113.1', '203.0.113.2']),
  );
  registry.reconfigure(load(YAML.replace('address: 10.0.0.9', 'address: 10.9.9.9')));
  const after = registry.sourcesByInterface().get('core');
  expect(after).toEqual(expect.arrayContaining(['10.9.9.9', '203.0.113.1']));
  expect(after).not.toContain('10.0.0.9');
});
