import { expect, test } from 'vitest';
import { AttemptRows } from '../../../src/call/setup/attempt-rows.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import { responseOf } from '../../support/message-of.ts';

function place(remote: string) {
  return { agent: undefined, remote };
}

test('each place that is left is named, with why and what came next', () => {
  const ladder = new LadderRecorder();
  const attempts = new AttemptRows({ ladder, nowMs: () => 1 }, 'a');
  attempts.begins(place('gw1'));
  attempts.failed({ status: 503, response: responseOf('SIP/2.0 503 X') });
  attempts.begins(place('gw2'));
  attempts.failed({ status: 408, response: undefined });
  attempts.begins(place('gw3'));
  attempts.failed({ status: 302, response: responseOf('SIP/2.0 302 X') });
  attempts.begins(place('gw4'));
  attempts.failed({ status: 486, response: responseOf('SIP/2.0 486 X') });
  expect(ladder.ladder('a')?.rows.map(({ summary }) => summary)).toEqual([
    'gw1 refused with 503, next gw2',
    'no usable answer from gw2, counted as 408, next gw3',
    'gw3 redirected with 302, next gw4',
  ]);
});
