import { describe, expect, test } from 'vitest';
import { importAcme } from '../../../../src/config/acme/acme-import.ts';
import type { Fate } from '../../../../src/config/acme/acme-ledger.ts';

type Row = readonly [parameter: string, fate: Fate, written: string];

/** What becomes of one parameter: its fate, and the lines of the YAML that are not there without it. */
function effect(lines: readonly string[], parameter: string): [Fate | undefined, string] {
  const name = parameter.trim().split(' ')[0] ?? '';
  const before = importAcme(lines.join('\n').replace('        PARAMETER\n', ''));
  const after = importAcme(lines.join('\n').replace('PARAMETER', parameter));
  const known = new Set(before.yaml.split('\n'));
  const written = after.yaml
    .split('\n')
    .filter((line) => !known.has(line) && !line.trim().startsWith('#'))
    .map((line) => line.trim());
  return [after.lines.find((line) => line.parameter === name)?.fate, written.join(' | ')];
}

const INTERFACE = [
  'sip-interface',
  '        realm-id core',
  '        sip-port',
  '                address 10.0.0.1',
  '        PARAMETER',
  '',
];
const TCP = [
  'sip-interface',
  '        realm-id core',
  '        sip-port',
  '                address 10.0.0.1',
  '        sip-port',
  '                address 10.0.0.1',
  '                transport-protocol TCP',
];
const AGENT = [
  ...TCP,
  'session-agent',
  '        hostname a.example',
  '        realm-id core',
  '        PARAMETER',
  '',
];
const GROUP = [
  ...TCP,
  'session-agent',
  '        hostname a.example',
  '        realm-id core',
  '        max-sessions 2000',
  'session-group',
  '        group-name g',
  '        dest a.example',
  '        PARAMETER',
  '',
];
const PORT = [
  'realm-config',
  '        identifier core',
  '        addr-prefix 10.0.0.0/24',
  'sip-interface',
  '        realm-id core',
  '        sip-port',
  '                address 10.0.0.1',
  '        PARAMETER',
  '',
];

describe('a sip-interface', () => {
  test.each<Row>([
    ['kpml-interworking enabled', 'carried', 'kpml-interworking: enabled'],
    ['kpml-interworking disabled', 'ignored', ''],
    ['kpml-2833-interworking enabled', 'changed', 'kpml-interworking: enabled'],
    ['rfc2833-mode preferred', 'carried', 'rfc2833-mode: preferred'],
    ['rfc2833-mode transparent', 'ignored', ''],
    ['rfc2833-mode loud', 'not-carried', ''],
    ['rfc2833-payload 96', 'carried', 'rfc2833-payload: 96'],
    ['rfc2833-payload 101', 'ignored', ''],
    ['rfc2833-payload 13', 'not-carried', ''],
    ['kpmlRFC2833-iwf-on-hairpin enabled', 'carried', 'kpmlRFC2833-iwf-on-hairpin: enabled'],
    ['options +kpmlRFC2833-iwf-on-hairpin', 'carried', 'kpmlRFC2833-iwf-on-hairpin: enabled'],
    [
      'spl-options kpmlrfc2833-iwf-on-hairpin=enabled',
      'carried',
      'kpmlRFC2833-iwf-on-hairpin: enabled',
    ],
    ['kpml2833-iwf-on-hairpin enabled', 'carried', 'kpmlRFC2833-iwf-on-hairpin: enabled'],
    ['kpml2833-iwf-on-hairpin disabled', 'ignored', ''],
    ['options +kpml2833-iwf-on-hairpin', 'carried', 'kpmlRFC2833-iwf-on-hairpin: enabled'],
    ['options max-udp-length=0', 'not-carried', ''],
    ['trust-mode all', 'carried', 'trust: trusted'],
    ['trust-mode agents-only', 'changed', ''],
    ['redirect-action Proxy', 'changed', 'follow-redirects: disabled'],
    ['redirect-action Recurse', 'changed', ''],
    ['nat-traversal always', 'changed', 'media-source: learn-once'],
    ['add-sdp-invite both', 'carried', 'add-sdp-invite: both'],
    ['registration-caching enabled', 'not-carried', ''],
    ['registration-caching disabled', 'ignored', ''],
    ['trans-expire 0', 'ignored', ''],
    ['sip-ims-feature enabled', 'not-carried', ''],
  ])('%s is %s', (parameter, ...expected) => {
    expect(effect(INTERFACE, parameter)).toEqual(expected);
  });
});

describe('a sip-port', () => {
  test.each<Row>([
    ['        allow-anonymous all', 'carried', ''],
    ['        allow-anonymous agents-only', 'carried', 'admit: agents'],
    ['        allow-anonymous realm-prefix', 'carried', 'admit: agents | allow: [ "10.0.0.0/24" ]'],
    ['        allow-anonymous registered', 'changed', 'admit: agents'],
  ])('%s is %s', (parameter, ...expected) => {
    expect(effect(PORT, parameter)).toEqual(expected);
  });
});

describe('a session-agent', () => {
  test.each<Row>([
    ['ip-address 10.0.0.9', 'carried', 'address: 10.0.0.9'],
    ['ip-address 2001:db8::9', 'carried', 'address: "2001:db8::9"'],
    ['port 5060', 'changed', ''],
    ['port 5080', 'carried', 'address: "a.example:5080"'],
    ['port 0', 'changed', 'address: a.example'],
    ['transport-method UDP', 'carried', 'transport: udp'],
    ['transport-method UDP+TCP', 'changed', ''],
    ['transport-method StaticTCP', 'changed', 'transport: tcp'],
    ['transport-method DynamicTCP', 'changed', 'transport: tcp'],
    ['max-sessions 10', 'changed', 'constraints: | max-sessions: 10'],
    ['max-burst-rate 0', 'ignored', ''],
    ['kpml-interworking inherit', 'ignored', ''],
    ['kpml-interworking disabled', 'carried', 'kpml-interworking: disabled'],
    ['rfc2833-mode transparent', 'carried', 'rfc2833-mode: transparent'],
    ['kpml2833-iwf-on-hairpin enabled', 'carried', 'kpmlRFC2833-iwf-on-hairpin: enabled'],
    ['kpml2833-iwf-on-hairpin inherit', 'ignored', ''],
    ['rfc2833-mode none', 'ignored', ''],
    ['rfc2833-payload 0', 'ignored', ''],
    ['ping-method OPTIONS', 'ignored', ''],
    [
      'out-service-response-codes 408,500-502',
      'carried',
      'out-service-response-codes: [ 408, 500, 501, 502 ]',
    ],
    ['out-service-response-codes 200', 'not-carried', ''],
    ['trust-me enabled', 'ignored', ''],
    ['refer-call-transfer enabled', 'carried', 'refer: local'],
    ['in-manipulationid ACME_NAT_TO_FROM_IP', 'changed', ''],
    ['in-manipulationid nowhere', 'not-carried', ''],
    ['in-translationid nowhere', 'not-carried', ''],
    ['description "the \'best\' one"', 'changed', ''],
    ['last-modified-by admin@10.0.0.9', 'ignored', ''],
    ['codec-policy strip', 'not-carried', ''],
  ])('%s is %s', (parameter, ...expected) => {
    expect(effect(AGENT, parameter)).toEqual(expected);
  });

  test.each<[string, string]>([
    ['state disabled', 'is disabled'],
    ['app-protocol H323', 'speaks H323'],
    ['transport-method SCTP', 'there is no transport sctp'],
    ['transport-method StaticTLS', 'no tls port in realm core'],
  ])('with %s is lost', (parameter, reason) => {
    const { lines } = importAcme(AGENT.join('\n').replace('PARAMETER', parameter));
    expect(lines.find(({ line }) => line === 8)).toMatchObject({ fate: 'not-carried', reason });
  });
});

describe('a session-group', () => {
  test.each<Row>([
    ['strategy Hunt', 'carried', ''],
    ['strategy RoundRobin', 'carried', 'strategy: round-robin'],
    ['strategy LeastBusy', 'carried', 'strategy: least-busy'],
    ['strategy PropDist', 'changed', 'strategy: weighted | weights: | a.example: 1000'],
    ['strategy LowSusRate', 'changed', 'strategy: least-busy'],
    ['sag-recursion disabled', 'changed', ''],
    ['sag-recursion enabled', 'carried', ''],
    ['stop-sag-recurse 401,407', 'ignored', ''],
    ['stop-sag-recurse 404', 'not-carried', ''],
  ])('%s is %s', (parameter, ...expected) => {
    expect(effect(GROUP, parameter)).toEqual(expected);
  });
});
