import { expect, test } from 'vitest';
import { isShortOf } from '../../../src/call/offer/short-answer.ts';
import { offerAnew } from '../../../src/call/transfer/transfer-offer.ts';

function sdp(media: readonly string[], session: readonly string[] = []): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  return [...lines, ...session, ...media].map((line) => `${line}\r\n`).join('');
}

const AUDIO = ['m=audio 4000 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000'];

test('a party that was on hold offers media both ways, and keeps what it said otherwise', () => {
  const held = sdp(
    [...AUDIO, 'a=recvonly', 'm=video 0 RTP/AVP 31', 'a=inactive'],
    ['a=sendonly', 'a=tool:x'],
  );

  expect(offerAnew(held)).toBe(sdp([...AUDIO, 'm=video 0 RTP/AVP 31'], ['a=tool:x']));
});

test.each<[answer: string, media: string[], isShort: boolean]>([
  ['the same', AUDIO, false],
  ['without telephone-event', ['m=audio 5000 RTP/AVP 0 8'], false],
  ['with more', ['m=audio 5000 RTP/AVP 0 8 18 101'], false],
  ['without a codec', ['m=audio 5000 RTP/AVP 0 101'], true],
  ['on hold', [...AUDIO, 'a=sendonly'], true],
  ['switched off', ['m=audio 0 RTP/AVP 0 8 101'], true],
  ['without the section', [], true],
])('an answer %s leaves something to be told: %j %s', (_answer, media, isShort) => {
  expect(isShortOf(sdp(AUDIO), sdp(media))).toBe(isShort);
});

test('a section that was not offered need not be answered', () => {
  const offer = sdp([...AUDIO, 'm=video 0 RTP/AVP 31']);

  expect(isShortOf(offer, sdp(AUDIO))).toBe(false);
});
