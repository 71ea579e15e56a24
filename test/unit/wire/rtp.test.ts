import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isRtp,
  readRtpPayload,
  RTP_HEADER_BYTES,
  rtpMarker,
  rtpPayloadStart,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  setRtpPayloadType,
  setRtpSequenceNumber,
  writeRtpHeader,
  type RtpHeader,
} from '../../../src/wire/rtp.ts';

const anyHeader: fc.Arbitrary<RtpHeader> = fc.record({
  marker: fc.boolean(),
  payloadType: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 96, max: 127 })),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
  ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
});

function readHeader(packet: Buffer): RtpHeader {
  return {
    marker: rtpMarker(packet),
    payloadType: rtpPayloadType(packet),
    sequenceNumber: rtpSequenceNumber(packet),
    timestamp: rtpTimestamp(packet),
    ssrc: rtpSsrc(packet),
  };
}

/** A 12-byte header for sequence 1, timestamp 2, SSRC 3, then `rest`. */
function packetOf(first: number, second: number, rest = ''): Buffer {
  const fixed = Buffer.from('0000000100000002000000 03'.replaceAll(' ', ''), 'hex');
  fixed.writeUInt8(first, 0);
  fixed.writeUInt8(second, 1);
  return Buffer.concat([fixed, Buffer.from(rest, 'hex')]);
}

test('what is written reads back the same', () => {
  fc.assert(
    fc.property(anyHeader, (header) => {
      const packet = Buffer.alloc(RTP_HEADER_BYTES, 0xff);
      writeRtpHeader(header, packet);
      expect(isRtp(packet)).toBe(true);
      expect(readHeader(packet)).toEqual(header);
      expect(readRtpPayload(packet)).toEqual(Buffer.alloc(0));
    }),
  );
});

test('a setter changes its field and no other', () => {
  fc.assert(
    fc.property(
      anyHeader,
      fc.integer({ min: 0, max: 127 }),
      fc.nat(0xffff),
      (header, number, seq) => {
        const packet = Buffer.alloc(RTP_HEADER_BYTES);
        writeRtpHeader(header, packet);
        setRtpPayloadType(packet, number);
        setRtpSequenceNumber(packet, seq);
        expect(readHeader(packet)).toEqual({ ...header, payloadType: number, sequenceNumber: seq });
      },
    ),
  );
});

test('any bytes read without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const packet = Buffer.from(bytes);
      if (!isRtp(packet)) return;
      const payload = readRtpPayload(packet);
      expect(payload === undefined || payload.length <= packet.length - RTP_HEADER_BYTES).toBe(
        true,
      );
    }),
  );
});

describe('is RTP', () => {
  test.each([
    ['a bare header', packetOf(0x80, 0), true],
    ['payload type 127 with marker', packetOf(0x80, 0xff), true],
    ['eleven bytes', packetOf(0x80, 0).subarray(0, 11), false],
    ['nothing', Buffer.alloc(0), false],
    ['version 1', packetOf(0x40, 0), false],
    ['version 3', packetOf(0xc0, 0), false],
    ['STUN', Buffer.from('000100002112a442000000000000000000000000', 'hex'), false],
    ['an RTCP sender report', packetOf(0x80, 200), false],
    ['payload type 63', packetOf(0x80, 63), true],
    ['payload type 64', packetOf(0x80, 64), false],
    ['payload type 95', packetOf(0x80, 95), false],
    ['payload type 96', packetOf(0x80, 96), true],
  ])('%s', (_name, packet, expected) => {
    expect(isRtp(packet)).toBe(expected);
  });
});

describe('payload', () => {
  test.each([
    ['plain', packetOf(0x80, 0, 'aabb'), 'aabb'],
    ['behind two contributing sources', packetOf(0x82, 0, '1111111122222222aabb'), 'aabb'],
    ['behind an extension of one word', packetOf(0x90, 0, 'bede000111111111aabb'), 'aabb'],
    ['behind an empty extension', packetOf(0x90, 0, 'bede0000aabb'), 'aabb'],
    ['behind both', packetOf(0x91, 0, '11111111bede000122222222aabb'), 'aabb'],
    ['before padding', packetOf(0xa0, 0, 'aabb0002'), 'aabb'],
    ['all padding', packetOf(0xa0, 0, '0002'), ''],
    ['padding of size 0', packetOf(0xa0, 0, 'aabb00'), undefined],
    ['padding longer than the payload', packetOf(0xa0, 0, 'aa04'), undefined],
    ['padding that reaches into the sources', packetOf(0xa1, 0, '1111111102'), undefined],
    ['sources beyond the end', packetOf(0x8f, 0, '11111111'), undefined],
    ['an extension header beyond the end', packetOf(0x90, 0, 'bede'), undefined],
    ['an extension beyond the end', packetOf(0x90, 0, 'bede000211111111'), undefined],
  ])('%s', (_name, packet, expected) => {
    expect(readRtpPayload(packet)?.toString('hex')).toBe(expected);
  });

  test('start is where the payload lies', () => {
    expect(rtpPayloadStart(packetOf(0x91, 0, '11111111bede0000aabb'))).toBe(20);
  });
});

test.each([
  ['a payload type over 127', { payloadType: 128 }],
  ['a sequence number over 65535', { sequenceNumber: 65_536 }],
  ['a negative timestamp', { timestamp: -1 }],
  ['an SSRC over 32 bits', { ssrc: 2 ** 32 }],
])('%s is refused', (_name, change) => {
  const header = {
    marker: false,
    payloadType: 0,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: 0,
    ...change,
  };
  expect(() => writeRtpHeader(header, Buffer.alloc(12))).toThrow(RangeError);
});
