/** The ladders of both calls of a transfer name each other, and the new one has the offer to the party that stays. */
import { expect, test } from 'vitest';
import { ladderSchema } from '../../src/api/schemas.ts';
import type { Ladder } from '../../src/observe/ladder.ts';
import { aliceCallsBob, callRecords } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { openTransferStage, refer, shareTransferSbc } from '../support/transfer-stage.ts';

shareTransferSbc();
checkLeaksAfterEach();

function linksOf({ rows }: Ladder): unknown[] {
  return rows.flatMap(({ summary, otherCallId }) =>
    otherCallId === undefined ? [] : [[summary, otherCallId]],
  );
}

test('bob is transferred to carol', async () => {
  const stage = await openTransferStage();
  const ends = await aliceCallsBob(stage);
  const referral = await refer(ends.alice.dialog, '<sip:7701@pbx.example>');
  const carol = await stage.carol.answer();
  await referral.outcome();
  await ends.alice.waitForEnd();
  await carol.hangUp();
  await ends.bob.waitForEnd();

  const [from = '', to = ''] = (await callRecords(stage.running, 2)).map(({ callId }) => callId);
  const ladderOf = async (callId: string): Promise<Ladder> => {
    const address = `http://127.0.0.1:${stage.running.api.port}/api/v1/calls/${callId}/ladder`;
    const answer = await fetch(address, { headers: { connection: 'close' } });
    return ladderSchema.parse(await answer.json());
  };
  const [before, after] = [await ladderOf(from), await ladderOf(to)];
  expect(linksOf(before)).toEqual([[`blind transfer: goes on in call ${to}`, to]]);
  expect(linksOf(after)).toEqual([[`blind transfer: comes from call ${from}`, from]]);
  const callerRows = after.rows
    .filter(({ kind, leg }) => kind === 'sip' && leg === 'caller')
    .map(({ direction, summary }) => `${direction} ${summary.replace(/ sip:.*/, '')}`);
  expect(callerRows.slice(0, 3)).toEqual(['out INVITE', 'in SIP/2.0 200 OK', 'out ACK']);
});
