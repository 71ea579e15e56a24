/** Several telephone-event formats on one m-line, one per clock rate: what streams are told. */
import { expect, test } from 'vitest';
import { sdpOf, stream, te, TestCall } from './offer-answer-fixtures.ts';

const WIDE = 'a=rtpmap:98 G7221/16000';
const OPUS = 'a=rtpmap:111 opus/48000/2';

function numbersOf(events: readonly { sendPayloadType: number; clockRate: number }[] = []): string {
  return events
    .map(({ sendPayloadType, clockRate }) => `${sendPayloadType}/${clockRate}`)
    .join(' ');
}

test('each leg has one number per clock rate that both sides named, that of the first codec first', () => {
  const call = new TestCall();
  const offered = [...te(101), ...te(102, 16_000), ...te(103, 48_000)];
  call.offer('caller', sdpOf('caller', '111 98 0 101 102 103', OPUS, WIDE, ...offered));
  const answered = [...te(96), ...te(97, 48_000)];
  const answer = call.answer('callee', sdpOf('callee', '111 0 96 97', OPUS, ...answered));
  const { caller, callee } = stream(answer).legs;
  expect(numbersOf([caller.event ?? []].flat())).toBe('103/48000');
  expect(numbersOf(caller.otherEvents)).toBe('101/8000');
  expect(numbersOf([callee.event ?? []].flat())).toBe('97/48000');
  expect(numbersOf(callee.otherEvents)).toBe('96/8000');
  expect(callee.otherEvents?.[0]?.receivePayloadTypes).toEqual([101, 96]);
});

test('the clocks of all voice codecs are known, comfort noise is none', () => {
  const call = new TestCall();
  call.offer('caller', sdpOf('caller', '98 0 13 101', WIDE, ...te(101)));
  const answer = call.answer('callee', sdpOf('callee', '98 0 13 101', WIDE, ...te(101)));
  expect(stream(answer).legs.caller.audio).toMatchObject({
    clockRate: 16_000,
    otherClockRates: [
      [98, 16_000],
      [0, 8000],
    ],
  });
});

test('a leg without telephone-event has none of any rate', () => {
  const call = new TestCall();
  call.offer('caller', sdpOf('caller', '0 98 101 102', WIDE, ...te(101), ...te(102, 16_000)));
  const answer = call.answer('callee', sdpOf('callee', '0'));
  expect(stream(answer).legs.callee).toMatchObject({ event: undefined, otherEvents: [] });
});
