/**
 * Row B05: reliable provisional answers (RFC 3262) on either leg.
 *
 *   caller                  SBC                      callee
 *     | INVITE 100rel        | INVITE 100rel            |
 *     |--------------------->|------------------------->|
 *     |      183 SDP, RSeq   |          183 SDP, RSeq   |
 *     |<---------------------|<-------------------------|   the answer: media both ways, the plan is made
 *     | PRACK                | PRACK                    |
 *     |--------------------->|------------------------->|
 *     | UPDATE SDP           | UPDATE SDP               |
 *     |<-------------------->|<------------------------>|   decided anew
 *     |                  200 |                      200 |
 *     |<---------------------|<-------------------------|
 */
import { describe, expect, test } from 'vitest';
import { openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { openStage } from '../support/digit-call.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { Header, SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

function reliable(rseq: number): Header[] {
  return [
    ['Require', '100rel'],
    ['RSeq', String(rseq)],
  ];
}

function sdpOf({ bob }: CallStage, rtpPort = 40_020): string {
  return buildSdp({ address: bob.sip.address, rtpPort, payloadTypes: [0] });
}

function dial(
  { alice, running }: CallStage,
  headers: readonly Header[],
  options: { body?: string } = { body: plainOffer(alice.sip) },
): OutgoingCall {
  return alice.sip.invite({ to: '1', via: running.access, headers, ...options });
}

/** Confirms a reliable 1xx; gives the answer to the PRACK. */
function prack({ dialog }: OutgoingCall, response: SipText): Promise<SipText> {
  const rack = `${headerValue(response, 'RSeq') ?? ''} 1 INVITE`;
  return dialog.request('PRACK', { headers: [['RAck', rack]] });
}

async function finish(outgoing: OutgoingCall, incoming: IncomingCall): Promise<void> {
  await outgoing.dialog.bye();
  await incoming.dialog.waitForEnd();
  expect([...outgoing.dialog.problems, ...incoming.dialog.problems]).toEqual([]);
}

/** An RTP end for each side, which sends nothing yet. */
async function openMedia({ alice, bob }: CallStage): Promise<[RtpPeer, RtpPeer]> {
  const [first, second] = await Promise.all(
    [alice, bob].map(({ sip }) => RtpPeer.open({ address: sip.address })),
  );
  if (first === undefined || second === undefined) throw new Error('an end is missing');
  return [closeAfterTest(first), closeAfterTest(second)];
}

/** Sends audio to where `description` says; `count` is what came back since. */
async function talk(rtp: RtpPeer, description: string): Promise<{ readonly count: number }> {
  const { address, rtpPort } = readSdp(description);
  rtp.setRemote({ address, rtpPort });
  rtp.startAudio();
  return {
    get count() {
      return rtp.received.length;
    },
  };
}

describe('towards a caller', () => {
  test('that requires 100rel each 18x is reliable, and the 200 waits for the last PRACK', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage, [['Require', '100rel']]);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring();
    const ringing = await outgoing.provisional(180);
    const early = await prack(outgoing, ringing);
    incoming.ring({ status: 183, body: sdpOf(stage) });
    const progress = await outgoing.provisional(183);
    const answering = incoming.answer({ body: sdpOf(stage) });
    await incoming.dialog.waitForAck();
    const beforePrack = outgoing.final;
    await prack(outgoing, progress);
    await outgoing.answered();
    await answering;
    await finish(outgoing, incoming);

    expect([ringing, progress].map((each) => headerValue(each, 'Require'))).toEqual([
      '100rel',
      '100rel',
    ]);
    expect(Number(headerValue(progress, 'RSeq'))).toBe(Number(headerValue(ringing, 'RSeq')) + 1);
    expect(statusOf(early)).toBe(200);
    expect(beforePrack).toBeUndefined();
    expect(readSdp(progress.body).payloadTypes).toEqual([0]);
    expect(outgoing.final?.body).toBe('');
  });

  test('that only supports 100rel an unreliable 18x stays unreliable', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage, [['Supported', 'timer, 100rel']]);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring({ status: 183, body: sdpOf(stage) });
    const progress = await outgoing.provisional(183);
    await incoming.answer({ body: sdpOf(stage) });
    await outgoing.answered();
    await finish(outgoing, incoming);

    expect(headerValue(progress, 'Require')).toBeUndefined();
    expect(readSdp(outgoing.final?.body ?? '').payloadTypes).toEqual([0]);
  });

  test('that requires 100rel and leaves the offer to the callee the first answer is the 200', async () => {
    const stage = await openCallStage();
    const outgoing = stage.alice.sip.invite({
      to: '1',
      via: stage.running.access,
      headers: [['Require', '100rel']],
      ackBody: () => plainOffer(stage.alice.sip),
    });
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring();
    await incoming.answer({ body: sdpOf(stage) });
    await outgoing.answered();
    await finish(outgoing, incoming);

    expect(outgoing.provisionals.map((each) => statusOf(each))).toEqual([100]);
    expect(headerValue(incoming.invite, 'Supported')).not.toContain('100rel');
  });
});

describe('a 200 that waits for a PRACK', () => {
  test.each(['caller', 'callee'] as const)('is not sent when the %s gives up', async (by) => {
    const stage = await openCallStage();
    const outgoing = dial(stage, [['Require', '100rel']]);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring({ status: 183, body: sdpOf(stage) });
    await outgoing.provisional(183);
    await incoming.answer({ body: sdpOf(stage) });
    await (by === 'caller' ? outgoing.cancel() : incoming.dialog.bye());
    const final = await outgoing.finished();
    await incoming.dialog.waitForEnd();

    expect(statusOf(final)).toBe(487);
    expect(incoming.dialog.problems).toEqual([]);
  });
});

describe('a reliable answer of the callee', () => {
  test('opens media both ways before the 200, and counts whatever that says', async () => {
    const stage = await openCallStage();
    const [atAlice, atBob] = await openMedia(stage);
    const { address, rtpPort } = atAlice;
    const outgoing = dial(stage, [], { body: buildSdp({ address, rtpPort }) });
    const incoming = await stage.bob.sip.nextCall();
    const body = buildSdp({ address: atBob.address, rtpPort: atBob.rtpPort, payloadTypes: [0] });
    incoming.ring({ status: 183, headers: reliable(7), body });
    const confirmation = await incoming.dialog.waitForRequest('PRACK');
    const early = await outgoing.provisional(183);
    const toAlice = await talk(atAlice, early.body);
    const toBob = await talk(atBob, incoming.invite.body);
    await waitFor('audio both ways', () => toAlice.count > 2 && toBob.count > 2);
    await incoming.answer({ body: sdpOf(stage, 40_090).replace('AVP 0', 'AVP 8') });
    await outgoing.answered();
    await finish(outgoing, incoming);

    expect(headerValue(incoming.invite, 'Supported')).toContain('100rel');
    expect(headerValue(confirmation, 'RAck')).toMatch(/^7 \d+ INVITE$/);
    expect(headerValue(early, 'Require')).toBeUndefined();
    expect(outgoing.final?.body).toBe(early.body);
  });

  test('makes the plan: keys reach a callee that subscribed, before the 200 and after it', async () => {
    const { trunk, phone, running } = await openStage({ core: { 'rfc2833-mode': 'preferred' } });
    const rtp = closeAfterTest(await RtpPeer.open({ address: '127.0.0.1' }));
    const outgoing = trunk.sip.invite({
      to: 'phone',
      via: running.core,
      body: buildSdp({ address: rtp.address, rtpPort: rtp.rtpPort, eventPayloadType: 101 }),
    });
    const incoming = await phone.sip.nextCall();
    const body = buildSdp({ address: phone.sip.address, rtpPort: 40_040 });
    incoming.ring({ status: 183, headers: reliable(1), body });
    await incoming.dialog.waitForRequest('PRACK');
    const listener = new KpmlListener(incoming.dialog);
    const answer = await listener.subscribe();
    await waitFor('active', () => listener.state.startsWith('active'));
    const early = await outgoing.provisional(183);
    await talk(rtp, early.body);
    await rtp.press('5', { payloadType: 101 });
    await listener.waitForDigits(1);
    const beforeAnswer = incoming.dialog.received.map(
      ({ startLine }) => startLine.split(' ', 1)[0],
    );
    const isUnanswered = outgoing.final === undefined;
    await incoming.answer();
    await outgoing.answered();
    await rtp.press('6', { payloadType: 101 });
    await listener.waitForDigits(2);
    await finish(outgoing, incoming);

    expect([statusOf(answer), isUnanswered]).toEqual([200, true]);
    // Our own subscription to the callee has to wait for the answer.
    expect(beforeAnswer).not.toContain('SUBSCRIBE');
    expect(listener.digits).toBe('56');
  });

  test('lets either side offer anew by UPDATE before the 200', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage, [['Supported', '100rel']]);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring({ status: 183, headers: reliable(1), body: sdpOf(stage) });
    const progress = await outgoing.provisional(183);
    const tooEarly = await incoming.dialog.request('UPDATE', { body: sdpOf(stage, 40_060) });
    await prack(outgoing, progress);
    outgoing.dialog.handle('UPDATE', () => ({ status: 200, body: plainOffer(stage.alice.sip) }));
    incoming.dialog.handle('UPDATE', () => ({ status: 200, body: sdpOf(stage, 40_080) }));
    const fromCallee = await incoming.dialog.request('UPDATE', { body: sdpOf(stage, 40_060) });
    const fromCaller = await outgoing.dialog.request('UPDATE', {
      body: plainOffer(stage.alice.sip, 40_100),
    });
    await incoming.answer();
    await outgoing.answered();
    await finish(outgoing, incoming);

    expect(headerValue(progress, 'Require')).toBe('100rel');
    expect([tooEarly, fromCallee, fromCaller].map((each) => statusOf(each))).toEqual([
      491, 200, 200,
    ]);
    expect(readSdp(fromCaller.body).payloadTypes).toEqual([0]);
    expect(outgoing.final?.body).toBe('');
  });

  test('lets the caller offer anew in its PRACK', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage, [['Supported', '100rel']]);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring({ status: 183, headers: reliable(1), body: sdpOf(stage) });
    const progress = await outgoing.provisional(183);
    incoming.dialog.handle('UPDATE', () => ({ status: 200, body: sdpOf(stage, 40_080) }));
    const rack = `${headerValue(progress, 'RSeq') ?? ''} 1 INVITE`;
    const answer = await outgoing.dialog.request('PRACK', {
      headers: [['RAck', rack]],
      body: plainOffer(stage.alice.sip, 40_100),
      contentType: 'application/sdp',
    });
    await incoming.answer();
    await outgoing.answered();
    await finish(outgoing, incoming);

    expect(statusOf(answer)).toBe(200);
    expect(readSdp(answer.body).payloadTypes).toEqual([0]);
  });
});
