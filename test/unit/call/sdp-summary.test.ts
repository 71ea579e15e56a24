import { expect, test } from 'vitest';
import { summarizeSdp } from '../../../src/call/offer/sdp-summary.ts';
import { parseSdp } from '../../../src/wire/sdp.ts';

const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
const AUDIO = ['m=audio 4000 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000'];

test.each<[string, readonly string[], string]>([
  ['audio with keys', AUDIO, 'audio 192.0.2.1:4000 PCMA telephone-event/101 sendrecv'],
  ['on hold', [...AUDIO, 'a=sendonly'], 'audio 192.0.2.1:4000 PCMA telephone-event/101 sendonly'],
  ['without keys', ['m=audio 4000 RTP/AVP 0'], 'audio 192.0.2.1:4000 PCMU sendrecv'],
  [
    'the codec after its comfort noise',
    ['m=audio 4 RTP/AVP 13 0'],
    'audio 192.0.2.1:4 PCMU sendrecv',
  ],
  ['an own address', ['m=audio 4 RTP/AVP 0', 'c=IN IP6 ::1'], 'audio [::1]:4 PCMU sendrecv'],
  ['fax', ['m=image 5000 udptl t38'], 'image 192.0.2.1:5000 sendrecv'],
  [
    'switched off beside video',
    ['m=audio 0 RTP/AVP 0', 'm=video 6000 RTP/AVP 34'],
    'audio off, video 192.0.2.1:6000 H263 sendrecv',
  ],
  ['nothing', [], ''],
  [
    'very many sections',
    Array.from({ length: 9 }, () => 'm=audio 0 RTP/AVP 0'),
    'audio off, audio off, audio off, audio off, 5 more',
  ],
])('%s', (_name, lines, expected) => {
  expect(summarizeSdp(parseSdp([...HEAD, ...lines].join('\r\n')))).toBe(expected);
});
