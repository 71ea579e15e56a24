import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importAcme } from '../../../../src/config/acme/acme-import.ts';
import { formatImport } from '../../../../src/config/acme/acme-report.ts';
import { loadConfig } from '../../../../src/config/load.ts';

const REALM = fc.constantFrom('access', 'core', 'peer', '*', '', 'über realm', 'Access');
const HOST = fc.constantFrom(
  '10.0.0.1',
  '10.0.0.2',
  '2001:db8::1',
  'pbx.example.com',
  'reject',
  '*',
  '',
  '10.0.0.300',
  '0.0.0.0',
);
const NUMBER = fc.oneof(
  fc.nat(70_000).map(String),
  fc.constantFrom('', '0', '99999999999', '-1', '1.5', 'many'),
);
const WORD = fc.constantFrom(
  'enabled',
  'disabled',
  'none',
  'all',
  'agents-only',
  'realm-prefix',
  'UDP',
  'TCP',
  'TLS',
  'SCTP',
  'StaticTCP',
  'UDP+TCP',
  'preferred',
  'dual',
  'Hunt',
  'PropDist',
  'delete',
  'add',
  'replace',
  'manipulate',
  'INVITE',
  'OPTIONS',
  'SIP',
  'H323',
  'M-F',
  'U-S',
  '0800',
  '2400',
  'one',
  'two',
  '@@',
  '$',
  'deny',
  'permit',
  'inherit',
  'header-value',
);
const TEXT = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    '(a b)',
    '"quoted text"',
    '"open',
    '(open',
    'a,b',
    '+x=y',
    'SAG:one',
    'sag:two',
    '+49',
    '0049*',
    '*',
    '${HOME}',
    'X-Name',
    'From',
    '#',
    '$ORIGINAL',
    '^(.*',
    'one two',
    '{',
    ': ',
    '- a',
    '!x',
    '&x',
    '\u2028',
    '\uD800',
  ),
);
const VALUE = fc.oneof(REALM, HOST, NUMBER, WORD, TEXT);

const INNER: Readonly<Record<string, readonly string[]>> = {
  'sip-port': ['address', 'port', 'transport-protocol', 'allow-anonymous', 'tls-profile'],
  'policy-attribute': [
    'next-hop',
    'realm',
    'cost',
    'start-time',
    'end-time',
    'days-of-week',
    'methods',
    'state',
    'action',
    'lookup',
    'terminate-recursion',
    'app-protocol',
  ],
  'header-rule': [
    'name',
    'header-name',
    'action',
    'match-value',
    'new-value',
    'msg-type',
    'methods',
    'comparison-type',
  ],
  'auth-attribute': ['username', 'password'],
};
const OUTER: Readonly<Record<string, readonly string[]>> = {
  'realm-config': [
    'identifier',
    'addr-prefix',
    'parent-realm',
    'in-translationid',
    'out-manipulationid',
    'constraint-name',
    'symmetric-latching',
    'description',
    'refer-call-transfer',
  ],
  'steering-pool': ['ip-address', 'start-port', 'end-port', 'realm-id', 'network-interface'],
  'sip-interface': [
    'state',
    'realm-id',
    'kpml-interworking',
    'kpml-2833-interworking',
    'rfc2833-mode',
    'rfc2833-payload',
    'kpmlRFC2833-iwf-on-hairpin',
    'options',
    'trust-mode',
    'redirect-action',
    'nat-traversal',
    'session-timer-profile',
    'in-manipulationid',
    'add-sdp-invite',
  ],
  'session-agent': [
    'hostname',
    'ip-address',
    'port',
    'state',
    'transport-method',
    'realm-id',
    'constraints',
    'max-sessions',
    'max-burst-rate',
    'burst-rate-window',
    'ping-method',
    'ping-interval',
    'in-service-period',
    'options',
    'out-service-response-codes',
    'trust-me',
    'rfc2833-mode',
    'in-translationid',
    'out-manipulationid',
    'kpml-interworking',
    'description',
  ],
  'session-group': ['group-name', 'strategy', 'dest', 'state', 'sag-recursion'],
  'local-policy': [
    'from-address',
    'to-address',
    'source-realm',
    'state',
    'policy-priority',
    'activate-time',
    'description',
  ],
  'session-translation': ['id', 'rules-called', 'rules-calling'],
  'translation-rules': ['id', 'type', 'add-string', 'add-index', 'delete-string', 'delete-index'],
  'sip-manipulation': ['name', 'description'],
  'session-constraints': ['name', 'state', 'max-sessions'],
  'session-timer-profile': ['name', 'session-expires', 'min-se', 'force-reinvite'],
  'access-control': ['realm-id', 'source-address', 'access', 'application-protocol'],
  'sip-config': ['max-udp-length', 'sip-message-len', 'options'],
  'media-manager': ['subsq-guard-timer'],
  'host-route': ['dest-network', 'netmask', 'gateway'],
  'network-interface': ['name', 'ip-address', 'netmask'],
};

function element(
  names: Readonly<Record<string, readonly string[]>>,
  indent: string,
): fc.Arbitrary<string[]> {
  return fc.constantFrom(...Object.keys(names)).chain((name) => {
    const parameter = fc
      .tuple(
        fc.constantFrom(...(names[name] ?? []), 'unknown-parameter', 'last-modified-by'),
        VALUE,
      )
      .map(([key, value]) => `${indent}        ${key}    ${value}`);
    const inner = names === OUTER ? element(INNER, '        ') : fc.constant<string[]>([]);
    return fc
      .tuple(fc.array(parameter, { maxLength: 10 }), fc.array(inner, { maxLength: 3 }))
      .map(([lines, children]) => [`${indent}${name}`, ...lines, ...children.flat()]);
  });
}

/** A valid beginning makes it likely that what follows comes through. */
const START = [
  'sip-interface',
  '        realm-id    core',
  '        sip-port',
  '                address    10.0.9.1',
  '        sip-port',
  '                address    10.0.9.1',
  '                transport-protocol    TCP',
];
const CONFIGURATION = fc
  .tuple(fc.array(element(OUTER, ''), { maxLength: 12 }), fc.constantFrom('\n', '\r\n'))
  .map(([elements, end]) => [...START, ...elements.flat()].join(end));
const ANY_TEXT = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'session-agent',
        ' hostname x',
        '\t--More--\b\b port 5',
        'sip-interface',
        '   "',
        '  (',
        'ACME#',
      ),
    ),
    { maxLength: 30 },
  )
  .map((lines) => lines.join('\n'));

/** Without a sip-interface there is nothing that a configuration could consist of. */
function behindStart(text: string): string {
  return [...START, text].join('\n');
}

function filledLines(text: string): number[] {
  const lines = text.includes('\n') ? text.split('\n') : text.split('\r');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [index + 1]));
}

test('every line that holds anything has exactly one fate, whatever the text', () => {
  fc.assert(
    fc.property(fc.oneof(CONFIGURATION, ANY_TEXT), (text) => {
      const { lines, counts } = importAcme(text);
      expect(lines.map(({ line }) => line)).toEqual(filledLines(text));
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(lines.length);
      const unexplained = lines.filter(
        ({ fate, reason }) => reason === '' && fate !== 'carried' && fate !== 'ignored',
      );
      expect(unexplained).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the result is a valid configuration, whatever the text', () => {
  fc.assert(
    fc.property(fc.oneof(CONFIGURATION, ANY_TEXT.map(behindStart)), (text) => {
      const { yaml } = importAcme(text);
      const loaded = loadConfig({ text: yaml, file: 'imported', env: {} });
      expect(loaded.type === 'invalid' ? { problems: loaded.problems, yaml } : {}).toEqual({});
    }),
    { numRuns: 60 },
  );
});

test('the report is text of whole lines without control characters', () => {
  fc.assert(
    fc.property(fc.oneof(CONFIGURATION, ANY_TEXT), (text) => {
      expect(formatImport(importAcme(text)).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 30 },
  );
});
