import { describe, expect, test } from 'vitest';
import { WireError } from '../../../src/wire/wire-error.ts';
import { ourSdp, sdpOf, stream, te, TestCall, text } from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;

describe('KPML caller, 2833 callee (row K1)', () => {
  const call = new TestCall(KPML, { ...PREFERRED, rfc2833Payload: 97 });
  const offer = call.offer('caller', sdpOf('caller', '0 8', 'a=ptime:20', 'a=sendrecv'), true);
  const answer = call.answer('callee', sdpOf('callee', '0 97', ...te(97)));

  test('the callee is offered telephone-event, kpml is removed', () => {
    expect(offer.sdp).toBe(
      ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 8 97', ...te(97), 'a=ptime:20', 'a=sendrecv'),
    );
    expect(offer.allowEvents).toBe('remove-kpml');
  });

  test('the caller does not see telephone-event, kpml is added', () => {
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0'));
    expect(answer.allowEvents).toBe('add-kpml');
  });

  test('KPML digits of the caller become events, events of the callee become KPML', () => {
    expect(answer.plan?.callerToCallee).toMatchObject({ translator: 'kpml-to-2833', row: 'K1' });
    expect(answer.plan?.calleeToCaller).toMatchObject({ translator: '2833-to-kpml', row: 'X2' });
    expect(call.negotiation.plan).toBe(answer.plan);
    expect(call.negotiation.advertised('caller')).toBe('by-us');
    expect(call.negotiation.advertised('callee')).toBe('no');
  });

  test('media: no events of the caller, those of the callee are detected and end here', () => {
    expect(stream(answer)).toMatchObject({
      legs: {
        caller: {
          remote: { address: '10.1.1.1', rtpPort: 4000, rtcpPort: 4001 },
          mediaSource: 'sdp',
          maySend: true,
          audio: { payloadTypes: [0, 8], clockRate: 8000, packetTimeMs: 20 },
          event: undefined,
          payloadTypeMap: [],
        },
        callee: {
          remote: { address: '10.2.2.2', rtpPort: 5000, rtcpPort: 5001 },
          maySend: true,
          event: { sendPayloadType: 97, receivePayloadTypes: [97], clockRate: 8000 },
          payloadTypeMap: [],
        },
      },
      events: {
        caller: { mode: 'absorb', detect: false },
        callee: { mode: 'absorb', detect: true },
      },
    });
  });
});

describe('2833 caller, KPML callee', () => {
  const offered = sdpOf('caller', '0 101', ...te(101, 8000, '0-16'));

  test('preferred: the caller keeps telephone-event with its own number and list (rows Q2, Q4)', () => {
    const call = new TestCall(PREFERRED, KPML);
    const offer = call.offer('caller', offered);
    expect(offer.sdp).toBe(
      ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101', ...te(101, 8000, '0-16')),
    );
    expect(offer.allowEvents).toBe('add-kpml');
    const answer = call.answer('callee', sdpOf('callee', '0'), { kpml: true });
    expect(answer.sdp).toBe(
      ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 101', ...te(101, 8000, '0-16')),
    );
    expect(answer.allowEvents).toBe('remove-kpml');
    expect(answer.plan?.acceptSubscribeFrom).toEqual(['callee']);
    expect(stream(answer).events).toEqual({
      caller: { mode: 'absorb', detect: true },
      callee: { mode: 'absorb', detect: false },
    });
    expect(stream(answer).legs.callee.event).toBeUndefined();
  });

  test('transparent: the refusal is passed on (rows Q1, Q3)', () => {
    const call = new TestCall({}, KPML);
    expect(call.offer('caller', offered).allowEvents).toBe('add-kpml');
    const answer = call.answer('callee', sdpOf('callee', '0'), { kpml: true });
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0'));
    expect(answer.plan?.callerToCallee).toMatchObject({ translator: 'none', row: 'Q1' });
    expect(stream(answer).legs.caller.event).toBeUndefined();
  });

  test('both accept telephone-event: relayed as it is (row Q5)', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', offered);
    const answer = call.answer('callee', sdpOf('callee', '0 101', ...te(101, 8000, '0-11')));
    expect(answer.sdp).toBe(
      ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 101', ...te(101, 8000, '0-11')),
    );
    expect(answer.plan?.callerToCallee.translator).toBe('rtp-relay');
    const { legs, events } = stream(answer);
    expect(events.caller).toEqual({ mode: 'relay', detect: true });
    expect(legs.callee.event?.events).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(legs.caller.payloadTypeMap).toEqual([]);
  });

  test('flag on: relayed, and the callee may subscribe (row Q6)', () => {
    const call = new TestCall(PREFERRED, { ...KPML, kpmlOnHairpin: true });
    call.offer('caller', offered);
    const { plan } = call.answer('callee', sdpOf('callee', '0 101', ...te(101)), { kpml: true });
    expect(plan).toMatchObject({
      callerToCallee: { translator: 'rtp-relay', alsoNotify: true, row: 'Q6' },
      acceptSubscribeFrom: ['callee'],
    });
  });
});

test('an attempt at another callee goes on with what the caller was shown', () => {
  const first = new TestCall();
  first.offer('caller', sdpOf('caller', '0 8'));
  first.answer('callee', sdpOf('callee', '0'), { final: false });
  const second = new TestCall({}, {}, first);
  expect(second.offer('caller', sdpOf('caller', '0 8')).sdp).toMatch(/o=- 2002 1 /);
  expect(second.answer('callee', sdpOf('callee', '8')).sdp).toMatch(/o=- 1001 2 /);
});

test('the stream that carries digits is known once agreed', () => {
  const call = new TestCall();
  expect(call.negotiation.digitStream).toBeUndefined();
  call.offer('caller', sdpOf('caller', '0') + text('m=audio 4100 RTP/AVP 0'));
  const refused = sdpOf('callee', '0').replace('m=audio 5000', 'm=audio 0');
  call.answer('callee', refused + text('m=audio 5100 RTP/AVP 0'));
  expect(call.negotiation.digitStream).toBe(1);
});

describe('provisional responses', () => {
  const offered = sdpOf('caller', '0 101', ...te(101));

  test('a preview lets media flow but decides nothing', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', offered);
    const preview = call.answer('callee', sdpOf('callee', '0 101', ...te(101)), { final: false });
    expect(preview.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 101', ...te(101)));
    expect(preview.plan).toBeUndefined();
    expect(stream(preview).events.caller.mode).toBe('relay');
    expect(call.negotiation.plan).toBeUndefined();
  });

  test('the final answer of another fork decides (B06, B22)', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', offered);
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)), { final: false });
    const answer = call.answer('callee', sdpOf('callee', '8'), { kpml: true });
    expect(answer.sdp).toBe(ourSdp('caller', 2, 'm=audio 20000 RTP/AVP 8 101', ...te(101)));
    expect(answer.plan?.callerToCallee.translator).toBe('2833-to-kpml');
  });

  test('a 200 without SDP after an unreliable 18x counts with the SDP of that', () => {
    const call = new TestCall();
    call.offer('caller', offered);
    call.answer('callee', sdpOf('callee', '0'), { final: false });
    call.answer('callee', undefined, { final: false });
    const answer = call.answer('callee', undefined);
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0'));
    expect(answer.plan).toBeDefined();
  });

  test('after a reliable 183 the 200 gets the same SDP again, with or without its own (B05)', () => {
    const call = new TestCall();
    call.offer('caller', offered);
    const first = call.answer('callee', sdpOf('callee', '0'));
    for (const repeated of [undefined, sdpOf('callee', '0')]) {
      const again = call.answer('callee', repeated);
      expect(again).toMatchObject({ sdp: first.sdp, streams: [], plan: undefined });
    }
    expect(call.negotiation.plan).toBe(first.plan);
  });

  test('180 without SDP has its Allow-Events edited by the rules', () => {
    const call = new TestCall({}, KPML);
    call.offer('caller', offered);
    const ringing = call.answer('callee', undefined, { kpml: true, final: false });
    expect(ringing).toMatchObject({ sdp: undefined, allowEvents: 'remove-kpml', streams: [] });
  });

  test('a 200 without any SDP completes nothing', () => {
    const call = new TestCall();
    call.offer('caller', offered);
    expect(call.negotiation.receiveAnswer('callee', undefined, false, true).hasSdp).toBe(false);
    expect(call.answer('callee', undefined)).toMatchObject({ sdp: undefined, plan: undefined });
  });
});

describe('bad texts', () => {
  test('throw WireError and change nothing', () => {
    const call = new TestCall();
    const { negotiation } = call;
    expect(() => negotiation.receiveOffer('caller', 'hello', false)).toThrow(WireError);
    call.offer('caller', sdpOf('caller', '0'));
    expect(() => negotiation.receiveAnswer('callee', 'v=0\r\nm=audio', false)).toThrow(WireError);
    expect(call.answer('callee', sdpOf('callee', '0')).plan).toBeDefined();
  });

  // oxfmt-ignore
  test.each([
    ['more m-lines than offered', ['m=audio 1 RTP/AVP 0', 'm=audio 2 RTP/AVP 0'], /expected 1 m= lines as offered, got 2/],
    ['another kind of media', ['m=video 1 RTP/AVP 31'], /expected m=audio at place 1 as offered, got m=video/],
  ])('an answer with %s is refused', (_, media, message) => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0'));
    expect(() => call.answer('callee', text('v=0', ...media))).toThrow(message);
  });

  test('forwarding what was not received is a defect of ours', () => {
    const call = new TestCall();
    expect(() => call.negotiation.forwardOffer([])).toThrow(/no offer/);
    call.offer('caller', sdpOf('caller', '0'));
    expect(() => call.negotiation.forwardAnswer([], true)).toThrow(/no answer/);
  });
});

test('decisions are kept in order, and not without end', () => {
  const call = new TestCall(KPML, PREFERRED);
  call.offer('caller', sdpOf('caller', '0'), true);
  call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  expect(call.negotiation.decisions.map(({ type }) => type)).toEqual(['offer', 'answer', 'plan']);
  for (let refresh = 0; refresh < 100; refresh += 1) {
    call.offer('caller', sdpOf('caller', '0'), true);
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  }
  expect(call.negotiation.decisions).toHaveLength(64);
});
