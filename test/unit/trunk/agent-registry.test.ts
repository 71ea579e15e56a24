import { describe, expect, test } from 'vitest';
import type { Config, SipInterface } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry, type RequestSource } from '../../../src/trunk/agent-registry.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062, tcp/127.0.0.1:6062 ], allow: [ 192.0.2.0/24, "2001:db8:1::/48" ] }
session-agents:
  - { name: any-port, realm: core, address: 10.0.0.1 }
  - { name: one-port, realm: core, address: 10.0.0.1:5070 }
  - { name: tcp, realm: core, address: 10.0.0.2:5060, transport: tcp }
  - { name: six, realm: core, address: "2001:db8::6" }
  - { name: named, realm: core, address: sip.carrier.example }
  - { name: limited, realm: core, address: 10.0.0.9, constraints: { max-sessions: 2, max-burst-rate: 3 } }
  - { name: rated, realm: core, address: 10.0.0.10, constraints: { max-burst-rate: 2 } }
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

function open(registry: AgentRegistry, agent: string, nowMs = 0): () => void {
  const session = registry.openSession(agent, nowMs);
  if (session.type === 'refused') throw new Error(session.constraint);
  return () => session.release();
}

describe('matching a source', () => {
  test.each<[string, RequestSource, string | undefined]>([
    ['port of the agent', source('10.0.0.1', 5070), 'one-port'],
    ['another port', source('10.0.0.1', 40_000), 'any-port'],
    ['another transport', source('10.0.0.1', 5070, 'tcp'), undefined],
    ['TCP from any port', source('10.0.0.2', 40_000, 'tcp'), 'tcp'],
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
])('admission: %s', (_, interfaceName, address, expected) => {
  const registry = new AgentRegistry(config);
  expect(registry.admit(interfaceNamed(interfaceName), source(address))).toMatchObject(expected);
});

describe('sessions', () => {
  test('are counted, limited and given back once', () => {
    const registry = new AgentRegistry(config);
    const release = open(registry, 'limited');
    open(registry, 'limited');
    expect(registry.sessions('limited')).toBe(2);
    expect(registry.isUsable('limited')).toBe(false);
    expect(registry.openSession('limited', 0)).toEqual({
      type: 'refused',
      constraint: 'max-sessions',
    });
    release();
    release();
    expect(registry.sessions('limited')).toBe(1);
    expect(registry.isUsable('limited')).toBe(true);
  });

  test('unlimited agents take any number', () => {
    const registry = new AgentRegistry(config);
    for (let call = 0; call < 1000; call += 1) open(registry, 'tcp');
    expect(registry.sessions('tcp')).toBe(1000);
    expect(registry.isUsable('tcp')).toBe(true);
  });

  test.each([
    [0, 999, false],
    [0, 1000, true],
    [5000, 5999, false],
    [5000, 6000, true],
  ])('two calls per second: from %i the third at %i is taken: %s', (start, nowMs, isTaken) => {
    const registry = new AgentRegistry(config);
    open(registry, 'rated', start)();
    open(registry, 'rated', start)();
    const third = registry.openSession('rated', nowMs);
    expect(third.type === 'session').toBe(isTaken);
  });

  test('an agent that is not configured has nothing to count', () => {
    const registry = new AgentRegistry(config);
    open(registry, 'gone')();
    expect(registry.sessions('gone')).toBe(0);
    expect(registry.isUsable('gone')).toBe(false);
  });

  test('survive a reload, also when they end after it', () => {
    const registry = new AgentRegistry(config);
    const release = open(registry, 'limited');
    registry.setLocked('limited', true);
    registry.reconfigure(load(YAML.replace('max-sessions: 2', 'max-sessions: 5')));
    expect(registry.list().find(({ agent }) => agent.name === 'limited')).toMatchObject({
      state: 'locked',
      sessions: 1,
      agent: { constraints: { maxSessions: 5 } },
    });
    release();
    expect(registry.sessions('limited')).toBe(0);
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
  const registry = new AgentRegistry(config);
  expect(registry.setLocked('tcp', true)).toBe(true);
  expect(registry.isUsable('tcp')).toBe(false);
  expect(registry.setLocked('tcp', false)).toBe(true);
  expect(registry.isUsable('tcp')).toBe(true);
  expect(registry.setLocked('nobody', true)).toBe(false);
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
    '2001:db8::6',
    '10.0.0.9',
    '10.0.0.10',
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
