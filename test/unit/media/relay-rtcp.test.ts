import { describe, expect, test } from 'vitest';
import { readReportBlocks, senderPacketCount } from '../../../src/wire/rtcp.ts';
import { CALLEE, CALLER, VirtualCall } from './virtual-call.ts';

/** A sender report of the caller with 100 packets, or a receiver report about it up to number 1000. */
function report(type: 'sender' | 'receiver'): Buffer {
  const bytes = Buffer.alloc(type === 'sender' ? 28 : 32);
  bytes.writeUInt16BE(type === 'sender' ? 0x80c8 : 0x81c9, 0);
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  if (type === 'sender') {
    bytes.writeUInt32BE(0x1111, 4);
    bytes.writeUInt32BE(100, 20);
  } else {
    bytes.writeUInt32BE(0x1111, 8);
    bytes.writeUInt32BE(1000, 16);
  }
  return bytes;
}

describe('RTCP', () => {
  const CALLER_RTCP = { ...CALLER, port: 4001 };
  const CALLEE_RTCP = { ...CALLEE, port: 5001 };

  test('is untouched while the numbers are the sender’s', () => {
    const call = new VirtualCall();
    call.run(100);
    call.play(['a', 5, 100]);
    call.run(400);
    for (const type of ['sender', 'receiver'] as const) {
      const bytes = report(type);
      const [side, source] =
        type === 'sender' ? (['caller', CALLER_RTCP] as const) : (['callee', CALLEE_RTCP] as const);
      expect(call.relay.receiveRtcp(side, bytes, source)).toBe('forward');
      expect(bytes).toEqual(report(type));
    }
    expect(call.relay.rtcpDestination('callee')).toEqual(CALLEE_RTCP);
    const { caller, callee } = call.relay.counters(0);
    expect([caller.receivedRtcpPackets, callee.sentRtcpPackets]).toEqual([1, 1]);
  });

  test('counts the packets we put in, and reports in the sender’s numbers', () => {
    const call = new VirtualCall();
    call.run(100);
    call.isTalking = false;
    call.play(['a', 5, 100]);
    call.run(400);
    const sender = report('sender');
    call.relay.receiveRtcp('caller', sender, CALLER_RTCP);
    expect(senderPacketCount(sender, 0)).toBe(107);
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

  test('goes to a peer on hold', () => {
    const call = new VirtualCall({ callee: { maySend: false } });
    expect(call.relay.receiveRtcp('caller', report('sender'), CALLER_RTCP)).toBe('forward');
  });
});
