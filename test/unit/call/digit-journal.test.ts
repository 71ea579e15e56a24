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
