import { expect, test } from 'vitest';
import { judge } from '../../../src/simulation/expectations.ts';
import type { SeenMessage } from '../../../src/simulation/report.ts';
import type { Expectation, MessageExpectation } from '../../../src/simulation/scenario.ts';

const NOTHING: Expectation = {
  status: undefined,
  agents: undefined,
  endedBy: undefined,
  keysAt: {},
  translators: {},
  rows: {},
  messages: [],
};

const INVITE = [
  'INVITE sip:1@192.0.2.1 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1',
  'From: <sip:2@192.0.2.9>;tag=a',
  'To: <sip:1@192.0.2.1>',
  'Call-ID: c',
  'CSeq: 1 INVITE',
  'Subject: billing',
  'Content-Length: 5',
  '',
  'v=0\r\n',
].join('\r\n');

const message: SeenMessage = {
  atMs: 0,
  place: '',
  startLine: '',
  what: 'INVITE',
  text: INVITE,
  cause: undefined,
  headers: [],
  sdp: [],
};

const FACTS = {
  answer: { status: 486, reason: 'Busy Here' },
  plan: undefined,
  record: undefined,
  received: { caller: [], callee: [message] },
  keys: [
    { by: 'caller', digit: '1', how: 'rtp', atMs: 0, arrivedAtMs: 20, outputs: [] },
    { by: 'caller', digit: '2', how: 'rtp', atMs: 1, arrivedAtMs: 10, outputs: [] },
    { by: 'caller', digit: '3', how: 'rtp', atMs: 2, outputs: [], lost: 'no-match' },
  ],
} as const;

test.each<[what: string, wanted: Partial<Expectation>, failure: string | undefined]>([
  ['the status that came', { status: 486 }, undefined],
  ['another status', { status: 200 }, 'status: expected "200", got "486"'],
  ['nobody tried', { agents: [] }, undefined],
  ['an agent', { agents: ['a', 'b'] }, 'agents tried: expected "a, b", got ""'],
  ['keys in the order of arrival', { keysAt: { callee: '21' } }, undefined],
  [
    'keys in another order',
    { keysAt: { callee: '12' } },
    'keys at the callee: expected "12", got "21"',
  ],
  ['no keys at the other end', { keysAt: { caller: '' } }, undefined],
  [
    'a row without a plan',
    { rows: { caller: 'K1' } },
    'row caller to callee: expected "K1", got "no plan"',
  ],
])('%s', (_what, wanted, failure) => {
  const verdict = judge({ ...NOTHING, ...wanted }, FACTS);
  expect(verdict).toEqual({ failures: failure === undefined ? [] : [failure], expected: 1 });
});

const WANTED: MessageExpectation = {
  at: 'callee',
  message: 'INVITE',
  part: '',
  text: undefined,
  isPresent: true,
};

test.each<[what: string, wanted: Partial<MessageExpectation>, failure: string | undefined]>([
  ['a message that came', {}, undefined],
  ['a message that did not', { at: 'caller' }, 'INVITE at the caller: there is no such message'],
  ['no message, and there is none', { message: 'BYE', isPresent: false }, undefined],
  ['a header', { part: 'subject', text: 'billing' }, undefined],
  [
    'no header, and there is one',
    { part: 'Subject', isPresent: false },
    'INVITE at the callee, Subject: it should not be there, got "billing"',
  ],
  [
    'text in a header',
    { part: 'Subject', text: 'sales' },
    'INVITE at the callee, Subject: "sales" should be there, got "billing"',
  ],
  ['text in the SDP', { part: 'sdp', text: 'v=0' }, undefined],
  [
    'a header of a message that did not come',
    { message: '200 INVITE', part: 'Subject', isPresent: false },
    '200 INVITE at the callee, Subject: there is no such message',
  ],
])('%s', (_what, wanted, failure) => {
  const { failures } = judge({ ...NOTHING, messages: [{ ...WANTED, ...wanted }] }, FACTS);
  expect(failures).toEqual(failure === undefined ? [] : [failure]);
});

test('who expects nothing is not disappointed', () => {
  expect(judge(NOTHING, FACTS)).toEqual({ failures: [], expected: 0 });
});
