import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { IDLE_TRUNK, route, type RouteResult } from '../../../src/trunk/policy.ts';
import type { TrunkView } from '../../../src/trunk/group-strategy.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
  - { name: lab, media: { address: 127.0.0.1, port-min: 22000, port-max: 22999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060, "udp/[::1]:6060" ] }
  - { name: core-udp, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
  - { name: core-tcp, realm: core, sip-ports: [ tcp/127.0.0.1:6062 ] }
  - { name: lab, realm: lab, sip-ports: [ udp/0.0.0.0:6064, tcp/127.0.0.1:6064 ] }
session-agents:
  - { name: one, realm: core, address: 127.0.0.1:6081 }
  - { name: two, realm: core, address: "[2001:db8::2]:6082", transport: tcp }
  - { name: three, realm: core, address: sip.three.example }
session-groups:
  - { name: all, members: [ one, two, three ] }
local-policies:
  - { to: "*", next-hop: all }
  - { from-realm: access, to: "+49", next-hop: one }
  - { from-realm: access, to: "+4930", next-hop: two }
  - { to: "+4930", next-hop: one }
  - { from-realm: access, to: "9", next-hop: three }
  - { from-realm: access, to: "9", next-hop: one }
  - { from-realm: core, to: "*", next-hop: request-uri }
  - { from-realm: core, to: "8", next-hop: request-uri, to-realm: lab }
`;

function load(text: string): Config {
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

const config = load(YAML);

function call(fromRealm: string, calledNumber: string, view: TrunkView = IDLE_TRUNK): RouteResult {
  const requestUri = `sip:${calledNumber}@sbc.example`;
  return route(config, { fromRealm, calledNumber, requestUri }, view);
}

/** Each hop as `interface agent requestUri nextHop`, or the reject. */
function hopsOf(result: RouteResult): string[] {
  if (result.type === 'reject') return [`${result.status} ${result.reason}`];
  return result.hops.map(({ sipInterface, agent, requestUri, nextHop }) =>
    [sipInterface.name, agent?.name ?? '-', requestUri, nextHop].join(' '),
  );
}

test.each([
  ['access', '+4930123', 2],
  ['access', '+4989123', 1],
  ['access', '+1212', 0],
  ['access', '', 0],
  ['access', '911', 4],
  ['lab', '+4930123', 3],
  ['lab', '+4989', 0],
  ['core', '123', 6],
  ['core', '812', 7],
])('from %s to "%s": policy %i', (realm, number, index) => {
  expect(call(realm, number).policy).toBe(config.localPolicies[index]);
});

describe('hops to agents', () => {
  test('a group gives one hop per member, each with its own interface', () => {
    expect(hopsOf(call('access', '+1212'))).toEqual([
      'core-udp one sip:+1212@127.0.0.1:6081 sip:127.0.0.1:6081',
      'core-tcp two sip:+1212@[2001:db8::2]:6082 sip:[2001:db8::2]:6082;transport=tcp',
      'core-udp three sip:+1212@sip.three.example sip:sip.three.example',
    ]);
  });

  test.each([
    ['', 'sip:127.0.0.1:6081'],
    ['#31#*', 'sip:%2331%23*@127.0.0.1:6081'],
    ['a b@c', 'sip:a%20b%40c@127.0.0.1:6081'],
    ['1>\r\nX: y', 'sip:1%3E%0D%0AX%3A%20y@127.0.0.1:6081'],
  ])('number %j becomes %s', (calledNumber, expected) => {
    const request = { fromRealm: 'access', calledNumber, requestUri: 'sip:x@y' };
    const result = route(config, request);
    expect(result.type === 'route' && result.hops[0]?.requestUri).toBe(expected);
  });

  test('user=phone travels with the number, other parameters do not', () => {
    const requestUri = 'sip:+4989@sbc.example;user=phone;transport=tcp;x=y';
    const result = route(config, { fromRealm: 'access', calledNumber: '+4989', requestUri });
    expect(hopsOf(result)[0]).toContain('sip:+4989@127.0.0.1:6081;user=phone sip:');
  });

  test('agents that cannot take a call are passed over', () => {
    const view = { ...IDLE_TRUNK, isUsable: (name: string) => name === 'three' };
    const result = call('access', '+1212', view);
    expect(hopsOf(result)).toHaveLength(1);
    expect(hopsOf(call('access', '+4930', view))).toEqual(['503 no-agent-available']);
  });

  test('agents that are passed over are named with the reason', () => {
    const view: TrunkView = {
      ...IDLE_TRUNK,
      obstacle: () => ({ state: 'out-of-service', reason: 'no-answer' }),
      isUsable: (name) => name === 'three',
    };
    const reason = 'out-of-service (no-answer)';
    const skipped = ['one', 'two'].map((agent) => ({ agent, reason }));
    expect(call('access', '+1212', view)).toMatchObject({ type: 'route', skipped });
    expect(call('access', '+4930', view)).toMatchObject({
      reason: 'no-agent-available',
      skipped: [{ agent: 'two', reason }],
    });
  });

  test('round-robin shares the calls among the usable members alone', () => {
    const rotating = load(YAML.replace('name: all,', 'name: all, strategy: round-robin,'));
    let turn = 0;
    const view = {
      ...IDLE_TRUNK,
      nextTurn: () => turn++,
      isUsable: (name: string) => name !== 'two',
    };
    const request = { fromRealm: 'access', calledNumber: '+1', requestUri: 'sip:+1@sbc.example' };
    const firsts = Array.from({ length: 4 }, () => {
      const result = route(rotating, request, view);
      return result.type === 'route' ? result.hops[0]?.agent?.name : undefined;
    });
    expect(firsts).toEqual(['one', 'three', 'one', 'three']);
  });

  test('the hops of a group carry its failover codes', () => {
    const coded = load(YAML.replace('three ] }', 'three ], failover-codes: [ 404, 486 ] }'));
    const request = { fromRealm: 'access', requestUri: 'sip:1@sbc.example' };
    const codesFor = (calledNumber: string): unknown => {
      const result = route(coded, { ...request, calledNumber });
      return result.type === 'route' && result.hops.map((hop) => hop.failoverCodes);
    };
    expect(codesFor('+1212')).toEqual([
      [404, 486],
      [404, 486],
      [404, 486],
    ]);
    expect(codesFor('+4930')).toEqual([undefined]);
  });
});

function byUri(requestUri: string, calledNumber = '1'): string[] {
  return hopsOf(route(config, { fromRealm: 'core', calledNumber, requestUri }));
}

describe('hops by request URI', () => {
  test.each([
    ['sip:1@10.0.0.1', 'access - sip:1@10.0.0.1 sip:10.0.0.1'],
    ['sip:1@10.0.0.1:5070;ob', 'access - sip:1@10.0.0.1:5070;ob sip:10.0.0.1:5070'],
    ['sip:1@[2001:db8::9]:5070', 'access - sip:1@[2001:db8::9]:5070 sip:[2001:db8::9]:5070'],
    [
      'sip:1@10.0.0.1;transport=TCP',
      'lab - sip:1@10.0.0.1;transport=TCP sip:10.0.0.1;transport=tcp',
    ],
    ['sip:1@10.0.0.1;transport=tls', '503 no-interface'],
    ['sips:1@10.0.0.1', '503 no-interface'],
    ['tel:+4930', '416 unsupported-scheme'],
    ['http://x/', '416 unsupported-scheme'],
    ['sip:1@', '400 bad-request-uri'],
    ['sip:1@127.0.0.1:6060', '404 own-address'],
    ['sip:1@127.0.0.1:6062', '404 own-address'],
    ['sip:1@[::1]:6060', '404 own-address'],
    ['sip:1@127.0.0.1:6064', '404 own-address'],
  ])('%s: %s', (uri, expected) => {
    expect(byUri(uri)).toEqual([expected]);
  });

  test.each([
    ['sip:8@10.9.9.9', 'in-lab'],
    ['sip:8@10.9.9.9:5060', 'in-lab'],
    ['sip:8@10.9.9.9:5061', '-'],
    ['sip:8@10.9.9.9;transport=tcp', '-'],
    ['sip:8@127.0.0.1:6081', '-'],
  ])('%s is a call to agent %s', (requestUri, agent) => {
    const text = YAML.replace(
      'session-groups:',
      '  - { name: in-lab, realm: lab, address: 10.9.9.9 }\nsession-groups:',
    );
    const request = { fromRealm: 'core', calledNumber: '8', requestUri };
    expect(hopsOf(route(load(text), request))[0]).toContain(`lab ${agent} `);
    const view = { ...IDLE_TRUNK, isUsable: () => false };
    const isAgent = agent !== '-';
    expect(route(load(text), request, view).type).toBe(isAgent ? 'reject' : 'route');
  });

  test("an interface with an address of the target's family is preferred", () => {
    const text = YAML.replace(
      'sip-interfaces:',
      'sip-interfaces:\n  - { name: four, realm: access, sip-ports: [ udp/127.0.0.1:6066 ] }',
    );
    const via = (requestUri: string): string | undefined => {
      const result = route(load(text), { fromRealm: 'core', calledNumber: '1', requestUri });
      return result.type === 'route' ? result.hops[0]?.sipInterface.name : undefined;
    };
    expect(via('sip:1@10.0.0.1')).toBe('four');
    expect(via('sip:1@[2001:db8::1]')).toBe('access');
    expect(via('sip:1@host.example')).toBe('four');
  });

  test('to-realm names the realm to leave by', () => {
    expect(byUri('sip:8@10.0.0.1', '8')).toEqual(['lab - sip:8@10.0.0.1 sip:10.0.0.1']);
  });

  test('with one realm only, the request leaves where it came in', () => {
    const single = load(`
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] } ]
local-policies: [ { next-hop: request-uri } ]
`);
    const request = { fromRealm: 'core', calledNumber: '1', requestUri: 'sip:1@10.0.0.1' };
    expect(hopsOf(route(single, request))).toEqual(['core - sip:1@10.0.0.1 sip:10.0.0.1']);
  });
});

test('without a policy the number is not found', () => {
  const none = load(YAML.slice(0, YAML.indexOf('local-policies')));
  const result = route(none, { fromRealm: 'access', calledNumber: '1', requestUri: 'sip:1@x' });
  expect(result).toMatchObject({ type: 'reject', status: 404, reason: 'no-route', skipped: [] });
});

test.each([
  ['access', '+4', '484 address-incomplete'],
  ['access', '+49301', '484 address-incomplete'],
  ['core', '7', '484 address-incomplete'],
  ['access', '7', '404 no-route'],
  ['access', '+50', '404 no-route'],
  ['access', '+4930123', '404 no-route'],
  ['access', '', '404 no-route'],
])('from %s to "%s", the beginning of a prefix or not: %s', (fromRealm, calledNumber, expected) => {
  const prefixes = load(`${YAML.slice(0, YAML.indexOf('local-policies'))}
local-policies:
  - { from-realm: access, to: "+4930129", next-hop: two }
  - { from-realm: core, to: "789", next-hop: one }
`);
  const requestUri = 'sip:1@x';
  expect(hopsOf(route(prefixes, { fromRealm, calledNumber, requestUri }))).toEqual([expected]);
});
