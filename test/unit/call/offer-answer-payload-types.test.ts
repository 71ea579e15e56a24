/** Numbers and clocks of telephone-event: what each leg sees, what streams are told. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSdp } from '../../../src/wire/sdp.ts';
import { ourSdp, sdpOf, stream, te, TestCall } from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;
const OPUS = 'a=rtpmap:111 opus/48000/2';

describe('payload types of telephone-event', () => {
  test('the callee answers with another number (A28)', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
    const answer = call.answer('callee', sdpOf('callee', '0 96', ...te(96)));
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 101', ...te(101)));
    const { legs } = stream(answer);
    expect(legs.caller.event).toMatchObject({ sendPayloadType: 101, receivePayloadTypes: [101] });
    expect(legs.callee.event).toMatchObject({
      sendPayloadType: 96,
      receivePayloadTypes: [101, 96],
    });
    expect(legs.caller.payloadTypeMap).toEqual([[101, 96]]);
    expect(legs.callee.payloadTypeMap).toEqual([[96, 101]]);
  });

  test.each(Array.from({ length: 32 }, (_, at) => 96 + at))(
    'any number works, here %i (A29)',
    (number) => {
      const call = new TestCall();
      call.offer('caller', sdpOf('caller', `0 ${number}`, ...te(number)));
      const other = number === 97 ? 98 : 97;
      const answer = call.answer('callee', sdpOf('callee', `0 ${other}`, ...te(other)));
      expect(answer.sdp).toBe(
        ourSdp('caller', 1, `m=audio 20000 RTP/AVP 0 ${number}`, ...te(number)),
      );
      const { legs } = stream(answer);
      expect(legs.caller.payloadTypeMap).toEqual([[number, other]]);
      expect(legs.callee.payloadTypeMap).toEqual([[other, number]]);
    },
  );

  test('the configured number is taken by a codec: the next free one (A19)', () => {
    const call = new TestCall(KPML, PREFERRED);
    const offer = call.offer('caller', sdpOf('caller', '0 101', 'a=rtpmap:101 iLBC/8000'), true);
    expect(offer.sdp).toBe(
      ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101 102', 'a=rtpmap:101 iLBC/8000', ...te(102)),
    );
  });

  test('a number once inserted is inserted again, also when another one is free by then', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0 101', 'a=rtpmap:101 iLBC/8000'), true);
    call.answer('callee', sdpOf('callee', '0 102', ...te(102)));
    const again = call.offer('caller', sdpOf('caller', '0'));
    expect(again.sdp).toContain('m=audio 30000 RTP/AVP 0 102\r\n');
  });

  test('a changed number is used at once, the old one still understood (B14)', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    call.offer('caller', sdpOf('caller', '0 97', ...te(97)));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '0 97', ...te(97))));
    expect(legs.caller.event).toMatchObject({
      sendPayloadType: 97,
      receivePayloadTypes: [97, 101],
    });
    expect(legs.caller.payloadTypeMap).toEqual([[101, 97]]);
  });

  test('an old number that means a codec now is no event any more (B15)', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    const ilbc = ['a=rtpmap:101 iLBC/8000', ...te(97)];
    call.offer('caller', sdpOf('caller', '101 97', ...ilbc));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '101 97', ...ilbc)));
    expect(legs.caller.event?.receivePayloadTypes).toEqual([97]);
    expect(legs.caller.audio.payloadTypes).toEqual([101]);
  });

  test('an answer that uses the wanted number for a codec keeps its own', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
    const odd = sdpOf('callee', '0 101 96', 'a=rtpmap:101 iLBC/8000', ...te(96));
    expect(call.answer('callee', odd).sdp).toContain('m=audio 20000 RTP/AVP 0 101 96\r\n');
  });
});

describe('clock rates', () => {
  test('one inserted format per clock of the offered codecs (A30)', () => {
    const call = new TestCall(KPML, PREFERRED);
    const offer = call.offer('caller', sdpOf('caller', '111 0', OPUS), true);
    expect(offer.sdp).toBe(
      ourSdp(
        'callee',
        1,
        'm=audio 30000 RTP/AVP 111 0 101 102',
        OPUS,
        ...te(101),
        ...te(102, 48_000),
      ),
    );
    const answer = call.answer('callee', sdpOf('callee', '111 102', OPUS, ...te(102, 48_000)));
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 111', OPUS));
    expect(stream(answer).legs.callee).toMatchObject({
      audio: { clockRate: 48_000 },
      event: { sendPayloadType: 102, clockRate: 48_000 },
    });
  });

  test('the event of the codec in use counts, also when it is not the first', () => {
    const call = new TestCall();
    const both = [OPUS, ...te(101), ...te(102, 48_000)];
    call.offer('caller', sdpOf('caller', '0 111 101 102', ...both));
    const answered = [OPUS, ...te(98), ...te(99, 48_000)];
    const answer = call.answer('callee', sdpOf('callee', '111 98 99', ...answered));
    expect(answer.sdp).toContain('m=audio 20000 RTP/AVP 111 101 102\r\n');
    const { legs } = stream(answer);
    expect(legs.caller.event).toMatchObject({ sendPayloadType: 102, clockRate: 48_000 });
    expect(legs.callee.event).toMatchObject({ sendPayloadType: 99, clockRate: 48_000 });
  });

  test('kept telephone-event has the clock of the accepted codec', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', sdpOf('caller', '111 0 101 102', OPUS, ...te(101), ...te(102, 48_000)));
    const answer = call.answer('callee', sdpOf('callee', '111', OPUS));
    expect(answer.sdp).toContain('m=audio 20000 RTP/AVP 111 102\r\n');
  });

  test('a peer with another rate than its codec is tolerated', () => {
    const call = new TestCall(PREFERRED, KPML);
    const wide = 'a=rtpmap:98 G7221/16000';
    call.offer('caller', sdpOf('caller', '98 101', wide, ...te(101)));
    const answer = call.answer('callee', sdpOf('callee', '98', wide));
    expect(answer.sdp).toContain('m=audio 20000 RTP/AVP 98 101\r\n');
    expect(stream(answer).legs.caller).toMatchObject({
      audio: { clockRate: 16_000 },
      event: { clockRate: 8000 },
    });
  });
});

describe('whatever numbers both sides and the configuration use', () => {
  const dynamic = fc.integer({ min: 96, max: 127 });
  const numbers = fc.uniqueArray(dynamic, { minLength: 3, maxLength: 3 });

  test('each side sees its own number, no number twice, and the streams map between them', () => {
    fc.assert(
      fc.property(
        numbers,
        numbers,
        dynamic,
        fc.boolean(),
        (mine, theirs, configured, callerHas) => {
          const call = new TestCall(
            { ...PREFERRED, rfc2833Payload: configured },
            { ...PREFERRED, rfc2833Payload: configured },
          );
          const [codec = 96, event = 97] = mine;
          const voice = `a=rtpmap:${codec} iLBC/8000`;
          const events = callerHas ? te(event) : [];
          const formats = callerHas ? `${codec} ${event}` : `${codec}`;
          const offer = parseSdp(
            call.offer('caller', sdpOf('caller', formats, voice, ...events)).sdp ?? '',
          );
          const offered = offer.media[0];
          expect(new Set(offered?.formats).size).toBe(2);
          expect(offered?.telephoneEvents).toHaveLength(1);

          const other = theirs.find((number) => number !== codec) ?? 98;
          const answer = call.answer(
            'callee',
            sdpOf('callee', `${codec} ${other}`, voice, ...te(other)),
          );
          const answered = parseSdp(answer.sdp ?? '').media[0];
          expect(answered?.formats).toEqual(formats.split(' '));
          const { legs } = stream(answer);
          const inOffer = offered?.telephoneEvents[0]?.payloadType;
          expect(legs.callee.event).toMatchObject({ sendPayloadType: other });
          expect(legs.callee.event?.receivePayloadTypes[0]).toBe(inOffer);
          const mapped = new Map(legs.caller.payloadTypeMap).get(event) ?? event;
          expect(mapped).toBe(callerHas ? other : event);
          expect(legs.caller.event?.sendPayloadType).toBe(callerHas ? event : undefined);
        },
      ),
    );
  });
});
