import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hideTopology, setOrigin } from '../../../src/wire/sdp-topology.ts';
import { setMediaAddress } from '../../../src/wire/sdp-edit.ts';
import { formatSdp, parseSdp } from '../../../src/wire/sdp.ts';
import { anySdpText, lines } from './sdp-samples.ts';

const ORIGIN = { username: '-', sessionId: '4711', version: '3', address: '203.0.113.5' };

function hide(...each: string[]): string[] {
  return formatSdp(hideTopology(parseSdp(lines(...each)), ORIGIN))
    .split('\r\n')
    .slice(0, -1);
}

test('everything that shows the sender is gone, the rest stays in order', () => {
  expect(
    hide(
      'v=0',
      'o=alice 2890844526 2890842807 IN IP4 10.1.2.3',
      's=PhoneWare 7.1 on alice-pc',
      'i=call from 10.1.2.3',
      'u=http://10.1.2.3/',
      'e=alice@example.com',
      'p=+1 555 0100',
      'c=IN IP4 10.1.2.3',
      'b=AS:64',
      't=0 0',
      'a=tool:PhoneWare',
      'a=rtcp:4 IN IP4 10.1.2.3',
      'a=group:BUNDLE a b',
      'a=group:LS a b',
      'a=ice-lite',
      'm=audio 4000 RTP/AVP 0',
      'i=voice',
      'c=IN IP4 10.1.2.4',
      'c=IN IP4 10.1.2.5',
      'a=ptime:20',
      'a=candidate:1 1 UDP 2130706431 10.1.2.3 4000 typ host',
      'a=ice-ufrag:abcd',
      'a=ice-pwd:secret',
      'a=rtcp-mux',
      'a=ssrc:1 cname:alice@10.1.2.4',
      'a=ssrc:2 cname:alice@192.168.1.7',
      'a=ssrc:2 msid:stream track',
      'a=ssrc:2 mslabel:stream',
      'a=msid:alice@192.168.1.7 track',
      'a=msid-semantic: WMS stream',
      'a=ssrc:1 label:x',
      'a=x-also:10.1.2.30 and 110.1.2.3',
      'k=uri:http://10.1.2.3/key',
      'a=sendrecv',
    ),
  ).toEqual([
    'v=0',
    'o=- 4711 3 IN IP4 203.0.113.5',
    's=-',
    'c=IN IP4 203.0.113.5',
    'b=AS:64',
    't=0 0',
    'a=group:LS a b',
    'm=audio 4000 RTP/AVP 0',
    'i=voice',
    'c=IN IP4 203.0.113.5',
    'a=ptime:20',
    'a=ssrc:1 label:x',
    'a=x-also:10.1.2.30 and 110.1.2.3',
    'a=sendrecv',
  ]);
});

test('an old-style hold keeps its address', () => {
  const out = hide(
    'v=0',
    'o=- 1 1 IN IP4 10.1.2.3',
    'c=IN IP4 0.0.0.0',
    'm=audio 4 RTP/AVP 0',
    'c=IN IP6 ::',
  );
  expect(out.filter((line) => line.startsWith('c='))).toEqual(['c=IN IP4 0.0.0.0', 'c=IN IP6 ::']);
});

test('a c= line that cannot be read is replaced too', () => {
  expect(hide('v=0', 'c=10.1.2.3')).toEqual([
    'v=0',
    'o=- 4711 3 IN IP4 203.0.113.5',
    'c=IN IP4 203.0.113.5',
  ]);
});

test('IPv6 addresses are found in any letter case, short names are not looked for', () => {
  const out = hide(
    'v=0',
    'o=- 1 1 IN IP6 2001:DB8::7',
    'm=audio 4 RTP/AVP 0',
    'c=IN IP4 ab',
    'a=x:2001:db8::7',
    'a=y:ab',
  );
  expect(out.slice(2)).toEqual(['m=audio 4 RTP/AVP 0', 'c=IN IP4 203.0.113.5', 'a=y:ab']);
});

test('keys of the media stay as they are, whatever they look like', () => {
  const keys = [
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:198.51.100.7+d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1c',
    'a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B',
  ];
  const out = hide('v=0', 'o=- 1 1 IN IP4 198.51.100.7', 'm=audio 4 RTP/SAVP 0', ...keys);
  expect(out).toEqual(expect.arrayContaining(keys));
});

describe('the o= line', () => {
  test('is replaced, or added behind v=', () => {
    const added = setOrigin(parseSdp(lines('v=0', 's=-')), ORIGIN);
    expect(added.session).toEqual(['v=0', 'o=- 4711 3 IN IP4 203.0.113.5', 's=-']);
    const replaced = setOrigin(added, { ...ORIGIN, version: '4', address: '2001:db8::5' });
    expect(replaced.session).toEqual(['v=0', 'o=- 4711 4 IN IP6 2001:db8::5', 's=-']);
  });

  test('is written even where there is no line at all', () => {
    expect(setOrigin({ session: [], media: [] }, ORIGIN).session).toEqual([
      'o=- 4711 3 IN IP4 203.0.113.5',
    ]);
  });
});

test('no address or name of the sender is left, whatever the SDP', () => {
  fc.assert(
    fc.property(anySdpText, (text) => {
      let sdp = hideTopology(parseSdp(text), ORIGIN);
      for (const { index } of sdp.media) {
        sdp = setMediaAddress(sdp, index, { address: ORIGIN.address, rtpPort: 2, rtcpPort: 3 });
      }
      const out = formatSdp(sdp);
      expect(out).not.toMatch(/198\.51\.100\.7|alice|2001:db8::7/i);
      expect(parseSdp(out)).toEqual(sdp);
    }),
  );
});
