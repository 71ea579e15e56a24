import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  engineLeg,
  engineSdp,
  isSamePorts,
  readEnginePorts,
} from '../../../../src/media/rtpengine/engine-sdp.ts';
import { parseSdp } from '../../../../src/wire/sdp.ts';
import { sampleLeg } from '../media-samples.ts';

describe('the SDP that rtpengine is shown', () => {
  test('has the peer, its numbers and its events', () => {
    const leg = engineLeg(sampleLeg(4000), 'IP4');
    expect(engineSdp(leg, { clockRate: 8000, numbers: [101, 96] }).split('\r\n')).toEqual([
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=audio 4000 RTP/AVP 0 8 101 96',
      'a=rtcp:4001',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=rtpmap:96 telephone-event/8000',
      'a=fmtp:96 0-16',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  test.each([
    ['nothing agreed, IPv4', undefined, 'IP4', 'c=IN IP4 192.0.2.1', 'm=audio 9 RTP/AVP 0'],
    ['nothing agreed, IPv6', undefined, 'IP6', 'c=IN IP6 2001:db8::1', 'm=audio 9 RTP/AVP 0'],
    [
      'no peer any more',
      sampleLeg(1, { remote: undefined }),
      'IP4',
      'c=IN IP4 0.0.0.0',
      'm=audio 9 RTP/AVP 0 8',
    ],
    [
      'anything over UDP',
      sampleLeg(4000, { transport: 'datagrams' }),
      'IP4',
      'c=IN IP4 127.0.0.1',
      'm=image 4000 udptl t38',
    ],
    [
      'SRTP',
      sampleLeg(4000, { transport: 'srtp' }),
      'IP4',
      'c=IN IP4 127.0.0.1',
      'm=audio 4000 RTP/AVP 0 8',
    ],
  ] as const)('%s', (...[, media, family, connection, section]) => {
    const lines = engineSdp(engineLeg(media, family), undefined).split('\r\n');
    expect(lines).toContain(connection);
    expect(lines).toContain(section);
  });

  test('can be read whatever was agreed', () => {
    const number = fc.integer({ min: 0, max: 127 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65_534 }),
        fc.array(number, { maxLength: 20 }),
        fc.array(number, { maxLength: 5 }),
        fc.boolean(),
        (port, payloadTypes, numbers, maySend) => {
          const audio = { payloadTypes, clockRate: 8000, packetTimeMs: 20 };
          const leg = engineLeg(sampleLeg(port, { audio, maySend }), 'IP4');
          const sdp = engineSdp(leg, { clockRate: 8000, numbers });
          expect(parseSdp(sdp).media).toHaveLength(1);
          expect(readEnginePorts(sdp, 'IP4')?.rtpPort).toBe(port);
        },
      ),
    );
  });
});

describe('the ports in an answer', () => {
  test.each([
    ['c=IN IP4 192.0.2.7\r\nm=audio 30000 RTP/AVP 0\r\n', '192.0.2.7 30000 30001'],
    ['c=IN IP4 192.0.2.7\r\nm=audio 30000 RTP/AVP 0\r\na=rtcp:30007\r\n', '192.0.2.7 30000 30007'],
    ['m=audio 30000 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n', '2001:db8::7 30000 30001'],
    ['c=IN IP4 192.0.2.7\r\nm=audio 0 RTP/AVP 0\r\n', undefined],
    ['c=IN IP4 192.0.2.7\r\nm=audio 99999 RTP/AVP 0\r\n', undefined],
    ['c=IN IP4 192.0.2.7\r\nm=audio 65535 RTP/AVP 0\r\n', undefined],
    ['m=audio 30000 RTP/AVP 0\r\n', undefined],
    ['', undefined],
  ])('%j', (sdp, expected) => {
    const found = readEnginePorts(sdp, sdp.includes('IP6') ? 'IP6' : 'IP4');
    const said = found && `${found.address} ${found.rtpPort} ${found.rtcpPort}`;
    expect(said).toBe(expected);
  });

  test.each([
    ['IP4', 'IP4 192.0.2.7'],
    ['IP4', 'IP4 127.0.0.1'],
    ['IP4', 'IP4 0.0.0.0'],
    ['IP6', 'IP6 2001:db8::7'],
    ['IP6', 'IP6 ::1'],
    ['IP6', 'IP6 ::'],
    // What the other peer's SDP said, whatever its family.
    ['IP6', 'IP4 0.0.0.0'],
  ] as const)('are taken for %s at %s', (family, connection) => {
    const sdp = `c=IN ${connection}\r\nm=audio 30000 RTP/AVP 0\r\n`;
    expect(readEnginePorts(sdp, family)?.address).toBe(connection.split(' ')[1]);
  });

  test.each([
    ['IP4', 'IP4 engine.example'],
    ['IP4', 'IP4 999.1.1.1'],
    ['IP4', 'IP4 192.0.2'],
    ['IP4', 'IP4 evil$host'],
    ['IP4', 'IP4 192.0.2.7/127'],
    ['IP4', 'IP4 224.2.1.1'],
    ['IP4', 'IP4 255.255.255.255'],
    ['IP4', 'IP4 0.1.2.3'],
    ['IP4', 'IP6 2001:db8::7'],
    ['IP4', 'IP6 192.0.2.7'],
    ['IP4', 'IP4 2001:db8::7'],
    ['IP6', 'IP4 192.0.2.7'],
    ['IP6', 'IP6 192.0.2.7'],
    ['IP6', 'IP6 ff02::1'],
    ['IP6', 'IP6 2001:db8::7%eth0'],
    ['IP6', 'IP6 ::ffff:192.0.2.7'],
  ] as const)('are refused for %s at %s', (family, connection) => {
    const sdp = `c=IN ${connection}\r\nm=audio 30000 RTP/AVP 0\r\n`;
    expect(readEnginePorts(sdp, family)).toBeUndefined();
  });

  test.each([
    ['the same', '192.0.2.7', 30_000, true],
    ['hidden from a peer on hold', '0.0.0.0', 30_000, true],
    ['another port', '192.0.2.7', 30_002, false],
    ['another address', '192.0.2.8', 30_000, false],
  ])('%s', (_name, address, rtpPort, expected) => {
    const known = { address: '192.0.2.7', rtpPort: 30_000, rtcpPort: 30_001 };
    const found = { address, rtpPort, rtcpPort: rtpPort + 1 };
    expect(isSamePorts({ caller: known, callee: known }, { caller: known, callee: found })).toBe(
      expected,
    );
  });
});
