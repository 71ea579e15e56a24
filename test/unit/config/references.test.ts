import { describe, expect, test } from 'vitest';
import { edited, problemLines, SAMPLE } from './sample.ts';

test.each<[name: string, from: string, to: string, problems: string[]]>([
  [
    'unknown realm',
    'realm: core, address',
    'realm: cor, address',
    ['8:29: session-agents[0].realm: realm "cor" does not exist (did you mean "core"?)'],
  ],
  [
    'unknown next hop',
    'next-hop: carrier',
    'next-hop: carier',
    [
      '10:46: local-policies[0].next-hop: next hop "carier" is neither a session agent nor a session group (did you mean "carrier"?)',
    ],
  ],
  [
    'unknown from-realm',
    'from-realm: access',
    'from-realm: acess',
    ['10:19: local-policies[0].from-realm: realm "acess" does not exist (did you mean "access"?)'],
  ],
  [
    'to-realm with an agent',
    'next-hop: carrier',
    'next-hop: carrier, to-realm: core',
    [
      '10:55: local-policies[0].to-realm: to-realm goes with next-hop request-uri only; agents have a realm themselves',
    ],
  ],
  [
    'methods that lead to nobody',
    'address: 127.0.0.1:6080',
    'address: 127.0.0.1:6080, methods: { register: carier, message: reject, info: carrier }',
    [
      '8:81: session-agents[0].methods.register: "carier" is neither a session agent nor a session group (did you mean "carrier"?)',
    ],
  ],
  [
    'transport nobody speaks',
    'address: 127.0.0.1:6080',
    'address: 127.0.0.1:6080, transport: tls',
    ['8:5: session-agents[0]: no sip-interface of realm "core" has a tls port to reach this agent'],
  ],
  [
    'an interface that may be the one an agent needs',
    'name: core, realm: core',
    'name: core',
    ['6:5: sip-interfaces[1].realm: "realm" is required here'],
  ],
  [
    'an interface of a mistyped realm',
    'name: core, realm: core',
    'name: core, realm: corr',
    ['6:26: sip-interfaces[1].realm: realm "corr" does not exist (did you mean "core"?)'],
  ],
  [
    'tls without certificate',
    'udp/127.0.0.1:6060',
    'tls/127.0.0.1:6061',
    [
      '5:49: sip-interfaces[0].sip-ports[0]: a tls port needs "tls" with certificate and key on this interface',
    ],
  ],
  [
    'same SIP port twice',
    'udp/127.0.0.1:6062',
    'udp/127.0.0.1:6060',
    ['6:45: sip-interfaces[1].sip-ports[0]: udp/127.0.0.1:6060 overlaps with udp/127.0.0.1:6060'],
  ],
  [
    'wildcard over a SIP port',
    'udp/127.0.0.1:6062',
    'udp/0.0.0.0:6060',
    ['6:45: sip-interfaces[1].sip-ports[0]: udp/0.0.0.0:6060 overlaps with udp/127.0.0.1:6060'],
  ],
  [
    'overlapping media ranges',
    'port-min: 21000',
    'port-min: 20998',
    [
      '3:58: realms[1].media.port-min: media of realm "core" (20998-21999) overlaps with media of realm "access" (20000-20999)',
    ],
  ],
  [
    'SIP port inside media range',
    'udp/127.0.0.1:6060',
    'udp/127.0.0.1:20010',
    [
      '2:60: realms[0].media.port-min: media of realm "access" (20000-20999) overlaps with udp/127.0.0.1:20010',
    ],
  ],
  [
    'API on a SIP port',
    'realms:',
    'api: { listen: 127.0.0.1:6062 }\nrealms:',
    ['1:16: api.listen: api.listen 127.0.0.1:6062 overlaps with tcp/127.0.0.1:6062'],
  ],
  [
    'range turned round',
    'port-max: 20999',
    'port-max: 19999',
    [
      '2:77: realms[0].media.port-max: port-min 20000 to port-max 19999 holds no pair of RTP and RTCP ports',
    ],
  ],
  [
    'same name twice',
    '{ name: core, realm: core',
    '{ name: access, realm: core',
    ['6:13: sip-interfaces[1].name: "access" is already the name of sip-interfaces[0]'],
  ],
  [
    'reserved name',
    '{ name: carrier',
    '{ name: request-uri',
    [
      '8:13: session-agents[0].name: "request-uri" is a reserved word',
      '10:46: local-policies[0].next-hop: next hop "carrier" is neither a session agent nor a session group (known: request-uri, reject)',
    ],
  ],
  [
    'engine without server',
    'realms:',
    'sip: { engine: drachtio }\nrealms:',
    [
      '6:5: sip-interfaces[0]: engine drachtio needs sip.drachtio, or drachtio on every interface',
      '7:5: sip-interfaces[1]: engine drachtio needs sip.drachtio, or drachtio on every interface',
    ],
  ],
  [
    'rtpengine without node',
    'realms:',
    'media: { engine: rtpengine }\nrealms:',
    ['1:18: media.engine: engine rtpengine needs at least one node under media.rtpengine'],
  ],
  [
    'rtpengine with an empty list of nodes',
    'realms:',
    'media: { engine: rtpengine, rtpengine: [] }\nrealms:',
    ['1:18: media.engine: engine rtpengine needs at least one node under media.rtpengine'],
  ],
  [
    'a node whose host is none',
    'realms:',
    'media: { rtpengine: [ { host: foo bar }, { host: "192.0.2.1:2223" } ] }\nrealms:',
    [
      '1:31: media.rtpengine[0].host: "foo bar" is neither an IPv4 address nor a name',
      '1:50: media.rtpengine[1].host: "192.0.2.1:2223" is neither an IPv4 address nor a name',
    ],
  ],
  [
    'reports of digits on a port of SIP',
    'realms:',
    'media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.1, dtmf-listen: "127.0.0.1:6060" } ] }\nrealms:',
    [
      '1:74: media.rtpengine[0].dtmf-listen: dtmf-listen 127.0.0.1:6060 overlaps with udp/127.0.0.1:6060',
    ],
  ],
  [
    'calls without state',
    'realms:',
    'feature-keys: { mode: pass, apply-to-calls: true }\nrealms:',
    [
      '1:29: feature-keys.apply-to-calls: apply-to-calls needs mode serve on a sip-interface: with pass the state is kept elsewhere',
    ],
  ],
  [
    'calls to a domain of somebody else',
    'realms:',
    'feature-keys: { domains: { pbx.example: [ 10.0.0.1 ] }, apply-to-calls: [ 1@PBX.example, 10.0.0.1, pbx.exmaple ] }\nrealms:',
    [
      '1:100: feature-keys.apply-to-calls[2]: "pbx.exmaple" is none of feature-keys.domains (did you mean "pbx.example"?)',
    ],
  ],
])('%s', (_, from, to, problems) => {
  expect(problemLines(edited([from, to]))).toEqual(problems);
});

function group(body: string): string[] {
  return problemLines(`${SAMPLE}session-groups:\n  - { name: carriers, ${body} }\n`);
}

describe('groups', () => {
  test('members and weights must exist', () => {
    expect(group('members: [ carrier, carier, carrier ], weights: { carrierr: 2 }')).toEqual([
      '13:43: session-groups[0].members[1]: session agent "carier" does not exist (did you mean "carrier"?)',
      '13:51: session-groups[0].members[2]: "carrier" is already a member',
      '13:83: session-groups[0].weights.carrierr: "carrierr" is no member of the group (did you mean "carrier"?)',
    ]);
  });

  test('a group needs a member', () => {
    expect(group('members: []')).toEqual([
      '13:23: session-groups[0].members: needs at least one entry',
    ]);
  });

  test('shares the names of agents', () => {
    const text = `${SAMPLE}session-groups:\n  - { name: carrier, members: [ carrier ] }\n`;
    expect(problemLines(text)).toEqual([
      '13:13: session-groups[0].name: "carrier" is already the name of session-agents[0]',
    ]);
  });
});

test.each<[mode: string, access: string, core: string, isRefused: boolean]>([
  ['serve', 'inherit', 'pass', false],
  ['serve', 'pass', 'pass', true],
  ['pass', 'inherit', 'serve', false],
  ['pass', 'inherit', 'inherit', true],
])('apply-to-calls with mode %s, %s and %s on the interfaces', (mode, ...rest) => {
  const [access, core, isRefused] = rest;
  const text = edited(
    ['realms:', `feature-keys: { mode: ${mode}, apply-to-calls: true }\nrealms:`],
    ['admit: anyone }', `admit: anyone, feature-keys-mode: ${access} }`],
    ['tcp/127.0.0.1:6062 ] }', `tcp/127.0.0.1:6062 ], feature-keys-mode: ${core} }`],
  );
  expect(problemLines(text)).toHaveLength(isRefused ? 1 : 0);
});
