import { expect, test } from 'vitest';
import { DigitJournal } from '../../../src/call/digits/digit-journal.ts';
import { DigitLedger } from '../../../src/observe/digit-ledger.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import { Metrics } from '../../../src/observe/metrics.ts';

test('a digit that is lost leaves one row with the reason, and none once it is lost', () => {
  const ladder = new LadderRecorder();
  const ledger = new DigitLedger();
  const context = { ledger, ladder, metrics: new Metrics(), nowMs: () => 5 };
  const journal = new DigitJournal('a', context);
  const pressId = journal.enter('callee', '7', { type: 'info', cseq: 1 });
  journal.drop(pressId, 'no-subscription');
  journal.drop(pressId, 'call-ended');
  journal.drop('unknown', 'call-ended');
  expect(ladder.ladder('a')?.rows.map(({ leg, summary }) => [leg, summary])).toEqual([
    ['callee', 'digit from callee by SIP INFO'],
    ['callee', 'digit from callee dropped: no-subscription'],
  ]);
  expect(ledger.get(pressId)).toMatchObject({ dropped: 'no-subscription', digit: '*' });
});

test('what was refused unread counts as a lost digit of its call, in metric and ledger alike', () => {
  const metrics = new Metrics();
  const ledger = new DigitLedger({
    showDigits: true,
    onOutcome: (outcome) => metrics.digit(outcome),
  });
  const context = { ledger, ladder: new LadderRecorder(), metrics, nowMs: () => 5 };
  const journal = new DigitJournal('a', context);
  const refuse = (cseq: number): void =>
    journal.dropUnread('caller', 'rate-limited', { type: 'notify', cseq });
  refuse(7);
  refuse(8);
  expect(ledger.list()).toMatchObject([
    { digit: '?', source: { type: 'notify', cseq: 7 }, dropped: 'rate-limited' },
    { digit: '?', source: { type: 'notify', cseq: 8 }, dropped: 'rate-limited' },
  ]);
  expect([ledger.summary('a').dropped, metrics.totals.droppedDigits]).toEqual([2, 2]);
  for (let cseq = 9; cseq < 300; cseq += 1) refuse(cseq);
  expect([ledger.list().length, metrics.totals.droppedDigits]).toEqual([100, 293]);
});

test('a NOTIFY tells when it was sent and when it was answered, one without answer only the first', () => {
  let nowMs = 1_000;
  const ledger = new DigitLedger();
  const context = { ledger, ladder: new LadderRecorder(), metrics: new Metrics() };
  const journal = new DigitJournal('a', { ...context, nowMs: () => nowMs });
  const pressId = journal.enter('caller', '1', { type: 'info', cseq: 1 });
  nowMs = 2_003;
  journal.sent(pressId, { type: 'notify', cseq: 2, status: 408, atMs: 1_001 });
  journal.sent(pressId, { type: 'notify', cseq: 3, status: 200, atMs: 1_002 });
  expect(ledger.get(pressId)?.outputs).toEqual([
    { type: 'notify', cseq: 2, status: 408, latencyMs: 1 },
    { type: 'notify', cseq: 3, status: 200, latencyMs: 2, answerMs: 1_003 },
  ]);
});
