import { expect, test } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import { relayedAnswer, relayedRequest } from '../../../src/call/outside/relayed-messages.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { IDLE_TRUNK } from '../../../src/trunk/policy.ts';
import { relayHops } from '../../../src/trunk/relay-hops.ts';
import type { SipRequest, SipResponse } from '../../../src/wire/sip-message.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20099 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 20100, port-max: 20199 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ "udp/10.0.0.1:5060" ] }
  - { name: core, realm: core, sip-ports: [ "udp/10.1.0.1:5060" ] }
session-agents:
  - { name: one, realm: core, address: "10.1.0.2:5070" }
  - { name: two, realm: core, address: registrar.example }
session-groups:
  - { name: both, members: [ one, two ] }
`;

function load(): Config {
  const loaded = loadConfig({ text: YAML, file: 'relay.yaml', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

const config = load();

function pathTo(target: string, user?: string) {
  const [hop] = relayHops(config, target, user, IDLE_TRUNK);
  const [access, core] = config.sipInterfaces;
  const [accessRealm, coreRealm] = config.realms;
  if (hop === undefined || access === undefined || core === undefined) throw new Error('no hop');
  if (accessRealm === undefined || coreRealm === undefined) throw new Error('no realm');
  const from = new CallLeg({
    side: 'caller',
    sipInterface: access,
    realm: accessRealm,
    agent: undefined,
    remote: '192.0.2.7:5060',
    transport: 'udp',
  });
  return { hop, path: { from, to: CallLeg.towards(hop, coreRealm) } };
}

function request(method: string, uri: string, parties: { from: string; to: string }): SipRequest {
  const headers = [
    { name: 'From', value: `"A" <${parties.from}>;tag=12345678` },
    { name: 'To', value: `<${parties.to}>` },
    { name: 'Call-ID', value: 'secret-call@192.0.2.7' },
    { name: 'Max-Forwards', value: '10' },
    { name: 'X-Unknown', value: 'x' },
  ];
  return { type: 'request', method, uri, headers, body: Buffer.alloc(0) };
}

/** Request-URI, From and To as they come and as they leave towards `one` (10.1.0.2:5070). */
const rows: [string, [string, string, string], [string, string, string]][] = [
  [
    'a device that takes us for its registrar',
    ['sip:10.0.0.1', 'sip:alice@10.0.0.1', 'sip:alice@10.0.0.1'],
    ['sip:10.1.0.2:5070', 'sip:alice@10.1.0.2:5070', 'sip:alice@10.1.0.2:5070'],
  ],
  [
    'a device that names its own address in From',
    ['sip:10.0.0.1', 'sip:alice@192.0.2.7:5062', 'sip:alice@10.0.0.1:5060'],
    ['sip:10.1.0.2:5070', 'sip:alice@10.1.0.2:5070', 'sip:alice@10.1.0.2:5070'],
  ],
  [
    'a device that names our address in To alone',
    ['sip:example.com', 'sip:alice@example.com', 'sip:alice@10.0.0.1'],
    ['sip:10.1.0.2:5070', 'sip:alice@10.1.0.2:5070', 'sip:alice@10.1.0.2:5070'],
  ],
  [
    'a device that names our address without its port',
    ['sip:10.0.0.1', 'sip:bob@10.0.0.1', 'sip:bob@10.0.0.1'],
    ['sip:10.1.0.2:5070', 'sip:bob@10.1.0.2:5070', 'sip:bob@10.1.0.2:5070'],
  ],
  [
    'a device that names our address at another port',
    ['sip:10.0.0.1:5099', 'sip:bob@10.0.0.1:5099', 'sip:bob@10.0.0.1:5099'],
    ['sip:10.1.0.2:5070', 'sip:bob@10.1.0.2:5070', 'sip:bob@10.1.0.2:5070'],
  ],
  [
    'a device in a domain that names its own address in From',
    ['sip:10.0.0.1', 'sip:alice@192.0.2.7:5062', 'sip:alice@example.com'],
    ['sip:10.1.0.2:5070', 'sip:alice@example.com', 'sip:alice@example.com'],
  ],
  [
    'a device that registers somebody else in a domain',
    ['sip:example.com', 'sip:admin@example.com', 'sip:bob@example.com'],
    ['sip:example.com', 'sip:admin@example.com', 'sip:bob@example.com'],
  ],
  [
    'a device with an account in a domain',
    ['sip:example.com', 'sip:alice@example.com', 'sip:alice@example.com'],
    ['sip:example.com', 'sip:alice@example.com', 'sip:alice@example.com'],
  ],
];
test.each(rows)('REGISTER of %s', (_who, [uri, from, to], [relayedUri, relayedFrom, relayedTo]) => {
  const { hop, path } = pathTo('one');

  const relayed = relayedRequest(request('REGISTER', uri, { from, to }), path, hop, config);

  expect(relayed.uri).toBe(relayedUri);
  expect(relayed.headers).toEqual({
    From: `<${relayedFrom}>`,
    To: `<${relayedTo}>`,
    'Max-Forwards': '9',
    'User-Agent': 'Tonebridge',
  });
});

test('MESSAGE goes to the user at the agent, from the user at our address', () => {
  const { hop, path } = pathTo('both', '4711');
  const parties = { from: 'sip:alice@192.0.2.7', to: 'sip:4711@10.0.0.1' };

  const relayed = relayedRequest(
    request('MESSAGE', 'sip:4711@10.0.0.1', parties),
    path,
    hop,
    config,
  );

  expect(relayed.uri).toBe('sip:4711@10.1.0.2:5070');
  expect(relayed.headers['From']).toBe('"A" <sip:alice@localhost>');
  expect(relayed.headers['To']).toBe('<sip:4711@10.1.0.2:5070>');
});

test('of several challenges the one crosses that every device knows', () => {
  const { path } = pathTo('one');
  const parties = { from: 'sip:alice@example.com', to: 'sip:alice@example.com' };
  const response: SipResponse = {
    type: 'response',
    status: 401,
    reason: 'Unauthorized',
    headers: [
      { name: 'WWW-Authenticate', value: 'Digest realm="r", nonce="a", algorithm=SHA-256' },
      { name: 'WWW-Authenticate', value: 'Digest realm="r", nonce="b", algorithm=MD5' },
    ],
    body: Buffer.alloc(0),
  };

  const asked = request('REGISTER', 'sip:example.com', parties);
  const { status, options } = relayedAnswer(response, path, asked, {});

  expect(status).toBe(401);
  expect(options.headers?.['WWW-Authenticate']).toContain('nonce="b"');
});

test('members of a group are tried in its order, those that take nothing left out', () => {
  const view = { ...IDLE_TRUNK, isUsable: (name: string) => name !== 'one' };

  expect(relayHops(config, 'both', undefined, IDLE_TRUNK).map(({ nextHop }) => nextHop)).toEqual([
    'sip:10.1.0.2:5070',
    'sip:registrar.example',
  ]);
  expect(relayHops(config, 'both', undefined, view).map(({ agent }) => agent?.name)).toEqual([
    'two',
  ]);
  expect(relayHops(config, 'nobody', undefined, IDLE_TRUNK)).toEqual([]);
});
