import { describe, expect, test } from 'vitest';
import type { Side } from '../../../src/wire/side.ts';
import { ourSdp, sdpOf, stream, te, TestCall, text } from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;

/** A KPML caller talking to a 2833 callee (row K1). */
function establishedK1(): TestCall {
  const call = new TestCall(KPML, PREFERRED);
  call.offer('caller', sdpOf('caller', '0'), true);
  call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  return call;
}

/** What each side of that call offers: the caller no telephone-event. */
function formats(side: Side): [string, ...string[]] {
  return side === 'caller' ? ['0'] : ['0 101', ...te(101)];
}

/** Audio switched off, an image line for T.38 instead. */
function fax(side: Side): string {
  return sdpOf(side, '0').replace(/m=audio \d+/, 'm=audio 0') + text('m=image 6000 udptl t38');
}

describe('hold and resume', () => {
  // oxfmt-ignore
  test.each([
    { holder: 'caller', other: 'callee', held: 'sendonly', answered: 'recvonly', maySend: { caller: false, callee: true } },
    { holder: 'caller', other: 'callee', held: 'inactive', answered: 'inactive', maySend: { caller: false, callee: false } },
    { holder: 'callee', other: 'caller', held: 'sendonly', answered: 'recvonly', maySend: { caller: true, callee: false } },
    { holder: 'callee', other: 'caller', held: 'inactive', answered: 'inactive', maySend: { caller: false, callee: false } },
  ] as const)('by the $holder, $held', ({ holder, other, held, answered, maySend }) => {
    const call = establishedK1();
    const before = call.negotiation.plan;

    const hold = call.offer(holder, sdpOf(holder, ...formats(holder), `a=${held}`));
    expect(hold.sdp).toContain(`a=${held}\r\n`);
    const holdAnswer = call.answer(other, sdpOf(other, ...formats(other), `a=${answered}`));
    expect(holdAnswer.sdp).toContain(`a=${answered}\r\n`);
    const { legs } = stream(holdAnswer);
    expect({ caller: legs.caller.maySend, callee: legs.callee.maySend }).toEqual(maySend);
    expect(holdAnswer.plan).toEqual(before);

    call.offer(holder, sdpOf(holder, ...formats(holder)));
    const resumed = call.answer(other, sdpOf(other, ...formats(other)));
    const after = stream(resumed).legs;
    expect([after.caller.maySend, after.callee.maySend]).toEqual([true, true]);
    expect(resumed.plan).toEqual(before);
  });

  test('with 0.0.0.0: passed on, and nothing is sent there', () => {
    const call = establishedK1();
    const hold = call.offer(
      'callee',
      sdpOf('callee', '0 101', ...te(101)).replace('c=IN IP4 10.2.2.2', 'c=IN IP4 0.0.0.0'),
    );
    expect(hold.sdp).toContain('c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 20000');
    const { legs } = stream(call.answer('caller', sdpOf('caller', '0')));
    expect(legs.callee).toMatchObject({ maySend: false, maySendRtcp: false });
    // What the holder sends, music for one, is still accepted.
    expect(legs.callee.remote).toEqual({ address: '10.2.2.2', rtpPort: 5000, rtcpPort: 5001 });
    expect(legs.caller).toMatchObject({ remote: { address: '10.1.1.1' }, maySend: true });
  });

  test('with port 0: nothing is sent, plan and subscriptions stay', () => {
    const call = establishedK1();
    const before = call.negotiation.plan;
    const hold = call.offer(
      'callee',
      sdpOf('callee', '0 101', ...te(101)).replace('m=audio 5000', 'm=audio 0'),
    );
    expect(hold.sdp).toContain('m=audio 0 RTP/AVP 0 101\r\n');
    const answer = call.answer('caller', sdpOf('caller', '0').replace('m=audio 4000', 'm=audio 0'));
    expect(stream(answer).legs).toMatchObject({
      caller: { remote: undefined, maySend: false },
      callee: { remote: undefined, maySend: false },
    });
    expect(answer.plan).toBe(before);
  });
});

describe('the o= line', () => {
  test('keeps id and version when nothing changes (B19)', () => {
    const call = establishedK1();
    const refresh = call.offer('caller', sdpOf('caller', '0'));
    expect(refresh.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101', ...te(101)));
    const answer = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0'));
  });

  test('raises the version of the changed side only', () => {
    const call = establishedK1();
    const offer = call.offer('caller', sdpOf('caller', '0', 'a=maxptime:40'));
    expect(offer.sdp).toMatch(/o=- 2002 2 /);
    expect(call.answer('callee', sdpOf('callee', '0 101', ...te(101))).sdp).toMatch(/o=- 1001 1 /);
  });
});

describe('a refused re-offer (B16)', () => {
  test('leaves everything as it was', () => {
    const call = establishedK1();
    const before = call.negotiation.plan;
    call.offer('callee', sdpOf('callee', '0', 'a=sendonly'));
    call.negotiation.abandonOffer();
    expect(call.negotiation.plan).toBe(before);
    const refresh = call.offer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(refresh.sdp).toBe(ourSdp('caller', 3, 'm=audio 20000 RTP/AVP 0 101', ...te(101)));
  });

  test('a repeat of the agreed description after it has the agreed version', () => {
    const call = establishedK1();
    call.offer('caller', sdpOf('caller', '0 8'));
    call.negotiation.abandonOffer();
    const refresh = call.offer('caller', sdpOf('caller', '0'));
    expect(refresh.sdp).toMatch(/o=- 2002 1 /);
    const changed = call.offer('caller', sdpOf('caller', '0 18'));
    expect(changed.sdp).toMatch(/o=- 2002 3 /);
  });
});

describe('the plan after a re-offer', () => {
  test('telephone-event removed on the 2833 leg: the translator stops (B11)', () => {
    const call = establishedK1();
    call.offer('callee', sdpOf('callee', '0'));
    const { plan } = call.answer('caller', sdpOf('caller', '0'));
    expect(plan).toMatchObject({ callerToCallee: { translator: 'none' }, subscribeTo: [] });
  });

  test('telephone-event added on the KPML leg: relay instead (B12)', () => {
    const call = establishedK1();
    const offer = call.offer('caller', sdpOf('caller', '0 101', ...te(101)), true);
    expect(offer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101', ...te(101)));
    const answer = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: 'rtp-relay' },
      subscribeTo: [],
    });
    expect(stream(answer).events.caller).toEqual({ mode: 'relay', detect: true });
  });

  test('telephone-event removed on a 2833 call with a KPML leg: KPML instead (B13)', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)), true);
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    call.offer('caller', sdpOf('caller', '0'), true);
    const { plan } = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(plan).toMatchObject({
      callerToCallee: { translator: 'kpml-to-2833' },
      subscribeTo: ['caller'],
    });
  });

  test('delayed re-offer: the offer comes in the 200, the answer in the ACK', () => {
    const call = establishedK1();
    expect(call.offer('caller', undefined).sdp).toBeUndefined();
    const offer = call.offer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(offer.sdp).toBe(ourSdp('caller', 2, 'm=audio 20000 RTP/AVP 0 101', ...te(101)));
    const answer = call.answer('caller', sdpOf('caller', '0'));
    expect(answer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101', ...te(101)));
    expect(answer.plan).toMatchObject({
      callerToCallee: { translator: 'kpml-to-2833', row: 'K1' },
    });
  });

  test('a re-offer without Allow-Events does not make a KPML party forget that it is one', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)), true);
    call.answer('callee', sdpOf('callee', '0'), { kpml: true });
    expect(call.negotiation.plan?.callerToCallee.row).toBe('Q11');
    call.offer('callee', sdpOf('callee', '0'));
    const { plan } = call.answer('caller', sdpOf('caller', '0 101', ...te(101)));
    expect(plan?.callerToCallee).toMatchObject({ translator: 'kpml-relay', row: 'Q11' });
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
    const again = call.answer('callee', sdpOf('callee', '0'));
    expect(again.decision.row).toBe('Q11');
  });
});

describe('audio switched to fax and back', () => {
  test('keeps the plan', () => {
    const call = establishedK1();
    const before = call.negotiation.plan;
    const offer = call.offer('callee', fax('callee'));
    expect(offer.sdp).toContain('m=audio 0 RTP/AVP 0\r\nm=image 20002 udptl t38\r\n');
    const answer = call.answer('caller', fax('caller'));
    expect(answer.plan).toBe(before);
    expect(answer.streams[1]?.legs.caller).toMatchObject({
      remote: { address: '10.1.1.1', rtpPort: 6000 },
      event: undefined,
    });
  });
});
