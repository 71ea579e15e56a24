import { describe, expect, test } from 'vitest';
import { decideAnswer, decideOffer } from '../../../src/dtmf/interworking-offer.ts';
import type { LegParameters, Rfc2833Mode } from '../../../src/dtmf/interworking-legs.ts';

function leg(kpml: boolean, mode: Rfc2833Mode, payloadType = 101): LegParameters {
  return {
    kpmlInterworking: { value: kpml, origin: 'sip-interface core' },
    rfc2833Mode: { value: mode, origin: 'session-agent carrier' },
    rfc2833Payload: { value: payloadType, origin: 'default' },
    kpmlOnHairpin: { value: false, origin: 'default' },
    sipInfo: { value: 'disabled', origin: 'default' },
  };
}

describe('an offer', () => {
  test('gets telephone-event with the payload type of the leg it goes to', () => {
    const input = { caller: leg(true, 'transparent', 99), callee: leg(false, 'preferred', 97) };
    const facts = { offerSide: 'caller', offerHasTelephoneEvent: false } as const;
    expect(decideOffer(input, { ...facts, allowEventsKpml: true })).toEqual({
      insertTelephoneEvent: true,
      payloadType: 97,
      allowEvents: 'remove-kpml',
      row: 'K1/K3',
      rule: 'R2, R9',
      reason:
        "telephone-event is inserted for rfc2833-mode preferred (session-agent carrier) of the callee's leg; " +
        "kpml is removed: kpml-interworking disabled (sip-interface core) of the callee's leg",
    });
  });

  test('of the callee in mid-call is treated alike, with the legs exchanged', () => {
    const input = { caller: leg(true, 'preferred', 99), callee: leg(false, 'transparent', 97) };
    const facts = { offerSide: 'callee', allowEventsKpml: false } as const;
    expect(decideOffer(input, { ...facts, offerHasTelephoneEvent: false })).toMatchObject({
      insertTelephoneEvent: true,
      payloadType: 99,
      allowEvents: 'keep',
    });
    expect(decideOffer(input, { ...facts, offerHasTelephoneEvent: true })).toMatchObject({
      insertTelephoneEvent: false,
      allowEvents: 'add-kpml',
      rule: 'R4, R10',
    });
  });

  test('without audio gets nothing inserted', () => {
    const input = { caller: leg(true, 'transparent'), callee: leg(false, 'preferred') };
    const decision = decideOffer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: false,
      allowEventsKpml: false,
      hasAudio: false,
    });
    expect(decision.insertTelephoneEvent).toBe(false);
    expect(decision.reason).toMatch(/^no audio/);
  });

  // oxfmt-ignore
  test.each([
    ['transparent', 'keep'],
    ['preferred', 'add-kpml'],
    ['dual', 'keep'],
  ] as const)('that is missing from the INVITE, caller %s: %s', (mode, allowEvents) => {
    const input = { caller: leg(false, mode), callee: leg(true, 'transparent') };
    const facts = { offerSide: 'caller', allowEventsKpml: false } as const;
    const decision = decideOffer(input, { ...facts, offerHasTelephoneEvent: undefined });
    expect(decision).toMatchObject({ insertTelephoneEvent: false, allowEvents });
  });
});

describe('an answer', () => {
  test('of the caller to a re-offer of the callee: refused telephone-event is kept for the callee', () => {
    const input = { caller: leg(true, 'transparent'), callee: leg(false, 'preferred') };
    const decision = decideAnswer(input, {
      offerSide: 'callee',
      offerHasTelephoneEvent: true,
      offerAllowEventsKpml: false,
      answerHasTelephoneEvent: false,
      allowEventsKpml: true,
    });
    expect(decision).toMatchObject({ keepTelephoneEvent: true, allowEvents: 'remove-kpml' });
    expect(decision.row).toBe('K1');
  });

  test('without SDP only has its Allow-Events edited', () => {
    const input = { caller: leg(false, 'preferred'), callee: leg(true, 'transparent') };
    const decision = decideAnswer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: true,
      offerAllowEventsKpml: false,
      answerHasTelephoneEvent: undefined,
      allowEventsKpml: true,
    });
    expect(decision).toMatchObject({ keepTelephoneEvent: false, allowEvents: 'remove-kpml' });
  });

  test('without accepted audio has nothing kept', () => {
    const input = { caller: leg(false, 'preferred'), callee: leg(true, 'transparent') };
    const decision = decideAnswer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: true,
      offerAllowEventsKpml: false,
      answerHasTelephoneEvent: false,
      allowEventsKpml: false,
      hasAudio: false,
    });
    expect(decision.keepTelephoneEvent).toBe(false);
    expect(decision.reason).toMatch(/^no audio/);
  });

  test('towards a dual leg is passed as it is', () => {
    const input = { caller: leg(true, 'dual'), callee: leg(true, 'transparent') };
    const decision = decideAnswer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: true,
      offerAllowEventsKpml: false,
      answerHasTelephoneEvent: false,
      allowEventsKpml: false,
    });
    expect(decision).toMatchObject({ keepTelephoneEvent: false, allowEvents: 'keep', rule: 'R5' });
  });

  // oxfmt-ignore
  test.each([
    ['after an insertion', {}, 'preferred', 'add-kpml'],
    ['after a delayed offer', { isDelayedOffer: true }, 'preferred', 'keep'],
    ['without audio', { hasAudio: false }, 'preferred', 'keep'],
    ['with SRTP', { isSrtp: true }, 'preferred', 'keep'],
    ['when the offerer brought telephone-event', { offerHasTelephoneEvent: true }, 'preferred', 'keep'],
    ['towards a transparent leg', {}, 'transparent', 'keep'],
  ] as const)('without SDP, %s: the KPML caller is told kpml or not', (_, given, mode, allowEvents) => {
    const input = { caller: leg(true, 'transparent'), callee: leg(false, mode) };
    const facts = {
      offerSide: 'caller',
      offerHasTelephoneEvent: false,
      offerAllowEventsKpml: true,
      answerHasTelephoneEvent: undefined,
      allowEventsKpml: false,
      ...given,
    } as const;
    expect(decideAnswer(input, facts)).toMatchObject({ allowEvents });
    const policy = { ...input, codecPolicyTouchedTelephoneEvent: true };
    expect(decideAnswer(policy, facts)).toMatchObject({ allowEvents: 'keep' });
  });
});
