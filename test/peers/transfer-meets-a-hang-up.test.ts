/**
 *   alice             SBC              bob              carol
 *     | REFER to carol  | re-INVITE      |                |
 *     |---------------->|--------------->|                |
 *     |                 |<-- 200, BYE ---|                |
 *     |                 |------------- BYE -------------->|
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, audioAt, callRecords, plainOffer } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { buildSdp } from '../support/sdp-text.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { statusOf } from '../support/sip-text.ts';
import { openTransferStage, refer, shareTransferSbc } from '../support/transfer-stage.ts';
import { waitFor } from '../support/wait-for.ts';

shareTransferSbc({ core: { replaces: 'enabled' }, access: { replaces: 'enabled' } });
checkLeaksAfterEach();

/** When the party hangs up that is offered its new call; `never answered`: the offer gets no answer at all. */
const ORDERS = ['before its 200', 'with its 200', 'behind the ACK', 'instead of a 200'] as const;

type Order = (typeof ORDERS)[number];

/** Lets `call` hang up around its next answer to an offer; resolves when the BYE is answered. */
function hangUpAround(call: TrunkCall, order: Order): Promise<unknown> {
  const { dialog, rtp } = call;
  const body = buildSdp({
    address: rtp.address,
    rtpPort: rtp.rtpPort,
    eventPayloadType: 101,
    version: 9,
  });
  const done = Promise.withResolvers<unknown>();
  const leave = (): void => done.resolve(dialog.bye());
  dialog.handle('INVITE', async (request) => {
    const accept = { status: 200, body };
    if (order === 'before its 200') {
      leave();
      await done.promise;
    } else if (order === 'with its 200') {
      dialog.respond(request, accept);
      leave();
    } else if (order === 'behind the ACK') {
      dialog.waitForAck(dialog.acks.length + 1).then(leave, done.reject);
    } else {
      leave();
      await done.promise;
      await new Promise(() => undefined);
    }
    return accept;
  });
  return done.promise;
}

/** Refer-To or Replaces that names `dialog`, as its owner knows it. */
function nameOf({ callId, localTag, remoteTag = '' }: SipDialog): string {
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
}

function isLeft({ dialog }: TrunkCall): boolean {
  return !dialog.isEnded;
}

async function audioOrEnd({ dialog, rtp }: TrunkCall): Promise<void> {
  const heard = rtp.received.length;
  await waitFor('audio or the end', () => dialog.isEnded || rtp.received.length > heard + 5);
}

test.each(ORDERS)('a party that hangs up %s leaves no target behind', async (order) => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  const left = hangUpAround(bob, order);

  await refer(alice.dialog, '<sip:7701@sbc.example>');
  const carol = await stage.carol.answer();
  await left;
  await Promise.all([carol.waitForEnd(), alice.waitForEnd()]);
  const records = await callRecords(stage.running, 2);

  expect(records).toHaveLength(2);
});

test.each(ORDERS.flatMap((order) => [['bob', order] as const, ['carol', order] as const]))(
  'in an attended transfer %s hangs up %s, and nobody is left alone',
  async (who, order) => {
    const stage = await openTransferStage();
    const { alice, bob } = await aliceCallsBob(stage);
    const [second, carol] = await Promise.all([
      stage.alice.call({ to: '7701', via: stage.running.access }),
      stage.carol.answer(),
    ]);
    await Promise.all([audioAt(second), audioAt(carol)]);
    const left = hangUpAround(who === 'bob' ? bob : carol, order);

    const target = `<sip:7701@sbc.example?Replaces=${encodeURIComponent(nameOf(second.dialog))}>`;
    await refer(alice.dialog, target);
    await left;
    const ends = [alice, bob, second, carol];
    await waitFor('calls of two ends each', () => {
      const { size } = stage.running.sbc.calls;
      return size < 2 && ends.filter(isLeft).length === 2 * size;
    });
    const staying = ends.filter(isLeft);
    // Two may stay for a moment only, until the end of the third has gone round.
    await Promise.all(staying.map((end) => audioOrEnd(end)));
    await staying.find(isLeft)?.hangUp();
    await Promise.all(ends.map((end) => end.waitForEnd()));
    const records = await callRecords(stage.running, 3);

    expect(records).toHaveLength(3);
  },
);

test.each(ORDERS)(
  'a party that hangs up %s is not joined with who would replace the other',
  async (order) => {
    const stage = await openTransferStage();
    const { alice, bob } = await aliceCallsBob(stage);
    const left = hangUpAround(alice, order);

    const outgoing = stage.carol.sip.invite({
      to: '5551000',
      via: stage.running.core,
      headers: [['Replaces', nameOf(bob.dialog)]],
      body: plainOffer(stage.carol.sip),
    });
    const final = await outgoing.finished();
    await left;
    await bob.waitForEnd();
    const isAccepted = (statusOf(final) ?? 0) < 300;
    if (isAccepted) await (await outgoing.answered()).waitForEnd();
    const records = await callRecords(stage.running, 2);

    expect(records).toHaveLength(2);
  },
);
