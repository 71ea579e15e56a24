import { describe, expect, test } from 'vitest';
import { LINT_RULES, lintConfig, type LintFinding } from '../../../src/config/lint.ts';
import { edited, SAMPLE, validOf } from './sample.ts';

type Change = readonly [from: string, to: string];

function findingsOf(text: string): LintFinding[] {
  return lintConfig(validOf(text));
}

/** `code@line` of all findings but those about keys that nothing acts on yet. */
function codesOf(text: string): string[] {
  return allCodesOf(text).filter((code) => !code.includes('-not-served@'));
}

function allCodesOf(text: string): string[] {
  return findingsOf(text).map(({ code, line }) => `${code}@${line ?? '-'}`);
}

const AGENT = 'address: 127.0.0.1:6080';
const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const TOP = 'realms:\n';
const KPML_ACCESS: Change = [ACCESS, `${ACCESS}, kpml-interworking: enabled`];
const KPML_AGENT: Change = [AGENT, `${AGENT}, kpml-interworking: enabled`];

const LAB_REALM =
  '  - { name: lab, media: { address: 127.0.0.1, port-min: 30000, port-max: 30009 } }\n';

test('the sample has nothing to complain about', () => {
  expect(findingsOf(SAMPLE)).toEqual([]);
});

test.each<[code: string, line: string, changes: Change[]]>([
  // Exposure
  ['open-api', '1', [[TOP, `api: { listen: 0.0.0.0:8080 }\n${TOP}`]]],
  ['default-secret', '1', [[TOP, `sip: { drachtio: { host: 192.0.2.1, secret: cymru } }\n${TOP}`]]],
  ['default-secret', '6', [[CORE, `${CORE}, drachtio: { host: sip.example, secret: cymru }`]]],
  ['open-interface', '5', [['udp/127.0.0.1:6060', 'udp/192.0.2.1:6060']]],
  [
    'feature-keys-open',
    '1',
    [
      [
        TOP,
        `feature-keys: { enabled: true, authentication: none, domains: { pbx.example: [] } }\n${TOP}`,
      ],
      ['udp/127.0.0.1:6062', 'udp/192.0.2.1:6062'],
    ],
  ],
  [
    'wildcard-media-address',
    '2',
    [['address: 127.0.0.1, port-min: 20000', 'address: 0.0.0.0, port-min: 20000']],
  ],
  ['wildcard-sip-address', '6', [['udp/127.0.0.1:6062', 'udp/0.0.0.0:6062']]],
  ['rtpengine-ipv6', '1', [[TOP, `media: { rtpengine: [ { host: "::1" } ] }\n${TOP}`]]],
  ['expires-order', '1', [[TOP, `feature-keys: { subscriptions: { expires-max: 60s } }\n${TOP}`]]],
  // Routes
  [
    'unreachable-route',
    '11',
    [
      [
        '  - { from-realm: core',
        '  - { from-realm: access, to: "*", next-hop: carrier }\n  - { from-realm: core',
      ],
    ],
  ],
  [
    'unreachable-route',
    '13',
    [
      ['sip-interfaces:', `${LAB_REALM}sip-interfaces:`],
      [
        'next-hop: request-uri }',
        'next-hop: request-uri }\n  - { from-realm: lab, to: "*", next-hop: carrier }',
      ],
    ],
  ],
  [
    'unreachable-route',
    '12',
    [['next-hop: request-uri }', 'next-hop: request-uri }\n  - { to: "*", next-hop: carrier }']],
  ],
  ['no-route', '6', [['  - { from-realm: core, to: "*", next-hop: request-uri }\n', '']]],
  [
    'ambiguous-realm',
    '13',
    [
      [
        'sip-interfaces:\n',
        `${LAB_REALM}sip-interfaces:\n  - { name: lab, realm: lab, sip-ports: [ udp/127.0.0.1:6064 ] }\n`,
      ],
      ['{ from-realm: access, to: "*"', '{ to: "*"'],
    ],
  ],
  ['unused-next-hop', '8', [['next-hop: carrier', 'next-hop: request-uri']]],
  [
    'same-source',
    '9',
    [
      [
        'local-policies:',
        '  - { name: two, realm: core, address: 127.0.0.1:6080 }\nlocal-policies:',
      ],
      ['next-hop: request-uri', 'next-hop: two'],
    ],
  ],
  ['route-to-ourselves', '8', [[AGENT, 'address: 127.0.0.1:6062']]],
  [
    'route-to-ourselves',
    '9',
    [
      [TOP, `session-groups: [ { name: g, members: [ carrier ] } ]\n${TOP}`],
      [AGENT, 'address: 127.0.0.1:6062'],
      ['next-hop: carrier', 'next-hop: g'],
    ],
  ],
  [
    'unused-weights',
    '1',
    [
      [
        TOP,
        `session-groups: [ { name: g, members: [ carrier ], weights: { carrier: 2 } } ]\n${TOP}`,
      ],
      ['next-hop: carrier', 'next-hop: g'],
    ],
  ],
  ['agent-host-name', '8', [[AGENT, 'address: sip.carrier.example']]],
  [
    'ports-too-few',
    '2',
    [
      [AGENT, `${AGENT}, constraints: { max-sessions: 501 }`],
      ['port-max: 21999', 'port-max: 22003'],
    ],
  ],
  ['bare-number', '10', [['to: "*", next-hop: carrier', 'to: 0049, next-hop: carrier']]],
  // Digits
  ['kpml-without-preferred', '5', [KPML_ACCESS]],
  ['kpml-without-preferred', '8', [KPML_AGENT]],
  [
    'dual-with-kpml',
    '8',
    [[AGENT, `${AGENT}, kpml-interworking: enabled, rfc2833-mode: dual`], KPML_ACCESS],
  ],
  ['sip-info-without-sink', '5', [[ACCESS, `${ACCESS}, sip-info: receive`]]],
  ['sip-info-without-sink', '8', [[AGENT, `${AGENT}, sip-info: send`]]],
  ['hairpin-without-kpml', '5', [[ACCESS, `${ACCESS}, kpmlRFC2833-iwf-on-hairpin: enabled`]]],
  [
    'rtpengine-without-digits',
    '1',
    [
      [TOP, `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.30 } ] }\n${TOP}`],
      KPML_ACCESS,
      [CORE, `${CORE}, rfc2833-mode: preferred`],
    ],
  ],
  [
    'kernel-with-kpml',
    '1',
    [
      [TOP, `media: { io: kernel }\n${TOP}`],
      KPML_ACCESS,
      [CORE, `${CORE}, rfc2833-mode: preferred`],
    ],
  ],
  [
    'drachtio-in-dialog',
    '6',
    [
      [TOP, `sip: { engine: drachtio, drachtio: { secret: x } }\n${TOP}`],
      KPML_ACCESS,
      [CORE, `${CORE}, rfc2833-mode: preferred`],
    ],
  ],
])('%s is found on line %s', (code, line, changes) => {
  expect(codesOf(edited(...changes))).toEqual([`${code}@${line}`]);
});

test.each<[code: string, line: string, changes: Change[]]>([
  [
    'engine-not-served',
    '1',
    [[TOP, `media: { engine: rtpengine, rtpengine: [ { host: 192.0.2.30 } ] }\n${TOP}`]],
  ],
  ['io-not-served', '1', [[TOP, `media: { io: ffi }\n${TOP}`]]],
])('%s is said of a key that nothing acts on, on line %s', (code, line, changes) => {
  expect(allCodesOf(edited(...changes))).toContain(`${code}@${line}`);
});

describe('no finding', () => {
  test.each<[why: string, changes: Change[]]>([
    ['API off loopback with a token', [[TOP, `api: { listen: 0.0.0.0:8080, token: x }\n${TOP}`]]],
    ['sample secret on loopback', [[TOP, `sip: { drachtio: { secret: cymru } }\n${TOP}`]]],
    [
      'KPML with a preferred leg behind it',
      [KPML_ACCESS, [CORE, `${CORE}, rfc2833-mode: preferred`]],
    ],
    [
      'KPML with a preferred agent behind it',
      [KPML_ACCESS, [AGENT, `${AGENT}, rfc2833-mode: preferred`]],
    ],
    ['KPML on both legs', [KPML_ACCESS, KPML_AGENT]],
    [
      'hairpin flag with KPML',
      [
        [ACCESS, `${ACCESS}, kpml-interworking: enabled, kpmlRFC2833-iwf-on-hairpin: enabled`],
        [CORE, `${CORE}, rfc2833-mode: preferred`],
      ],
    ],
    ['ports for exactly as many calls', [[AGENT, `${AGENT}, constraints: { max-sessions: 500 }`]]],
    [
      'the port of ours with another transport',
      [[AGENT, 'address: 127.0.0.1:6060, transport: tcp']],
    ],
    ['quoted digits', [['to: "*", next-hop: carrier', 'to: "0049", next-hop: carrier']]],
    [
      'a rule for one prefix beside the rule for all',
      [
        [
          'local-policies:\n',
          'local-policies:\n  - { from-realm: access, to: "+49", next-hop: carrier }\n',
        ],
      ],
    ],
    [
      'wildcard address that is advertised',
      [
        [
          'address: 127.0.0.1, port-min: 20000',
          'address: 0.0.0.0, advertised: 192.0.2.1, port-min: 20000',
        ],
      ],
    ],
  ])('%s', (_, changes) => {
    expect(codesOf(edited(...changes))).toEqual([]);
  });
});

test('any loopback address is an interface on all addresses of the machine', () => {
  const wildcard: Change = ['udp/127.0.0.1:6060 ], admit: anyone', 'udp/0.0.0.0:6060 ]'];
  const text = edited(wildcard, [AGENT, 'address: 127.0.0.9:6060']);
  expect(codesOf(text)).toContain('route-to-ourselves@8');
});

test('dual opposite a KPML leg is found on the dual leg', () => {
  const text = edited(KPML_ACCESS, [AGENT, `${AGENT}, rfc2833-mode: dual`]);
  expect(codesOf(text)).toEqual(['kpml-without-preferred@5', 'dual-with-kpml@8']);
});

test.each<[title: string, changes: Change[], codes: string[]]>([
  [
    'a leg with preferred on the other side',
    [
      [ACCESS, `${ACCESS}, sip-info: send`],
      [AGENT, `${AGENT}, rfc2833-mode: preferred`],
    ],
    [],
  ],
  [
    'a KPML leg on the other side',
    [
      [ACCESS, `${ACCESS}, sip-info: send`],
      [AGENT, `${AGENT}, kpml-interworking: enabled`],
    ],
    [],
  ],
  [
    'INFO on both sides',
    [
      [ACCESS, `${ACCESS}, sip-info: receive`],
      [AGENT, `${AGENT}, sip-info: send`],
    ],
    [],
  ],
  [
    'an agent that inherits it, opposite preferred',
    [
      [CORE, `${CORE}, sip-info: send`],
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
    ],
    [],
  ],
  [
    'telephone-event offered to the same leg',
    [
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
      [AGENT, `${AGENT}, sip-info: receive, rfc2833-mode: preferred`],
    ],
    ['sip-info-behind-events@8'],
  ],
  [
    'dual on the same leg',
    [
      [ACCESS, `${ACCESS}, rfc2833-mode: preferred`],
      [AGENT, `${AGENT}, sip-info: send, rfc2833-mode: dual`],
    ],
    ['dual-with-sip-info@8'],
  ],
])('sip-info with %s', (_, changes, codes) => {
  expect(codesOf(edited(...changes))).toEqual(codes);
});

test('what follows from defaults has no line', () => {
  const text = edited(['port-max: 20999', 'port-max: 20999 }'], ['20999 } }', '20999 }']);
  expect(codesOf(text)).toEqual([]);
  const open = findingsOf(`${SAMPLE}api: { listen: "[::]:8080" }\n`);
  expect(open[0]).toMatchObject({ code: 'open-api', severity: 'error', line: 12 });
});

test('codes are unique, and every finding can be explained', () => {
  const codes = LINT_RULES.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(LINT_RULES.filter(({ explanation }) => !explanation.endsWith('.'))).toEqual([]);
});
