/**
 * The INVITE has no SDP: the callee offers in its 200, the caller answers in its ACK.
 *
 *   caller            SBC              callee
 *     |--- INVITE ----->|--- INVITE ----->|
 *     |<-- 200, offer --|<-- 200, offer --|
 *     |--- ACK, answer->|--- ACK, answer->|
 */
import { describe, expect, test } from 'vitest';
import { LOCAL, ourSdp, sdpOf, stream, te, TestCall, text } from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;

describe('delayed offer', () => {
  test('2833 caller, KPML callee: inserted into the offer to the caller (B01, row Q13)', () => {
    const call = new TestCall({ ...PREFERRED, rfc2833Payload: 99 }, KPML);
    expect(call.offer('caller', undefined)).toMatchObject({
      sdp: undefined,
      allowEvents: 'add-kpml',
    });
    const offer = call.offer('callee', sdpOf('callee', '0'), true);
    expect(offer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 99', ...te(99)));
    const answer = call.answer('caller', sdpOf('caller', '0 99', ...te(99)));
    expect(answer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0'));
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: '2833-to-kpml', row: 'Q13' },
      calleeToCaller: { translator: 'kpml-to-2833', row: 'X1' },
    });
  });

  test('the caller does not take it up (B02, row Q14)', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', undefined);
    call.offer('callee', sdpOf('callee', '0'), true);
    const answer = call.answer('caller', sdpOf('caller', '0'));
    expect(answer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0'));
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: 'none', row: 'Q14' },
      acceptSubscribeFrom: [],
      relaySubscribeFrom: [],
    });
  });

  test('KPML caller, 2833 callee: added to the answer in the ACK (B04, row K13)', () => {
    const call = new TestCall(KPML, PREFERRED);
    expect(call.offer('caller', undefined, true).allowEvents).toBe('remove-kpml');
    const offer = call.offer('callee', sdpOf('callee', '0 96', ...te(96)));
    expect(offer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 96', ...te(96)));
    expect(offer.decision.row).toBe('K13');
    const answer = call.answer('caller', sdpOf('caller', '0'));
    expect(answer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 96', ...te(96)));
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: 'kpml-to-2833', row: 'K13' },
      subscribeTo: ['caller'],
    });
  });

  test('a provisional response without SDP before the offer only has its header edited', () => {
    const call = new TestCall({}, KPML);
    call.offer('caller', undefined);
    const ringing = call.answer('callee', undefined, { kpml: true, final: false });
    expect(ringing).toMatchObject({
      sdp: undefined,
      allowEvents: 'remove-kpml',
      streams: [],
      plan: undefined,
    });
  });
});

describe('SDP insertion for a caller that sends none (B03)', () => {
  const call = new TestCall({ ...KPML, addSdpInvite: 'invite' }, PREFERRED);
  const facts = call.negotiation.receiveOffer('caller', undefined, true);
  const invite = call.negotiation.forwardOffer(LOCAL.callee);
  const offer = call.offer('callee', sdpOf('callee', '8 101', ...te(101)));
  const answer = call.answer('caller', sdpOf('caller', '8'));

  test('the callee is offered PCMU, PCMA and telephone-event', () => {
    expect(facts).toMatchObject({ hasSdp: false, streamCount: 1, digitStream: 0 });
    expect(invite.sdp).toBe(
      text(
        'v=0',
        'o=- 2002 1 IN IP4 198.51.100.1',
        's=-',
        't=0 0',
        'm=audio 30000 RTP/AVP 0 8 101',
        'c=IN IP4 198.51.100.1',
        ...te(101),
      ),
    );
    expect(invite.decision).toMatchObject({
      insertTelephoneEvent: true,
      allowEvents: 'remove-kpml',
    });
  });

  test("the callee's answer is the caller's offer, the ACK to the callee has no SDP", () => {
    expect(offer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 8 101', ...te(101)));
    expect(answer.sdp).toBeUndefined();
  });

  test('KPML digits become events once the ACK is there (row K13)', () => {
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: 'kpml-to-2833', row: 'K13' },
      subscribeTo: ['caller'],
    });
    expect(stream(answer).legs.callee.event).toMatchObject({ sendPayloadType: 101 });
  });

  test('a re-INVITE without SDP is inserted into only where that is set', () => {
    expect(call.offer('caller', undefined).sdp).toBeUndefined();
    const both = new TestCall({ addSdpInvite: 'both' });
    both.offer('caller', sdpOf('caller', '0'));
    both.answer('callee', sdpOf('callee', '0'));
    const again = both.offer('caller', undefined);
    expect(again.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0'));
  });
});
