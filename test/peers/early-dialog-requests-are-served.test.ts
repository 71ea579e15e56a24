/**
 * Row B07 and B25: requests between the first 18x and the 200.
 *
 *   caller             SBC              callee
 *     | INVITE          | INVITE          |
 *     |---------------->|---------------->|
 *     |             180 |             180 |
 *     |<----------------|<----------------|
 *     | SUBSCRIBE kpml  |  SUBSCRIBE kpml |
 *     |---------------->|<----------------|   from either side: 200, NOTIFY pending
 *     | INFO            | INFO            |
 *     |---------------->|---------------->|
 *     |             200 |             200 |
 *     |<----------------|<----------------|
 *     | NOTIFY active   |   NOTIFY active |
 *     |<----------------|---------------->|
 */
import { describe, expect, test } from 'vitest';
import { aliceCallsBob, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { openStage } from '../support/digit-call.ts';
import type { Stage } from '../support/digit-call.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

interface Ringing {
  readonly outgoing: OutgoingCall;
  readonly incoming: IncomingCall;
}

/** Alice calls, bob rings. */
async function ring({ alice, bob, running }: CallStage): Promise<Ringing> {
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: plainOffer(alice.sip),
  });
  const incoming = await bob.sip.nextCall();
  incoming.ring();
  await outgoing.provisional(180);
  return { outgoing, incoming };
}

/** The trunk calls with telephone-event, the KPML phone rings. */
async function ringPhone({ trunk, phone, running }: Stage): Promise<Ringing> {
  const body = buildSdp({ address: trunk.sip.address, rtpPort: 40_000, eventPayloadType: 101 });
  const outgoing = trunk.sip.invite({ to: 'phone', via: running.core, body });
  const incoming = await phone.sip.nextCall();
  incoming.ring();
  await outgoing.provisional(180);
  return { outgoing, incoming };
}

/** Subscription-State of each NOTIFY, without the seconds. */
function statesOf(listener: KpmlListener): string[] {
  return listener.notifies.map((notify) =>
    (headerValue(notify, 'Subscription-State') ?? '').replace(/expires=\d+/, 'expires'),
  );
}

async function state(listener: KpmlListener, wanted: string): Promise<SipText> {
  const find = (): SipText | undefined =>
    listener.notifies.find((notify) =>
      headerValue(notify, 'Subscription-State')?.startsWith(wanted),
    );
  return waitFor(`NOTIFY ${wanted}`, find, { details: () => statesOf(listener).join(', ') });
}

describe('an early SUBSCRIBE for kpml', () => {
  test('of the callee is pending, becomes active with the answer, and brings the digits', async () => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const calling = stage.trunk.call({ to: 'phone', via: stage.running.core });
    const incoming = await stage.phone.sip.nextCall();
    incoming.ring();
    const listener = new KpmlListener(incoming.dialog);

    const answer = await listener.subscribe();
    await state(listener, 'pending');
    const early = listener.notifies.length;
    const [call, phone] = await Promise.all([calling, stage.phone.accept(incoming)]);
    await waitFor('active', () => phone.listener.state.startsWith('active'));
    await phone.waitForAudio();
    await call.press('12');
    await phone.listener.waitForDigits(2);
    await call.hangUp();
    await phone.waitForEnd();

    expect(statusOf(answer)).toBe(200);
    expect(early).toBe(1);
    expect(phone.listener.digits).toBe('12');
    expect(phone.dialog.problems).toEqual([]);
  });

  test('of the caller is served in its early dialog, too', async () => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const { phone, trunk, running } = stage;
    const outgoing = phone.sip.invite({
      to: '1',
      via: running.access,
      headers: [['Allow-Events', 'kpml']],
      body: plainOffer(phone.sip),
    });
    const incoming = await trunk.sip.nextCall();
    const body = buildSdp({ address: trunk.sip.address, rtpPort: 40_010, eventPayloadType: 101 });
    incoming.ring({ status: 183, body });
    await outgoing.provisional(183);
    const listener = new KpmlListener(outgoing.dialog);

    const answer = await listener.subscribe();
    await state(listener, 'pending');
    await incoming.answer({ body });
    await outgoing.answered();
    await state(listener, 'active');
    await outgoing.dialog.bye();
    await incoming.dialog.waitForEnd();

    expect(statusOf(answer)).toBe(200);
    expect(statesOf(listener).slice(0, 2)).toEqual(['pending;expires', 'active;expires']);
    expect(outgoing.dialog.problems).toEqual([]);
  });

  test('where nobody announced kpml gets 489, and the call goes on', async () => {
    const stage = await openCallStage();
    const { outgoing, incoming } = await ring(stage);

    const statuses = [outgoing.dialog, incoming.dialog].map(async (dialog) =>
      statusOf(await new KpmlListener(dialog).subscribe()),
    );
    expect(await Promise.all(statuses)).toEqual([489, 489]);

    await incoming.answer({ body: plainOffer(stage.bob.sip) });
    await outgoing.answered();
    await outgoing.dialog.bye();
    await incoming.dialog.waitForEnd();
  });

  test('is told that it is over when the caller cancels', async () => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const { phone, trunk, running } = stage;
    const outgoing = phone.sip.invite({
      to: '1',
      via: running.access,
      headers: [['Allow-Events', 'kpml']],
      body: plainOffer(phone.sip),
    });
    const incoming = await trunk.sip.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    const listener = new KpmlListener(outgoing.dialog);
    expect(statusOf(await listener.subscribe())).toBe(200);
    await state(listener, 'pending');

    await outgoing.cancel();
    expect(statusOf(await outgoing.finished())).toBe(487);
    await incoming.waitForCancel();
    await state(listener, 'terminated;reason=noresource');
    expect(outgoing.dialog.problems).toEqual([]);
  });

  test('is told that it is over when the callee refuses, and the refusal arrives', async () => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const { phone, trunk, running } = stage;
    const outgoing = phone.sip.invite({
      to: '1',
      via: running.access,
      headers: [['Allow-Events', 'kpml']],
      body: plainOffer(phone.sip),
    });
    const incoming = await trunk.sip.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    const listener = new KpmlListener(outgoing.dialog);
    expect(statusOf(await listener.subscribe())).toBe(200);

    incoming.reject(486, { reason: 'Busy Tonight' });
    expect((await outgoing.finished()).startLine).toBe('SIP/2.0 486 Busy Tonight');
    await state(listener, 'terminated;reason=noresource');
  });

  test('of a callee that refuses the call after all leaves nothing behind', async () => {
    const stage = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const { outgoing, incoming } = await ringPhone(stage);
    expect(statusOf(await new KpmlListener(incoming.dialog).subscribe())).toBe(200);

    incoming.reject(603);

    expect(statusOf(await outgoing.finished())).toBe(603);
    await waitFor('no dialog', () => stage.running.sbc.stack.dialogCount === 0);
  });
});

describe('in the early dialog', () => {
  test.each(['alice', 'bob'] as const)('INFO of %s crosses with its answer', async (sender) => {
    const stage = await openCallStage();
    const { outgoing, incoming } = await ring(stage);
    const [from, to] =
      sender === 'alice' ? [outgoing.dialog, incoming.dialog] : [incoming.dialog, outgoing.dialog];
    to.handle('INFO', () => ({ status: 200, body: 'heard', contentType: 'text/plain' }));

    const answer = await from.request('INFO', { body: 'early', contentType: 'text/plain' });
    const received = await to.waitForRequest('INFO');
    await incoming.answer({ body: plainOffer(stage.bob.sip) });
    await outgoing.answered();
    await outgoing.dialog.bye();
    await incoming.dialog.waitForEnd();

    expect([statusOf(answer), answer.body]).toEqual([200, 'heard']);
    expect(received.body).toBe('early');
    expect([...from.problems, ...to.problems]).toEqual([]);
  });

  test('OPTIONS and a bare UPDATE are answered, an offer waits for the answer to the first', async () => {
    const stage = await openCallStage();
    const { outgoing, incoming } = await ring(stage);
    const answers: (readonly [string, number | undefined, string | undefined])[] = [];
    for (const [name, dialog, peer] of [
      ['alice', outgoing.dialog, stage.alice],
      ['bob', incoming.dialog, stage.bob],
    ] as const) {
      for (const [method, body] of [
        ['OPTIONS', ''],
        ['UPDATE', ''],
        ['UPDATE', plainOffer(peer.sip)],
        ['INVITE', plainOffer(peer.sip)],
      ] as const) {
        const answer = await dialog.request(method, { body });
        const what = `${name} ${method}${body === '' ? '' : ' offer'}`;
        answers.push([what, statusOf(answer), headerValue(answer, 'Retry-After')]);
      }
    }
    await incoming.answer({ body: plainOffer(stage.bob.sip) });
    await outgoing.answered();
    await outgoing.dialog.bye();
    await incoming.dialog.waitForEnd();

    expect(answers.map(([what, status]) => `${what} ${status}`)).toEqual([
      'alice OPTIONS 200',
      'alice UPDATE 200',
      'alice UPDATE offer 500',
      'alice INVITE offer 500',
      'bob OPTIONS 200',
      'bob UPDATE 200',
      'bob UPDATE offer 491',
      'bob INVITE offer 491',
    ]);
    const retries = answers.filter(([, status]) => status === 500).map((answer) => answer[2]);
    expect(retries).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
  });

  test('INFO that nobody answers before the callee refuses does not hold the call', async () => {
    const stage = await openCallStage();
    const { outgoing, incoming } = await ring(stage);
    incoming.dialog.handle('INFO', () => ({ status: 481 }));

    expect(statusOf(await outgoing.dialog.request('INFO'))).toBe(481);
    incoming.reject(486);

    expect(statusOf(await outgoing.finished())).toBe(486);
  });

  test('INFO that is refused with 481 when the call is answered already does not end it', async () => {
    const stage = await openCallStage();
    const { outgoing, incoming } = await ring(stage);
    const { promise: answered, resolve: release } = Promise.withResolvers<void>();
    incoming.dialog.handle('INFO', async () => {
      await answered;
      return { status: 481 };
    });

    const early = outgoing.dialog.request('INFO');
    await incoming.dialog.waitForRequest('INFO');
    await incoming.answer({ body: plainOffer(stage.bob.sip) });
    await outgoing.answered();
    release();
    expect(statusOf(await early)).toBe(481);

    incoming.dialog.handle('INFO', () => ({ status: 200 }));
    expect(statusOf(await outgoing.dialog.request('INFO'))).toBe(200);
    await outgoing.dialog.bye();
    await incoming.dialog.waitForEnd();
  });

  test('a call of before is no part of it: unknown tags get 481', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    await call.alice.hangUp();
    await call.bob.waitForEnd();
    expect(statusOf(await call.alice.dialog.request('INFO'))).toBe(481);
  });
});
