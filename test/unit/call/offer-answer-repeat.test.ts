import { describe, expect, test } from 'vitest';
import { otherSide, type Side, SIDES } from '../../../src/wire/side.ts';
import { LOCAL, PEERS, sdpOf, te, TestCall } from './offer-answer-fixtures.ts';

const PREFERRED = { rfc2833Mode: 'preferred' } as const;
const KPML = { kpmlInterworking: true } as const;

/** A call in force, and the last description that each side got from us. */
function established(): { call: TestCall; told: Record<Side, string | undefined> } {
  const call = new TestCall(KPML, PREFERRED);
  const offer = call.offer('caller', sdpOf('caller', '0 8'), true);
  const answer = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  return { call, told: { caller: answer.sdp, callee: offer.sdp } };
}

describe('an offer made again', () => {
  test.each(SIDES)('is what the %s was told last, byte by byte', (side) => {
    const { call, told } = established();
    const before = call.negotiation.plan;
    expect(call.negotiation.repeatOffer(side)).toBe(told[side]);
    call.negotiation.abandonOffer();
    expect(call.negotiation.repeatOffer(side)).toBe(told[side]);
    expect(call.negotiation.plan).toBe(before);
  });

  test.each(SIDES)('may move the media of the %s; the other side hears nothing', (side) => {
    const { call, told } = established();
    const before = call.negotiation.plan;
    const formats = side === 'caller' ? ['0 8'] : ['0 101', ...te(101)];
    const [first = '', ...rest] = formats;
    const moved = sdpOf(side, first, ...rest).replace(/m=audio \d+/, 'm=audio 6000');
    call.negotiation.repeatOffer(side);
    call.negotiation.receiveAnswer(side, moved, false, true);
    const { sdp, streams, plan } = call.negotiation.forwardAnswer(LOCAL[otherSide(side)], true);

    expect(sdp).toBeUndefined();
    expect(streams[0]?.legs[side].remote).toMatchObject({
      address: PEERS[side].address,
      rtpPort: 6000,
    });
    expect(plan).toEqual(before);
    expect(call.negotiation.repeatOffer(otherSide(side))).toBe(told[otherSide(side)]);
  });

  test('waits for an offer that is under way, and for the first one', () => {
    const { call } = established();
    call.offer('callee', sdpOf('callee', '0'));
    expect(call.negotiation.repeatOffer('caller')).toBeUndefined();
    expect(new TestCall().negotiation.repeatOffer('caller')).toBeUndefined();
  });
});
