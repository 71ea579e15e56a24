import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importAcme } from '../../../../src/config/acme/acme-import.ts';
import { formatImport } from '../../../../src/config/acme/acme-report.ts';
import { effectiveSettings } from '../../../../src/config/effective.ts';
import { loadConfig } from '../../../../src/config/load.ts';

const FIXTURE = readFileSync(
  new URL('../../../fixtures/acme/carrier-and-access.txt', import.meta.url),
  'utf8',
);

function configOf(text: string) {
  const { yaml } = importAcme(text);
  const loaded = loadConfig({ text: yaml, file: 'imported', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function agent(name: string): string[] {
  return ['session-agent', ` hostname ${name}`, ' realm-id core'];
}

test('a running configuration becomes a configuration that routes and interworks the same', () => {
  const config = configOf(FIXTURE);
  expect(config.realms.map(({ name, media }) => [name, media.address, media.portMin])).toEqual([
    ['access', '10.0.1.5', 20_000],
    ['core', '10.0.2.5', 20_000],
  ]);
  const [access, core] = config.sipInterfaces;
  expect(access).toMatchObject({ admit: 'anyone', leg: { kpmlInterworking: true } });
  expect(core).toMatchObject({
    admit: 'agents',
    translateIn: 'plus',
    leg: { rfc2833Mode: 'preferred' },
  });
  expect(core?.sipPorts.map(({ transport, port }) => `${transport} ${port}`)).toEqual([
    'udp 5060',
    'tcp 5060',
  ]);
  const [carrier] = config.sessionAgents;
  expect(carrier).toMatchObject({
    name: 'carrier-a.example.com',
    host: '10.0.2.10',
    port: undefined,
    isTransportFixed: false,
    optionsPing: { intervalMs: 30_000, downAfter: 3, upAfter: 3 },
    constraints: { maxSessions: 500 },
    outServiceCodes: [408, 503],
  });
  if (core === undefined) throw new Error('no interface');
  expect(effectiveSettings(core, carrier).rfc2833Payload.value).toBe(96);
  expect(config.sessionGroups).toMatchObject([
    { name: 'carriers', strategy: 'weighted', members: ['carrier-a.example.com', '10.0.2.11'] },
  ]);
  expect(
    config.localPolicies.map(({ to, nextHop, cost, time }) => [to, nextHop, cost, time?.text]),
  ).toEqual([
    ['4930', 'carriers', 0, undefined],
    ['4940', 'carriers', 0, undefined],
    ['4930', '10.0.2.99', 10, 'mon,tue,wed,thu,fri 08:00-18:00 UTC'],
    ['4940', '10.0.2.99', 10, 'mon,tue,wed,thu,fri 08:00-18:00 UTC'],
  ]);
  expect(config.media.inactivityTimeoutMs).toBe(300_000);
});

test('comments name the lines that each part comes from, and numbers stay quoted', () => {
  const { yaml } = importAcme(FIXTURE);
  expect(yaml).toContain(
    '  # line 39: session-agent carrier-a.example.com\n  - name: carrier-a.example.com\n',
  );
  expect(yaml).toContain(
    '  # line 6: local-policy, line 12: policy-attribute\n  # to the carrier, first choice\n',
  );
  expect(yaml).toContain('to-prefixes: [ "4930", "4940" ]');
});

test('the report says what was lost, why and what to do', () => {
  const report = formatImport(importAcme(FIXTURE));
  expect(report).toContain(
    '  lines 2-5: host-route 10.9.0.0: routes of packets are of the operating system\n      -> ip route add 10.9.0.0/16 via 10.0.0.1\n',
  );
  expect(report).toContain(
    'lines 56-59: session-agent carrier-a.example.com, auth-attribute: the password is encrypted',
  );
  expect(report).not.toContain('********');
  expect(report).toMatch(
    /\n126 lines: \d+ carried, \d+ with a change, 16 not carried, \d+ with nothing to carry/,
  );
});

test('the report names the parameters that share a reason, unless it is about the whole element', () => {
  const text = [
    'sip-interface',
    ' realm-id core',
    ' sip-port',
    '  address 10.0.0.1',
    ...agent('a.example'),
    ' min-seizures 5',
    ' ttr-no-response 4',
    ...agent('b.example'),
    ' state disabled',
  ].join('\n');
  const report = formatImport(importAcme(text));
  expect(report).toContain(
    '  lines 8-9: session-agent a.example, min-seizures, ttr-no-response: has no counterpart\n',
  );
  expect(report).toContain('  lines 10-13: session-agent b.example: is disabled\n');
});

test('of two spellings of the hairpin parameter the first counts', () => {
  const { yaml, lines } = importAcme(
    [
      'sip-interface',
      ' realm-id core',
      ' kpmlRFC2833-iwf-on-hairpin enabled',
      ' kpml2833-iwf-on-hairpin enabled',
      ' sip-port',
      '  address 10.0.0.1',
    ].join('\n'),
  );
  expect(yaml.match(/on-hairpin: enabled/g)).toHaveLength(1);
  expect(lines.slice(2, 4).map(({ fate }) => fate)).toEqual(['carried', 'not-carried']);
});

test('disabled elements and what leads to them are lost with a reason', () => {
  const text = FIXTURE.replace(
    'state                                   enabled\n        transport-method',
    'state                                   disabled\n        transport-method',
  );
  const { lines } = importAcme(text);
  const about = (line: number) => lines.find((fate) => fate.line === line);
  expect(about(39)).toMatchObject({ fate: 'not-carried', reason: 'is disabled' });
  expect(about(69)).toMatchObject({
    fate: 'not-carried',
    parameter: 'dest',
    reason: 'without carrier-a.example.com',
  });
});

test('names that are taken or that no name can be get others', () => {
  const config = configOf(
    [
      'sip-interface',
      ' realm-id Zürich/1',
      ' sip-port',
      '  address 10.0.0.1',
      ...['a', 'A b', 'a', 'reject'].flatMap((name) => [
        'session-agent',
        ` hostname ${name}`,
        ' ip-address 10.0.0.2',
        ' realm-id Zürich/1',
      ]),
      'session-group',
      ' group-name a',
      ' dest a',
    ].join('\n'),
  );
  expect(config.realms.map(({ name }) => name)).toEqual(['Z-rich-1']);
  expect(config.sessionAgents.map(({ name }) => name)).toEqual(['a', 'A-b', 'a-2', 'reject-2']);
  expect(config.sessionGroups).toMatchObject([{ name: 'a-3', members: ['a'] }]);
});

test('commands that were typed in place of a listing are read as well', () => {
  const config = configOf(
    [
      'conf t',
      'session-router',
      'sip-interface',
      'realm-id core',
      'sip-port',
      'address 10.0.0.1',
      'done',
      'exit',
      'done',
      'session-agent',
      'hostname pbx.example.com',
      'realm-id core',
      'done',
      'exit',
    ].join('\n'),
  );
  expect(config.sessionAgents.map(({ name, realm }) => [name, realm])).toEqual([
    ['pbx.example.com', 'core'],
  ]);
});

test('of agents with one address in two realms, the policy leads to that of its realm', () => {
  const config = configOf(
    [
      ...['a', 'b'].flatMap((realm, index) => [
        'sip-interface',
        ` realm-id ${realm}`,
        ' sip-port',
        `  address 10.0.${index}.1`,
        'session-agent',
        ` hostname gw-${realm}`,
        ' ip-address 192.0.2.1',
        ` realm-id ${realm}`,
      ]),
      'local-policy',
      ' to-address 1',
      ' policy-attribute',
      '  next-hop 192.0.2.1',
      '  realm b',
    ].join('\n'),
  );
  expect(config.localPolicies.map(({ nextHop }) => nextHop)).toEqual(['gw-b']);
});

test('groups inside of groups come out flat, and rings of them end', () => {
  const config = configOf(
    [
      'sip-interface',
      ' realm-id core',
      ' sip-port',
      '  address 10.0.0.1',
      ...agent('a.example'),
      ...agent('b.example'),
      'session-group',
      ' group-name outer',
      ' dest SAG:inner b.example',
      'session-group',
      ' group-name inner',
      ' dest a.example SAG:outer',
    ].join('\n'),
  );
  expect(config.sessionGroups.map(({ members }) => members)).toEqual([
    ['a.example', 'b.example'],
    ['a.example', 'b.example'],
  ]);
});

test('a long text takes a time that goes by its length', () => {
  const head = 'sip-interface\n realm-id core\n sip-port\n  address 10.0.0.1\n';
  const agents = Array.from(
    { length: 5000 },
    () => 'session-agent\n hostname same\n realm-id core\n',
  );
  expect(importAcme(head + agents.join('')).counts).toEqual({
    carried: 10_004,
    changed: 5000,
    'not-carried': 0,
    ignored: 0,
  });
});
