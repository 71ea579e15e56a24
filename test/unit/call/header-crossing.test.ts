import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  crossing,
  kindOf,
  leaving,
  methodOf,
  pathFrom,
} from '../../../src/call/headers/header-crossing.ts';
import {
  HEADER_TABLE,
  MESSAGE_KINDS,
  type MessageKind,
} from '../../../src/call/headers/header-table.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import {
  CALLER_DOMAIN,
  CALLER_HOST,
  type Field,
  legOf,
  path,
  request,
  response,
  rule,
} from './header-fixtures.ts';

function crossed(message: SipMessage, way = path()): Record<string, string> {
  return crossing(message, way, true).headers;
}

/** A message of each kind with `field`. */
const MESSAGES: Readonly<Record<MessageKind, (field: Field) => SipMessage>> = {
  invite: (field) => request('INVITE', field),
  offer: (field) => request('UPDATE', field),
  progress: (field) => response(183, 'Progress', field),
  answer: (field) => response(200, 'OK', field),
  refusal: (field) => response(486, 'Busy', field),
  inform: (field) => request('INFO', field),
  end: (field) => request('BYE', field),
};

/** A harmless value that the header may have. */
function valueFor(header: string): string {
  const values: Readonly<Record<string, string>> = {
    'Alert-Info': '<urn:alert:source:internal>',
    'P-Asserted-Identity': '<sip:1@a.invalid>',
    Privacy: 'none',
    Diversion: '<sip:1@a.invalid>;reason=no-answer',
    'History-Info': '<sip:1@a.invalid>;index=1',
    'Referred-By': '<sip:1@a.invalid>',
    Warning: '399 other "text"',
    CSeq: '1 INVITE',
    Via: 'SIP/2.0/UDP a.invalid;branch=z9hG4bK1',
    From: '<sip:1@a.invalid>;tag=1',
    To: '<sip:1@a.invalid>',
    Contact: '<sip:1@a.invalid>',
  };
  return values[header] ?? 'value';
}

describe('the table', () => {
  const cases = HEADER_TABLE.flatMap((row) => MESSAGE_KINDS.map((kind) => ({ ...row, kind })));
  // These are written elsewhere, from what was read out of the message.
  const elsewhere = new Set(['From', 'To', 'Max-Forwards', 'Allow-Events']);

  test.each(cases)('$header in $kind: $treatment', ({ header, treatment, kinds, kind }) => {
    const message = MESSAGES[kind]([header, valueFor(header)]);
    const isOfKind = kinds?.includes(kind) ?? true;
    const isLeft = !isOfKind || treatment === 'ours' || treatment === 'vanishes';
    const crosses = !isLeft && !elsewhere.has(header);
    expect(header in crossed(message, path('trusted', 'trusted'))).toBe(crosses);
    const isPlain = treatment === 'passes' || header === 'Privacy' || header === 'Warning';
    expect(header in crossed(message)).toBe(crosses && isPlain);
  });

  test('names each header once', () => {
    const names = HEADER_TABLE.map(({ header }) => header.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(['passes', 'trusted', 'rewritten', 'ours', 'vanishes'] as const)(
    'is what docs/signalling.md shows: %s',
    (treatment) => {
      const page = new URL('../../../docs/signalling.md', import.meta.url);
      const readme = readFileSync(page, 'utf8');
      const line = readme.split('\n').find((text) => text.startsWith(`| ${treatment} |`)) ?? '';
      const shown = (line.split('|')[3] ?? '').split(',').map((name) => name.trim());
      const listed = HEADER_TABLE.filter((row) => row.treatment === treatment);
      expect(shown).toEqual(listed.map(({ header }) => header));
    },
  );
});

describe('what passes', () => {
  test.each<[string, Field[], Record<string, string>]>([
    [
      'in any spelling',
      [
        ['s', 'lunch'],
        ['PRIORITY', 'urgent'],
      ],
      { Subject: 'lunch', Priority: 'urgent' },
    ],
    [
      'as a list',
      [
        ['Reason', 'SIP;cause=200'],
        ['reason', 'Q.850;cause=16'],
      ],
      { Reason: 'SIP;cause=200, Q.850;cause=16' },
    ],
    [
      'once where it is no list',
      [
        ['Subject', 'one'],
        ['s', 'two'],
      ],
      { Subject: 'one' },
    ],
    ['not when it is empty', [['Subject', '']], {}],
    [
      'not when nobody knows it',
      [
        ['X-Internal', 'x'],
        ['constructor', 'x'],
      ],
      {},
    ],
    ['not with the host of the peer', [['Subject', `from ${CALLER_HOST}`]], {}],
    ['not with its domain', [['Reason', `SIP;text="${CALLER_DOMAIN.toUpperCase()} said so"`]], {}],
    ['not with its Contact', [['User-to-User', 'at=gateway.caller.example;x']], {}],
    ['not with its public address', [['Subject', '10.1.1.77']], {}],
    ['not with our address there', [['Subject', 'to 10.1.1.254']], {}],
    ['not with the Call-ID', [['Session-ID', `secret-call-id@${CALLER_HOST}`]], {}],
    ['not with a tag', [['Subject', 'callertag']], {}],
    ['not with URI escapes', [['Subject', '10%2E1.1.1']], {}],
    [
      'with a longer address that begins alike',
      [['Subject', '10.1.1.12']],
      { Subject: '10.1.1.12' },
    ],
    [
      'ring tones by name alone',
      [['Alert-Info', '<http://x.invalid/ring>, <urn:alert:service:crisis>']],
      { 'Alert-Info': '<urn:alert:service:crisis>' },
    ],
    ['no ring tone that cannot be read', [['Alert-Info', '<urn:alert:x']], {}],
  ])('%s', (_name, fields, expected) => {
    expect(crossed(request('INVITE', ...fields))).toEqual(expected);
  });

  test.each<[string, string | undefined]>([
    ['399 10.1.1.1 "no route"', '399 Tonebridge "no route"'],
    ['305 x "a", 399 y "b"', '305 Tonebridge "a", 399 Tonebridge "b"'],
    [`399 x "${CALLER_HOST} said no"`, undefined],
    ['no warning', undefined],
    ['399 x "open', undefined],
  ])('Warning %s as %s', (value, expected) => {
    expect(crossed(response(488, 'No', ['Warning', value]))['Warning']).toBe(expected);
  });

  test.each([
    ['Busy Here', { reason: 'Busy Here' }],
    [`Busy at ${CALLER_HOST}`, {}],
  ])('the phrase "%s" as %j', (phrase, expected) => {
    expect(crossing(response(486, phrase), path()).phrase).toEqual(expected);
  });

  test('Subject and User-to-User not for a caller that hides from the side', () => {
    const message = request('INVITE', ['Subject', 'x'], ['User-to-User', 'y'], ['Privacy', 'user']);
    expect(crossed(message)).toEqual({});
    expect(Object.keys(crossed(message, path('untrusted', 'trusted'))).toSorted()).toEqual([
      'Privacy',
      'Subject',
      'User-to-User',
    ]);
  });
});

test('whatever is written, no name of the leg comes through and nothing throws', () => {
  const piece = fc.oneof(
    fc.constantFrom(CALLER_HOST, CALLER_DOMAIN, '10%2e1.1.1', 'callertag', 'sip:', 'tel:+1', '1@'),
    fc.constantFrom('<', '>', '"', ';', ',', '=', '?', '&', '@', ' ', '\\', '%', 'index=1', '399'),
    fc.string({ maxLength: 4 }),
  );
  const value = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
  const names = HEADER_TABLE.map(({ header }) => header).filter((name) => name !== 'CSeq');
  const field = fc.tuple(fc.constantFrom(...names, 'X-Note'), value);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), fc.boolean(), (fields, isTrusted) => {
      const trust = isTrusted ? 'trusted' : 'untrusted';
      const message = request('INVITE');
      const headers = fields.map(([name, text]) => ({ name, value: text }));
      message.headers = [...message.headers, ...headers];
      const way = path(trust, trust, [rule('pass', 'X-Note')]);
      const text = JSON.stringify(crossed(message, way));
      const unescaped = text.replaceAll(/%([0-9a-f]{2})/gi, (_escape, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      );
      const name = /(?<![\w.])(?:10\.1\.1\.1|pbx\.caller\.example|callertag)(?!\w)/i;
      expect(text).not.toMatch(name);
      expect(unescaped).not.toMatch(name);
    }),
    { numRuns: 2000 },
  );
});

test('a message full of addresses is judged in bounded time', () => {
  const routes = Array.from({ length: 900 }, (_, index) => `<sip:h${index}.example;lr>`).join(',');
  const message = request('INVITE', ['Record-Route', routes], ['Subject', 'h.'.repeat(4000)]);
  expect(crossed(message)['Subject']).toHaveLength(8000);
});

describe('rules of the leg', () => {
  test.each<[string, ReturnType<typeof rule>[], Record<string, string>]>([
    [
      'let an unlisted header cross',
      [rule('pass', 'x-account')],
      { 'X-Account': 'gold', Subject: 'x' },
    ],
    ['not with a host of the leg', [rule('pass', 'X-Trunk')], { Subject: 'x' }],
    ['nor what is always ours', [rule('pass', 'User-Agent')], { Subject: 'x' }],
    ['take away what would pass', [rule('remove', 'Subject')], {}],
    [
      'make a value fit to cross',
      [rule('pass', 'X-Trunk'), rule('replace', 'X-Trunk', { pattern: '@.*$' })],
      { 'X-Trunk': 'trunk7', Subject: 'x' },
    ],
    ['add', [rule('add', 'X-Realm', { value: 'east' })], { 'X-Realm': 'east', Subject: 'x' }],
    [
      'assert no identity for a stranger',
      [rule('add', 'P-Asserted-Identity', { value: '<sip:9@x.invalid>' })],
      { Subject: 'x' },
    ],
  ])('%s', (_name, rules, expected) => {
    const message = request(
      'INVITE',
      ['Subject', 'x'],
      ['X-Account', 'gold'],
      ['X-Trunk', `trunk7@${CALLER_HOST}`],
      ['User-Agent', 'Phone/1'],
    );
    expect(crossed(message, path('untrusted', 'untrusted', rules))).toEqual(expected);
  });

  test.each<[name: string, values: string[], expected: string]>([
    // Only a list may stand on several lines (RFC 3261 §7.3.1), so one line says the same.
    ['X-Account', ['A', 'B'], 'A, B'],
    ['Account', ['A', `b@${CALLER_HOST}`, '', 'C'], 'A, C'],
    ['Call-Info', ['<http://a.invalid/1>;purpose=icon', '<urn:x>'], ''],
    ['Organization', ['One', 'Two'], 'One'],
    ['X-Many', Array.from({ length: 20 }, () => 'v'), Array(16).fill('v').join(', ')],
  ])('let %s cross with all its lines %j', (name, values, expected) => {
    const message = request('INVITE', ...values.map((value): Field => [name, value]));
    const result = crossed(message, path('untrusted', 'untrusted', [rule('pass', name)]));
    expect(result[name]).toBe(expected === '' ? values.join(', ') : expected);
  });

  test('in direction out work on everything that leaves', () => {
    const rules = [
      rule('remove', 'User-Agent', { direction: 'out' }),
      rule('add', 'X-Via', { direction: 'out', value: 'us', methods: ['INVITE'] }),
    ];
    const leg = legOf('10.2.2.2', '10.2.2.254', { rules });
    const headers = { 'User-Agent': 'Tonebridge', Subject: 'x' };
    expect(leaving(headers, leg, { method: 'INVITE' })).toEqual({ Subject: 'x', 'X-Via': 'us' });
    expect(leaving(headers, leg, { method: 'BYE', status: 200 })).toEqual({ Subject: 'x' });
  });

  test('of the agent take the place of those of the interface', () => {
    const rules = [rule('remove', 'Subject', { direction: 'out' })];
    const leg = legOf('10.2.2.2', '10.2.2.254', { rules });
    const own = { ...leg, agent: { headerRules: [] } };
    expect(leaving({ Subject: 'x' }, own, { method: 'INVITE' })).toEqual({ Subject: 'x' });
  });
});

test('a path leads from one side to the other', () => {
  const caller = legOf('10.1.1.1', '10.1.1.254');
  const callee = legOf('10.2.2.2', '10.2.2.254');
  expect(pathFrom('callee', { caller, callee })).toEqual({ from: callee, to: caller });
});

test.each<[SipMessage, boolean, MessageKind, string]>([
  [request('INVITE'), true, 'invite', 'INVITE'],
  [request('INVITE'), false, 'offer', 'INVITE'],
  [request('PRACK'), false, 'offer', 'PRACK'],
  [request('MESSAGE'), false, 'inform', 'MESSAGE'],
  [request('CANCEL'), false, 'end', 'CANCEL'],
  [response(180, 'Ringing'), false, 'progress', 'INVITE'],
  [response(202, 'OK'), false, 'answer', 'INVITE'],
  [response(302, 'Moved'), false, 'refusal', 'INVITE'],
  [{ ...response(200, 'OK'), headers: [] }, false, 'answer', ''],
])('message %#', (message, isInitial, kind, method) => {
  expect(kindOf(message, isInitial)).toBe(kind);
  expect(methodOf(message)).toBe(method);
});
