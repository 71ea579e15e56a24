import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { explainCall } from '../../../src/cli/explain.ts';
import type { Config } from '../../../src/config/config.ts';
import { configOf, edited, SAMPLE } from '../config/sample.ts';

const config = configOf(
  edited(
    ['admit: anyone', 'admit: anyone, kpml-interworking: enabled'],
    ['tcp/127.0.0.1:6062 ]', 'tcp/127.0.0.1:6062 ], rfc2833-mode: preferred'],
    ['address: 127.0.0.1:6080', 'address: 127.0.0.1:6080, rfc2833-payload: 97'],
  ),
);

const folder = mkdtempSync(join(tmpdir(), 'tonebridge-explain-'));
afterAll(() => rmSync(folder, { recursive: true }));

function sdpFile(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  const head = ['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0'];
  writeFileSync(file, `${[...head, ...lines].join('\n')}\n`);
  return file;
}

const offer = sdpFile('offer.sdp', ['m=audio 4000 RTP/AVP 0']);
const answer = sdpFile('answer.sdp', [
  'm=audio 5000 RTP/AVP 0 97',
  'a=rtpmap:97 telephone-event/8000',
]);
const bareAnswer = sdpFile('bare.sdp', ['m=audio 5000 RTP/AVP 0']);
const broken = join(folder, 'broken.sdp');
writeFileSync(broken, 'hello\n');

describe('the route', () => {
  test.each<[from: string, to: string, caller: object, hop: object]>([
    [
      '192.0.2.1',
      '+49',
      { sipInterface: 'access', agent: null, admittedAs: 'anyone' },
      { agent: 'carrier', sipInterface: 'core', requestUri: 'sip:+49@127.0.0.1:6080' },
    ],
    [
      'carrier',
      'sip:7@10.0.0.1',
      { sipInterface: 'core', agent: 'carrier', admittedAs: 'agent' },
      { agent: null, sipInterface: 'access', requestUri: 'sip:7@10.0.0.1' },
    ],
    [
      '127.0.0.1',
      '7@10.0.0.1',
      { sipInterface: 'core', agent: 'carrier' },
      { nextHop: 'sip:10.0.0.1' },
    ],
    ['127.0.0.1:6080', '7@10.0.0.1', { agent: 'carrier' }, { sipInterface: 'access' }],
    ['tcp/127.0.0.1:6081', '7@10.0.0.1', { agent: 'carrier' }, { sipInterface: 'access' }],
    ['127.0.0.1:6081', '7', { agent: null, sipInterface: 'access' }, { agent: 'carrier' }],
  ])('from %s to %s', (from, to, caller, hop) => {
    expect(explainCall(config, { from, to })).toMatchObject({
      exitCode: 0,
      json: { type: 'route', caller, hops: [hop] },
    });
  });

  test('shows each parameter with its origin', () => {
    const { json, text } = explainCall(config, { from: '192.0.2.1', to: '1' });
    expect(json).toMatchObject({
      parameters: {
        caller: expect.arrayContaining([
          { parameter: 'kpml-interworking', value: 'enabled', origin: 'sip-interface access' },
          { parameter: 'rfc2833-mode', value: 'transparent', origin: 'default' },
        ]),
        callee: expect.arrayContaining([
          { parameter: 'rfc2833-mode', value: 'preferred', origin: 'sip-interface core' },
          { parameter: 'rfc2833-payload', value: '97', origin: 'session-agent carrier' },
        ]),
      },
    });
    expect(text).toContain(
      'policy    local-policies[0]: from-realm access, to *, next-hop carrier',
    );
    expect(text).toMatch(/rfc2833-payload +97 +session-agent carrier/);
    expect(text).toContain('give --offer and --answer');
  });

  test.each([
    ['carrier', 'sip:1@127.0.0.1:6060', 1, 'rejected  404 own-address by local-policies[1]'],
    ['nobody here', '1', 2, '--from nobody here is neither'],
    ['nosuchagent', '1', 2, 'neither a session agent nor an IP address (session agents: carrier)'],
    ['carier', '1', 2, '(did you mean "carrier"?)'],
    ['carrier', 'sip:@', 2, '--to sip:@ is neither'],
  ])('from %s to %s ends with %i', (from, to, exitCode, text) => {
    const result = explainCall(config, { from, to });
    expect(result.exitCode).toBe(exitCode);
    const [said, silent = ''] =
      exitCode === 2 ? [result.errorText, result.text] : [result.text, result.errorText];
    expect(said).toContain(text);
    expect(silent).toBe('');
  });

  test('a source that is not let in', () => {
    const closed = configOf(SAMPLE.replace(', admit: anyone', ''));
    const result = explainCall(closed, { from: '192.0.2.1', to: '1' });
    expect(result).toMatchObject({ exitCode: 1, json: { type: 'refused' } });
  });
});

describe('the parameters', () => {
  test('show what is set, the defaults on demand', () => {
    const question = { from: '192.0.2.1', to: '1' };
    const { text } = explainCall(config, question);
    expect(text).toMatch(
      /caller's leg\n {2}parameter +value +from\n {2}kpml-interworking +enabled +sip-interface access\n {2}\d+ by default \(--all\)\n/,
    );
    expect(text).not.toContain('dialog-ping');
    const whole = explainCall(config, { ...question, all: true }).text;
    expect(whole).toMatch(/dialog-ping +600 +default/);
    expect(whole).not.toContain('by default');
  });
});

describe('requests outside calls', () => {
  const relaying = configOf(
    edited(
      [
        'admit: anyone',
        'admit: anyone, methods: { register: carrier, message: all, info: reject }',
      ],
      [
        'address: 127.0.0.1:6080',
        'address: 127.0.0.1:6080, methods: { publish: all, notify: carrier }',
      ],
      [
        'local-policies:',
        'session-groups: [ { name: all, members: [ carrier ] } ]\nlocal-policies:',
      ],
    ),
  );
  const ACCESS = '192.0.2.1';

  test.each<[from: string, method: string, exitCode: number, lines: readonly string[]]>([
    [
      ACCESS,
      'REGISTER',
      0,
      [
        'methods   methods.register: carrier of sip-interface access',
        'relayed   sip-interface core, session agent carrier: sip:7@127.0.0.1:6080 via sip:127.0.0.1:6080',
      ],
    ],
    [ACCESS, 'message', 0, ['methods   methods.message: all of sip-interface access']],
    [
      ACCESS,
      'INFO',
      1,
      ['methods   methods.info: reject of sip-interface access', 'answered  405'],
    ],
    [ACCESS, 'NOTIFY', 1, ['methods   methods.notify is not set', 'answered  481']],
    [ACCESS, 'OPTIONS', 0, ['methods   answered here', 'answered  200']],
    [ACCESS, 'SUBSCRIBE', 1, ['answered  489']],
    [ACCESS, 'REFER', 1, ['methods   never relayed', 'answered  405']],
    ['carrier', 'PUBLISH', 1, ['where the request comes from', 'answered  405']],
    ['carrier', 'NOTIFY', 1, ['session-agent carrier, where', 'answered  481']],
  ])('from %s, %s', (from, method, exitCode, lines) => {
    const result = explainCall(relaying, { from, method, to: '7' });
    expect(result.exitCode).toBe(exitCode);
    for (const line of lines) expect(result.text).toContain(line);
    expect(result.json).toMatchObject({ type: 'method', method: method.toUpperCase() });
  });

  test('with nobody in service they get 503', () => {
    const question = { from: ACCESS, method: 'REGISTER', to: '7', down: 'carrier' };
    expect(explainCall(relaying, question)).toMatchObject({
      exitCode: 1,
      json: { status: 503, hops: [] },
    });
  });
});

describe('SDP and digits', () => {
  const call = { from: '192.0.2.1', to: '1', offer, callerAllowEvents: 'presence, kpml' };

  test('a KPML caller and a callee with telephone-event', () => {
    const { exitCode, json, text } = explainCall(config, { ...call, answer });
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      media: {
        offer: {
          sdp: expect.stringContaining('m=audio 21000 RTP/AVP 0 97\r\n'),
          decision: { allowEvents: 'remove-kpml' },
        },
        answer: { sdp: expect.stringContaining('m=audio 20000 RTP/AVP 0\r\n') },
        plan: {
          callerToCallee: { translator: 'kpml-to-2833', row: 'K1' },
          calleeToCaller: { translator: '2833-to-kpml' },
          subscribeTo: ['caller'],
        },
      },
    });
    expect(text).toContain('digits caller to callee: kpml-to-2833 (row K1');
    expect(text).toContain('we subscribe to: caller');
  });

  test('a callee that refuses: what would have to change', () => {
    const { json, text } = explainCall(config, { ...call, answer: bareAnswer });
    expect(json).toMatchObject({ media: { plan: { callerToCallee: { translator: 'none' } } } });
    expect(text).toContain('to make them cross: ');
  });

  test('digits by INFO: the method, its row and the place it is switched on', () => {
    const withInfo: Config = {
      ...config,
      sipInterfaces: config.sipInterfaces.map((each) => ({
        ...each,
        leg: { ...each.leg, kpmlInterworking: false, sipInfo: 'send' as const },
      })),
    };
    const { json, text } = explainCall(withInfo, { ...call, callerAllowEvents: '', answer });
    expect(json).toMatchObject({
      media: {
        plan: {
          callerToCallee: { translator: 'info-to-2833', row: 'I1' },
          calleeToCaller: { translator: '2833-to-info', row: 'I3' },
        },
      },
    });
    expect(text).toContain('digits caller to callee: info-to-2833 (row I1, rule R6)');
    expect(text).toContain('sip-info send (sip-interface access)');
    expect(text).toMatch(/sip-info +send +sip-interface access/);
  });

  test('an offer alone shows what the callee gets', () => {
    const { json, text } = explainCall(config, call);
    expect(json).toMatchObject({ media: { type: 'media', answer: undefined, plan: undefined } });
    expect(text).toContain('give --answer to see which digits cross');
  });

  test.each([
    [broken, 1, 'the SDP would be refused'],
    [join(folder, 'none.sdp'), 2, 'ENOENT'],
  ])('%s ends with %i', (file, exitCode, text) => {
    const result = explainCall(config, { ...call, offer: file });
    expect(result.exitCode).toBe(exitCode);
    expect(exitCode === 2 ? result.errorText : result.text).toContain(text);
  });
});
