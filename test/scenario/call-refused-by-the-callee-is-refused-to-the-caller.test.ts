/**
 *   caller            SBC            callee
 *     | INVITE         | INVITE         |
 *     |--------------->|--------------->|
 *     |            486 |            486 |
 *     |<---------------|<---------------|
 *     | ACK            | ACK            |
 *     |--------------->|--------------->|
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('with the callee’s status and reason; what concerns the SBC itself becomes another status', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const table = [
    [486, 'Busy Right Now', 486, 'Busy Right Now'],
    [404, 'Who?', 404, 'Who?'],
    [603, 'Decline', 603, 'Decline'],
    [600, 'Busy Everywhere', 600, 'Busy Everywhere'],
    [302, 'Moved', 480, 'Temporarily Unavailable'],
    [407, 'Proxy Authentication Required', 403, 'Forbidden'],
  ] as const;

  const seen: unknown[] = [];
  for (const [status, reason] of table) {
    const outgoing = alice.sip.invite({
      to: '1',
      via: running.access,
      body: plainOffer(alice.sip),
    });
    const incoming = await bob.sip.nextCall();
    incoming.ring();
    incoming.reject(status, {
      reason,
      headers: [
        ['Retry-After', '30'],
        ['Warning', '399 127.0.0.3 "no"'],
        ['Contact', '<sip:other@127.0.0.3>'],
      ],
    });
    const final = await outgoing.finished();
    seen.push([status, reason, statusOf(final), final.startLine.slice('SIP/2.0 486 '.length)]);
    expect(headerValue(final, 'Retry-After')).toBe('30');
  }

  expect(seen).toEqual(table);
  const records = await callRecords(running, table.length);
  expect(records).toHaveLength(table.length);
  expect(records[0]).toMatchObject({
    release: {
      side: 'callee',
      sipCode: 486,
      internalCode: 'callee-refused',
      text: 'Busy Right Now',
    },
    attempts: [{ agent: 'carrier', code: 486, reason: 'Busy Right Now' }],
  });
});
