import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readReportBlocks, senderPacketCount } from '../../../src/wire/rtcp.ts';
import { rtpSequenceNumber, rtpSsrc, rtpTimestamp } from '../../../src/wire/rtp.ts';
import { audioPacket, eventPacket } from './media-samples.ts';
import { CALLEE, CALLER, VirtualCall } from './virtual-call.ts';

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
}

/** A sender report of the caller with 100 packets of 160 octets, or a receiver report about it up to number 1000. */
function report(type: 'sender' | 'receiver'): Buffer {
  const bytes = Buffer.alloc(type === 'sender' ? 28 : 32);
  bytes.writeUInt16BE(type === 'sender' ? 0x80c8 : 0x81c9, 0);
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  if (type === 'sender') {
    bytes.writeUInt32BE(0x1111, 4);
    bytes.writeUInt32BE(100, 20);
    bytes.writeUInt32BE(16_000, 24);
  } else {
    bytes.writeUInt32BE(0x1111, 8);
    bytes.writeUInt32BE(1000, 16);
  }
  return bytes;
}

/** A digit of seven packets, then the caller's audio from number 500, timestamp 8000 on. */
function ownStream(random?: () => number): { call: VirtualCall; ssrc: number; first: Buffer } {
  const call = new VirtualCall({
    firstSequenceNumber: 500,
    relay: random === undefined ? {} : { random },
  });
  call.isTalking = false;
  call.play(['a', 5, 100]);
  call.run(300);
  call.send((sequenceNumber) => audioPacket({ sequenceNumber, timestamp: 8000 }));
  call.send((sequenceNumber) => audioPacket({ sequenceNumber, timestamp: 8160 }));
  const first = call.arrived.at(-2)?.bytes ?? Buffer.alloc(12);
  return { call, ssrc: rtpSsrc(first), first };
}

describe('RTCP', () => {
  const CALLER_RTCP = { ...CALLER, port: 4001 };
  const CALLEE_RTCP = { ...CALLEE, port: 5001 };

  test.each(['sender', 'receiver'] as const)('of a %s is untouched where RTP is', (type) => {
    const call = new VirtualCall();
    call.run(100);
    const [side, source] =
      type === 'sender' ? (['caller', CALLER_RTCP] as const) : (['callee', CALLEE_RTCP] as const);
    const bytes = report(type);
    expect(call.relay.receiveRtcp(side, bytes, source)).toBe('forward');
    expect(bytes).toEqual(report(type));
    expect(call.relay.rtcpDestination('callee')).toEqual(CALLEE_RTCP);
    const { caller, callee } = call.relay.counters(0);
    expect([caller.receivedRtcpPackets + callee.receivedRtcpPackets]).toEqual([1]);
  });

  test('behind a digit differs in octets only: event packets are shorter than audio', () => {
    const call = new VirtualCall();
    call.run(100);
    call.play(['a', 5, 100]);
    call.run(400);
    const sent = report('sender');
    call.relay.receiveRtcp('caller', sent, CALLER_RTCP);
    expect(sent.readUInt32BE(24)).toBe(16_000 - 7 * (160 - 4));
    const expected = report('sender');
    expected.writeUInt32BE(16_000 - 7 * (160 - 4), 24);
    expect(sent).toEqual(expected);
    const heard = report('receiver');
    call.relay.receiveRtcp('callee', heard, CALLEE_RTCP);
    expect(heard).toEqual(report('receiver'));
  });

  test('leaves events out that were taken out of the stream', () => {
    const call = new VirtualCall({ events: { caller: { mode: 'absorb', detect: true } } });
    call.run(100);
    for (let count = 0; count < 5; count++) {
      call.send((sequenceNumber) => eventPacket({ sequenceNumber, timestamp: 800 }));
    }
    const sent = report('sender');
    call.relay.receiveRtcp('caller', sent, CALLER_RTCP);
    expect([senderPacketCount(sent, 0), sent.readUInt32BE(24)]).toEqual([95, 16_000 - 20]);
  });

  test('of a sender that starts anew counts from its own 0', () => {
    const call = new VirtualCall();
    call.run(100);
    call.play(['a', 5, 100]);
    call.run(400);
    call.deliver(audioPacket({ ssrc: 0x2222 }));
    const sent = report('sender');
    sent.writeUInt32BE(0x2222, 4);
    const asSent = Buffer.from(sent);
    call.relay.receiveRtcp('caller', sent, CALLER_RTCP);
    expect(sent).toEqual(asSent);
  });

  test('never says less than nothing', () => {
    const call = new VirtualCall();
    call.run(100);
    call.play(['a', 5, 100]);
    call.run(400);
    const sent = report('sender');
    sent.writeUInt32BE(10, 24);
    call.relay.receiveRtcp('caller', sent, CALLER_RTCP);
    expect(sent.readUInt32BE(24)).toBe(0);
  });

  test('counts the packets we put in, and reports in the sender’s numbers', () => {
    const call = new VirtualCall();
    call.run(100);
    call.isTalking = false;
    call.play(['a', 5, 100]);
    call.run(400);
    const sender = report('sender');
    call.relay.receiveRtcp('caller', sender, CALLER_RTCP);
    expect([senderPacketCount(sender, 0), sender.readUInt32BE(24)]).toEqual([107, 16_028]);
    const receiver = Buffer.concat([report('receiver'), report('receiver')]);
    call.relay.receiveRtcp('callee', receiver, CALLEE_RTCP);
    expect(readReportBlocks(receiver, 32)).toEqual([
      { ssrc: 0x1111, extendedHighestSequence: 993 },
    ]);
  });

  test.each([
    ['not-rtcp', Buffer.alloc(8), CALLER_RTCP, {}],
    ['unknown-source', report('sender'), CALLER, {}],
    ['no-remote', report('sender'), CALLER_RTCP, { caller: { remote: undefined } }],
    ['no-remote', report('sender'), CALLER_RTCP, { callee: { remote: undefined } }],
  ] as const)('%s is dropped', (reason, bytes, source, options) => {
    const call = new VirtualCall(options);
    expect(call.relay.receiveRtcp('caller', Buffer.from(bytes), source)).toBe('drop');
    expect(call.relay.counters(0).caller.dropped[reason]).toBe(1);
  });

  describe('in a stream of our own', () => {
    test('sender reports bear our SSRC, time and packets', () => {
      const { call, ssrc, first } = ownStream();
      const bytes = report('sender');
      bytes.writeUInt32BE(8000, 16);
      call.relay.receiveRtcp('caller', bytes, CALLER_RTCP);
      expect(bytes.readUInt32BE(4)).toBe(ssrc);
      expect(bytes.readUInt32BE(16)).toBe(rtpTimestamp(first));
      expect([senderPacketCount(bytes, 0), bytes.readUInt32BE(24)]).toEqual([107, 16_028]);
    });

    test('later digits count too, and so does what came before another source', () => {
      const { call, ssrc } = ownStream();
      call.play(['b', 5, 100]);
      call.run(300);
      const counted = report('sender');
      call.relay.receiveRtcp('caller', counted, CALLER_RTCP);
      expect(senderPacketCount(counted, 0)).toBe(114);
      call.deliver(audioPacket({ ssrc: 0x2222, sequenceNumber: 9, timestamp: 800 }));
      const bytes = report('sender');
      bytes.writeUInt32BE(0x2222, 4);
      bytes.writeUInt32BE(1, 20);
      bytes.writeUInt32BE(160, 24);
      call.relay.receiveRtcp('caller', bytes, CALLER_RTCP);
      expect(bytes.readUInt32BE(4)).toBe(ssrc);
      expect(senderPacketCount(bytes, 0)).toBe(call.arrived.length);
      const octets = call.arrived.map((packet) => packet.bytes.length - 12);
      expect(bytes.readUInt32BE(24)).toBe(octets.reduce((sum, length) => sum + length, 0));
    });

    test.each([0, 0.5, 0.999_95, 0.999_999])(
      'reports about it speak of the sender’s stream (our numbers from %d on)',
      (value) => {
        const { call, ssrc } = ownStream(() => value);
        // A receiver counts on from the first number it sees: seven of the digit, two of the audio.
        const start = rtpSequenceNumber(call.arrived[0]?.bytes ?? Buffer.alloc(12));
        const bytes = report('receiver');
        bytes.writeUInt32BE(ssrc, 8);
        bytes.writeUInt32BE(start + 8, 16);
        call.relay.receiveRtcp('callee', bytes, CALLEE_RTCP);
        expect(readReportBlocks(bytes, 0)).toEqual([
          { ssrc: 0x1111, extendedHighestSequence: 501 },
        ]);
      },
    );

    test('reports about numbers beyond 16 bits do too', () => {
      const { call, ssrc, first } = ownStream();
      const start = rtpSequenceNumber(first);
      for (let number = 502; number <= 502 + 70_000; number++) {
        call.deliver(audioPacket({ sequenceNumber: number & 0xffff, timestamp: number * 160 }));
      }
      call.deliver(audioPacket({ ssrc: 0x2222, sequenceNumber: 9, timestamp: 800 }));
      const bytes = report('receiver');
      bytes.writeUInt32BE(ssrc, 8);
      bytes.writeUInt32BE(start + 70_003, 16);
      call.relay.receiveRtcp('callee', bytes, CALLEE_RTCP);
      expect(readReportBlocks(bytes, 0)).toEqual([{ ssrc: 0x2222, extendedHighestSequence: 9 }]);
    });

    test('reports about the time before the sender’s first packet are none of its', () => {
      const { call, ssrc, first } = ownStream();
      const bytes = report('receiver');
      bytes.writeUInt32BE(ssrc, 8);
      bytes.writeUInt32BE(rtpSequenceNumber(first) - 1, 16);
      const before = Buffer.from(bytes);
      call.relay.receiveRtcp('callee', bytes, CALLEE_RTCP);
      expect(bytes).toEqual(before);
    });

    test('nothing is touched before the sender’s first packet', () => {
      const call = new VirtualCall();
      call.isTalking = false;
      call.play(['a', 5, 100]);
      call.run(300);
      const bytes = report('sender');
      call.relay.receiveRtcp('caller', bytes, CALLER_RTCP);
      expect(bytes).toEqual(report('sender'));
    });

    test('a whole compound has one name; what the sender reports about is not touched', () => {
      const { call, ssrc } = ownStream();
      const compound = Buffer.concat([
        words(0x81c8_000c, 0x1111, 0, 0, 0, 100, 0, 0x3333, 0, 77, 0, 0, 0),
        words(0x82ca_0007, 0x1111, 0x0105_6140, 0x622e_6300, 0x4444, 0x0101_7800, 0x1111, 0),
        words(0x81ce_0002, 0x1111, 0x3333),
        words(0x81cb_0001, 0x1111),
      ]);
      const bytes = Buffer.from(compound);
      call.relay.receiveRtcp('caller', bytes, CALLER_RTCP);
      const changed = wordsOf(bytes).flatMap((word, index) =>
        word === compound.readUInt32BE(index * 4) ? [] : [[index, word]],
      );
      // Neither the report's time and counts, nor what source descriptions say.
      expect(changed.filter(([index = 0]) => ![4, 5, 6, 15, 16, 18].includes(index))).toEqual([
        [1, ssrc],
        [14, ssrc],
        [22, ssrc],
      ]);
    });

    test('feedback about it names the sender’s stream', () => {
      const { call, ssrc } = ownStream();
      const bytes = words(0x81ce_0002, 0x5555, ssrc);
      call.relay.receiveRtcp('callee', bytes, CALLEE_RTCP);
      expect(wordsOf(bytes)).toEqual([0x81ce_0002, 0x5555, 0x1111]);
    });

    test('any bytes are survived', () => {
      const { call, ssrc } = ownStream();
      const anyWord = fc.constantFrom(
        0x1111,
        ssrc,
        0,
        0x81c8_0006,
        0x9fca_0003,
        0x81cd_0001,
        0x01ff_0000,
      );
      const anyPacket = fc
        .tuple(
          fc.constantFrom(200, 201, 202, 203, 204, 205, 206, 207),
          fc.array(anyWord, { minLength: 1 }),
        )
        .map(([type, rest]) =>
          words(0x8000_0000 + 0x1f00_0000 + type * 0x1_0000 + rest.length, ...rest),
        );
      fc.assert(
        fc.property(fc.array(anyPacket, { minLength: 1, maxLength: 4 }), (packets) => {
          const bytes = Buffer.concat(packets);
          expect(call.relay.receiveRtcp('caller', Buffer.from(bytes), CALLER_RTCP)).toBe('forward');
          expect(call.relay.receiveRtcp('callee', Buffer.from(bytes), CALLEE_RTCP)).toBe('forward');
        }),
      );
    });
  });

  test('goes to a peer on hold', () => {
    const call = new VirtualCall({ callee: { maySend: false } });
    expect(call.relay.receiveRtcp('caller', report('sender'), CALLER_RTCP)).toBe('forward');
  });
});
