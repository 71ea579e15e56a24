/** What the console makes of values, apart from any page. */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { LEG_PARAMETER_NAMES } from '../../../../src/config/leg-parameter-names.ts';

interface Message {
  readonly startLine: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}
interface Row {
  readonly summary: string;
  readonly text?: string;
}
interface Label {
  readonly name: string;
  readonly target: string;
  readonly body: string;
}
interface End {
  readonly leg: string;
  readonly sinceMs: number;
  readonly name: string;
}
interface Placed {
  readonly leg?: string;
  readonly atMs: number;
}
interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** The scripts have no types of their own. */
interface Scripts {
  readonly messageParts: (text: string) => Message;
  readonly arrowLabel: (row: Row) => Label;
  readonly visibleText: (text: string) => string;
  readonly durationWords: (durationMs: number) => string;
  readonly interworkingWords: (plan: object) => string;
  readonly isUp: (call: object) => boolean;
  readonly outputSteps: (output: object) => string;
  readonly parameterName: (key: string) => string;
  readonly stateOf: (call: object) => { readonly words: string; readonly tone: string };
  readonly endAt: (row: Placed, ends: readonly End[]) => End | undefined;
  readonly withEnds: (rows: readonly Placed[], ends: readonly End[]) => { readonly type: string }[];
  readonly EventReader: new () => { feed(chunk: string): ServerEvent[] };
}

let scripts: Scripts;

beforeAll(async () => {
  const names = ['sip-words', 'words', 'call-words', 'digit-words', 'ladder-ends', 'event-reader'];
  const modules = await Promise.all(
    names.map((name) => import(`../../../../src/api/console/${name}.js`)),
  );
  scripts = Object.assign({}, ...modules);
});

const INVITE = [
  'INVITE sip:1@host SIP/2.0',
  'Via: SIP/2.0/UDP host;branch=z9hG4bK1,',
  '  SIP/2.0/UDP other',
  'CSeq: 1 INVITE',
  'Content-Type: application/sdp',
  '',
  'v=0',
  '',
].join('\r\n');

describe('a SIP message', () => {
  test('is taken apart, folded headers are joined', () => {
    expect(scripts.messageParts(INVITE)).toEqual({
      startLine: 'INVITE sip:1@host SIP/2.0',
      headers: [
        ['Via', 'SIP/2.0/UDP host;branch=z9hG4bK1, SIP/2.0/UDP other'],
        ['CSeq', '1 INVITE'],
        ['Content-Type', 'application/sdp'],
      ],
      body: 'v=0\n',
    });
  });

  test.each<[string, Row, Label]>([
    [
      'a request with its target and body',
      { summary: 'INVITE sip:1@host SIP/2.0', text: INVITE },
      { name: 'INVITE', target: 'sip:1@host', body: 'SDP' },
    ],
    [
      'a response with the method it answers',
      { summary: 'SIP/2.0 200 OK', text: 'SIP/2.0 200 OK\r\nCSeq: 7 NOTIFY\r\n\r\n' },
      { name: '200 OK', target: '(NOTIFY)', body: '' },
    ],
    [
      'a response without a reason phrase',
      { summary: 'SIP/2.0 486 ', text: 'SIP/2.0 486 \r\n\r\n' },
      { name: '486 ', target: '', body: '' },
    ],
    [
      'a message whose text is gone',
      { summary: 'BYE sip:1@host SIP/2.0' },
      { name: 'BYE', target: 'sip:1@host', body: '' },
    ],
    [
      'a body of a type nobody knows',
      {
        summary: 'INFO sip:1@host SIP/2.0',
        text: 'INFO sip:1@host SIP/2.0\r\nc: text/odd\r\n\r\nx',
      },
      { name: 'INFO', target: 'sip:1@host', body: 'body' },
    ],
    ['something else', { summary: 'garbage' }, { name: 'garbage', target: '', body: '' }],
  ])('makes an arrow: %s', (_name, row, label) => {
    expect(scripts.arrowLabel(row)).toEqual(label);
  });

  test('whatever it is, it is read', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { startLine } = scripts.messageParts(text);
        expect(text.startsWith(startLine.slice(0, 1))).toBe(true);
        expect(scripts.arrowLabel({ summary: text, text }).name).toBeTypeOf('string');
      }),
    );
  });
});

test('text keeps its lines, and shows what would turn or hide it', () => {
  expect(scripts.visibleText('a\tb\nü ☎')).toBe('a\tb\nü ☎');
  expect(scripts.visibleText('\u202Egnp\u200B\0')).toBe('\\u{202e}gnp\\u{200b}\\u{0}');
});

test.each([
  [-5, '0:00'],
  [59_999, '0:59'],
  [61_000, '1:01'],
  [3_600_000, '1:00:00'],
  [90_061_000, '25:01:01'],
])('a duration of %i ms is %s', (durationMs, words) => {
  expect(scripts.durationWords(durationMs)).toBe(words);
});

test('parameters are spelt as in the configuration file', () => {
  const names = Object.keys(LEG_PARAMETER_NAMES);
  const spelt = Object.fromEntries(names.map((name) => [name, scripts.parameterName(name)]));
  expect(spelt).toEqual(LEG_PARAMETER_NAMES);
});

test.each<[string, object, string, string]>([
  ['being set up', { state: 'setup' }, 'setting up', 'busy'],
  ['up', { state: 'answered' }, 'answered', 'good'],
  ['over', { state: 'answered', endedAt: 'then', end: { sipCode: 200 } }, 'ended', 'none'],
  ['refused', { state: 'ended', endedAt: 'then', end: { sipCode: 486 } }, 'failed 486', 'bad'],
  [
    'given up by the caller',
    { state: 'ended', endedAt: 'then', end: { sipCode: 487, code: 'caller-cancelled' } },
    'cancelled',
    'none',
  ],
  ['unheard of', { state: 'odd' }, 'odd', 'none'],
])('a call that is %s', (_name, call, words, tone) => {
  expect(scripts.stateOf(call)).toEqual({ words, tone });
});

test.each([
  ['kpml-to-2833', '2833-to-kpml', 'KPML ⇄ RTP'],
  ['rtp-relay', 'rtp-relay', 'RTP ⇄ RTP'],
  ['kpml-to-2833', 'rtp-relay', 'KPML → RTP, RTP ← RTP'],
  ['kpml-to-2833', 'none', 'KPML → RTP, ← none'],
  ['none', 'info-to-kpml', '→ none, KPML ← INFO'],
  ['none', 'none', '→ none, ← none'],
])('%s there and %s back read %s', (there, back, words) => {
  const plan = { callerToCallee: { translator: there }, calleeToCaller: { translator: back } };
  expect(scripts.interworkingWords(plan)).toBe(words);
});

test.each([
  [true, false, 'RTP → RTP + KPML, RTP ← RTP'],
  [false, true, 'RTP → RTP, RTP + KPML ← RTP'],
  [true, true, 'RTP → RTP + KPML, RTP + KPML ← RTP'],
])('KPML beside RTP there (%s) and back (%s) reads %s', (there, back, words) => {
  const translator = 'rtp-relay';
  const plan = {
    callerToCallee: { translator, alsoNotify: there },
    calleeToCaller: { translator, alsoNotify: back },
  };
  expect(scripts.interworkingWords(plan)).toBe(words);
});

test.each([
  [{ state: 'answered' }, true],
  [{ state: 'ended' }, false],
  [{ state: 'answered', endedAt: 'then' }, false],
])('%o can be ended: %s', (call, isUp) => {
  expect(scripts.isUp(call)).toBe(isUp);
});

test.each([
  [{ type: 'relay' }, 'relayed unchanged'],
  [{ type: 'rtp', latencyMs: 2 }, 'RTP event, sent after 2.0 ms'],
  [{ type: 'notify', status: 200, latencyMs: 1.2 }, 'KPML NOTIFY, sent after 1.2 ms, answered 200'],
  [
    { type: 'notify', status: 200, latencyMs: 1.2, answerMs: 1003.4 },
    'KPML NOTIFY, sent after 1.2 ms, answered 200 after 1003 ms',
  ],
  [{ type: 'info', status: 408, latencyMs: 1.2 }, 'SIP INFO, sent after 1.2 ms, no answer'],
])('the output %o reads %s', (output, words) => {
  expect(scripts.outputSteps(output)).toBe(words);
});

describe('the ends of a ladder', () => {
  const ends: End[] = [
    { leg: 'caller', sinceMs: 0, name: 'phone' },
    { leg: 'callee', sinceMs: 10, name: 'first' },
    { leg: 'callee', sinceMs: 20, name: 'second' },
  ];

  test('a row belongs to who stood there then', () => {
    const nameAt = (atMs: number, leg: string): string | undefined =>
      scripts.endAt({ atMs, leg }, ends)?.name;
    expect(nameAt(25, 'caller')).toBe('phone');
    expect(nameAt(5, 'callee')).toBe('first');
    expect(nameAt(19, 'callee')).toBe('first');
    expect(nameAt(20, 'callee')).toBe('second');
    expect(scripts.endAt({ atMs: 1, leg: 'callee' }, [])).toBeUndefined();
  });

  test('somebody new is noted before the first row', () => {
    const rows = [5, 15, 20, 30].map((atMs) => ({ atMs }));
    const types = scripts.withEnds(rows, ends).map(({ type }) => type);
    expect(types).toEqual(['row', 'row', 'end', 'row', 'row']);
    expect(scripts.withEnds(rows, []).map(({ type }) => type)).toEqual(rows.map(() => 'row'));
  });
});

test('events are read however the network cuts them', () => {
  const events = [
    { name: 'calls', data: { changed: [], text: 'a\nb' } },
    { name: 'point', data: 1 },
  ];
  const lines = events.map(({ name, data }) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const text = `retry: 2000\n\n${lines.join(': alive\n\n')}`;
  fc.assert(
    fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
      const reader = new scripts.EventReader();
      const bounds = [0, ...cuts.toSorted((one, other) => one - other), text.length];
      const chunks = bounds.slice(1).map((end, index) => text.slice(bounds[index], end));
      expect(chunks.flatMap((chunk) => reader.feed(chunk))).toEqual(events);
    }),
  );
});
