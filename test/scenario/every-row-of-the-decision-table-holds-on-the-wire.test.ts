/**
 * Every row of the decision table over sockets, all calls at once through one SBC: what each end sees of
 * telephone-event and of kpml, who subscribes to whom, what its own SUBSCRIBE gets, which way its key goes, and what
 * the API says of it while the call is up.
 *
 *   caller (access)                 SBC                        callee (core)
 *     | INVITE te? kpml?             | INVITE te? kpml?             |
 *     |----------------------------->|----------------------------->|
 *     |             180 kpml?        |             180 kpml?        |
 *     |<-----------------------------|<-----------------------------|
 *     |             200 te? kpml?    |             200 te? kpml?    |
 *     |<-----------------------------|<-----------------------------|
 *     | SUBSCRIBE: 200, relayed, 489 |  SUBSCRIBE: 200, relayed, 489
 *     |----------------------------->|<-----------------------------|
 *     | key 1                        |                        key 2 |
 *     |----------------------------->|<-----------------------------|
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { announced, DECISION_ROWS, endOf, kpmlIn } from '../support/decision-rows.ts';
import type { DecisionRow, RowOutcome } from '../support/decision-rows.ts';
import { settle } from '../support/digit-call.ts';
import { DigitLines, subscribeOutcome } from '../support/digit-lines.ts';
import type { Connected, LineCall, LineOptions } from '../support/digit-lines.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

let lines: DigitLines | undefined;
/** What came of each row; the calls are all up at the same time. */
let seen: PromiseSettledResult<RowOutcome>[] = [];

checkLeaksAfterEach();

beforeAll(async () => {
  const opened = await DigitLines.open(DECISION_ROWS.map((row) => lineOf(row)));
  lines = opened;
  seen = await Promise.allSettled(DECISION_ROWS.map((row, index) => play(opened, row, index)));
});

afterAll(async () => {
  await lines?.close();
});

function lineOf({ caller, callee, isDelayed = false, headers = [] }: DecisionRow): LineOptions {
  return { caller: endOf(caller), callee: endOf(callee), isDelayed, headers };
}

async function play(through: DigitLines, row: DecisionRow, index: number): Promise<RowOutcome> {
  const call = await through.connect(index);
  const { caller, callee, callId } = call;
  const ends = { caller, callee };
  const subscribed = await ownSubscriptions(call, row);
  const asked = [await subscribeOutcome(caller, callee), await subscribeOutcome(callee, caller)];
  const { plan } = await through.explanation(callId);
  await Promise.all([caller.pressAnyWay('1'), callee.pressAnyWay('2')]);
  const heard = (): string =>
    Object.entries(ends)
      .map(([name, end]) => heardBy(name, end))
      .filter((text) => text !== '')
      .join(', ');
  const keys = (): string => through.ledger(callId).map(withoutDirection).toSorted().join(', ');
  // A row that does not hold is shown as it is after a while.
  await waitFor('keys', () => heard() === row.heard && keys() === row.keys).catch(() => {});
  await through.finish(call);
  const ways = [plan?.callerToCallee, plan?.calleeToCaller];
  return {
    row: row.row,
    toCallee: announced(callee.remoteMessage),
    toCaller: `${kpmlIn(call.ringing)}, ${announced(caller.remoteMessage)}`,
    subscribed,
    asked: asked.join(', '),
    plan: ways.map((way) => `${way?.translator} ${way?.row}`).join(', '),
    keys: keys(),
    heard: heard(),
  };
}

/** The ends that the SBC has subscribed to, when all that may come of the answer has come. */
async function ownSubscriptions({ caller, callee }: Connected, row: DecisionRow): Promise<string> {
  const ends = { caller, callee };
  const list = (): string =>
    Object.entries(ends)
      .filter(([, end]) => end.keypad.isSubscribed)
      .map(([name]) => name)
      .join(', ');
  await waitFor('subscriptions', () => list() === row.subscribed).catch(() => {});
  await settle(caller.dialog, callee.dialog);
  return list();
}

function heardBy(name: string, end: LineCall): string {
  const ways = [
    ...(end.digits === '' ? [] : [`rtp ${end.digits}`]),
    ...(end.listener.digits === '' ? [] : [`notify ${end.listener.digits}`]),
  ];
  return ways.length === 0 ? '' : `${name} ${ways.join(' ')}`;
}

function withoutDirection(line: string): string {
  return line.replace(/^\S+ /, '');
}

test.each(DECISION_ROWS.map((row, index) => ({ row, index, name: row.row })))(
  'row $name',
  ({ row, index }) => {
    const { row: name, toCallee, toCaller, subscribed, asked, plan, keys, heard } = row;
    const expected: RowOutcome = {
      row: name,
      toCallee,
      toCaller,
      subscribed,
      asked,
      plan,
      keys,
      heard,
    };
    const result = seen[index];
    if (result?.status === 'rejected') throw result.reason;
    expect(result?.value).toEqual(expected);
  },
);
