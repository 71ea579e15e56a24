import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isRtcp,
  nextRtcpOffset,
  readReportBlocks,
  RTCP_RECEIVER_REPORT,
  RTCP_SENDER_REPORT,
  rtcpPacketType,
  rtcpSenderSsrc,
  senderPacketCount,
  shiftHighestSequence,
  shiftSenderPacketCount,
} from '../../../src/wire/rtcp.ts';

/** A report block about `ssrc` with the extended highest sequence number `highest`. */
function blockOf(ssrc: number, highest: number): Buffer {
  const block = Buffer.alloc(24, 0x77);
  block.writeUInt32BE(ssrc, 0);
  block.writeUInt32BE(highest, 8);
  return block;
}

function packetOf(type: number, count: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt8(0x80 | count, 0);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([header, body]);
}

function senderReport(ssrc: number, packets: number, blocks: readonly Buffer[] = []): Buffer {
  const info = Buffer.alloc(24, 0x33);
  info.writeUInt32BE(ssrc, 0);
  info.writeUInt32BE(packets, 16);
  return packetOf(RTCP_SENDER_REPORT, blocks.length, Buffer.concat([info, ...blocks]));
}

function receiverReport(ssrc: number, blocks: readonly Buffer[]): Buffer {
  const sender = Buffer.alloc(4);
  sender.writeUInt32BE(ssrc);
  return packetOf(RTCP_RECEIVER_REPORT, blocks.length, Buffer.concat([sender, ...blocks]));
}

const SDES = packetOf(202, 1, Buffer.from('0000000101016100', 'hex'));

function offsetsOf(compound: Buffer): number[] {
  const offsets: number[] = [];
  let offset: number | undefined = 0;
  while (offset !== undefined) {
    offsets.push(offset);
    offset = nextRtcpOffset(compound, offset);
  }
  return offsets;
}

describe('is RTCP', () => {
  test.each([
    ['a sender report', senderReport(1, 2), true],
    ['an empty receiver report', receiverReport(1, []), true],
    ['seven bytes', receiverReport(1, []).subarray(0, 7), false],
    ['version 1', Buffer.from('40c9000100000001', 'hex'), false],
    ['packet type 191', Buffer.from('80bf000100000001', 'hex'), false],
    ['packet type 224', Buffer.from('80e0000100000001', 'hex'), false],
    ['a length beyond the end', Buffer.from('80c9000200000001', 'hex'), false],
  ])('%s', (_name, compound, expected) => {
    expect(isRtcp(compound)).toBe(expected);
  });
});

test('a compound is walked packet by packet', () => {
  const compound = Buffer.concat([senderReport(0xabcd, 7), SDES, receiverReport(2, [])]);
  expect(offsetsOf(compound)).toEqual([0, 28, 40]);
  expect(rtcpPacketType(compound, 28)).toBe(202);
  expect(rtcpSenderSsrc(compound, 0)).toBe(0xabcd);
});

test.each([
  ['a torn header', '80c9'],
  ['a torn packet', '80c9000300000001'],
])('%s at the end is not walked into', (_name, rest) => {
  const compound = Buffer.concat([receiverReport(2, []), Buffer.from(rest, 'hex')]);
  expect(offsetsOf(compound)).toEqual([0]);
});

describe.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fc00, 0xffff_ffff])(
  'from count %i',
  (start) => {
    test.each([3, -3])('the packet count moves by %i and wraps', (packets) => {
      const report = senderReport(1, start);
      shiftSenderPacketCount(report, 0, packets);
      expect(senderPacketCount(report, 0)).toBe((start + packets + 2 ** 32) % 2 ** 32);
      expect(rtcpSenderSsrc(report, 0)).toBe(1);
    });

    test.each([3, -3])(
      'the highest sequence number of the stream moves by %i and wraps',
      (steps) => {
        const blocks = [blockOf(5, start), blockOf(6, start)];
        for (const report of [senderReport(1, 0, blocks), receiverReport(1, blocks)]) {
          shiftHighestSequence(report, 0, 6, steps);
          expect(readReportBlocks(report, 0)).toEqual([
            { ssrc: 5, extendedHighestSequence: start },
            { ssrc: 6, extendedHighestSequence: (start + steps + 2 ** 32) % 2 ** 32 },
          ]);
        }
      },
    );
  },
);

test('a sender report without sender information has no count', () => {
  const short = packetOf(RTCP_SENDER_REPORT, 0, Buffer.alloc(4, 1));
  const before = Buffer.from(short);
  shiftSenderPacketCount(short, 0, 5);
  expect(short).toEqual(before);
  expect(senderPacketCount(short, 0)).toBeUndefined();
});

test('a count of blocks beyond the packet reads those that are whole', () => {
  const report = receiverReport(1, [blockOf(5, 9)]);
  report.writeUInt8(0x9f, 0);
  expect(readReportBlocks(Buffer.concat([report, blockOf(6, 9)]), 0)).toHaveLength(1);
});

test('packets that are no reports have no blocks', () => {
  expect(readReportBlocks(SDES, 0)).toEqual([]);
});

test('any bytes are walked and changed without throwing', () => {
  const tail = fc.uint8Array({ maxLength: 120 });
  fc.assert(
    fc.property(fc.constantFrom(200, 201, 202), tail, (type, bytes) => {
      const compound = Buffer.concat([Buffer.from([0x9f, type]), bytes]);
      if (!isRtcp(compound)) return;
      const { length } = compound;
      for (const offset of offsetsOf(compound)) {
        shiftSenderPacketCount(compound, offset, 1);
        for (const { ssrc } of readReportBlocks(compound, offset)) {
          shiftHighestSequence(compound, offset, ssrc, 1);
        }
        expect(offset).toBeLessThan(length);
      }
    }),
  );
});
