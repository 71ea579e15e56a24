import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import { createLegCounters, DROP_REASONS } from '../../../src/media/relay-counters.ts';
import { Relay } from '../../../src/media/relay.ts';
import { rtpMarker, rtpPayloadType } from '../../../src/wire/rtp.ts';
import { audioPacket, eventPacket, KEYPAD } from './media-samples.ts';
import { CALLER, VirtualCall } from './virtual-call.ts';

function reasonFor(
  packet: Buffer,
  options: ConstructorParameters<typeof VirtualCall>[0] = {},
): string[] {
  const call = new VirtualCall(options);
  call.deliver(packet);
  const { dropped } = call.relay.counters(0).caller;
  return DROP_REASONS.filter((reason) => dropped[reason] > 0);
}

describe('packets dropped', () => {
  const eventHeader = eventPacket().subarray(0, 12);

  test.each<[string, Buffer, ConstructorParameters<typeof VirtualCall>[0]?]>([
    ['not-rtp', Buffer.alloc(3)],
    ['not-rtp', Buffer.from('80c900010000aaaa0000aaaa', 'hex')],
    [
      'unknown-source',
      audioPacket(),
      { caller: { remote: { address: '9.9.9.9', rtpPort: 1, rtcpPort: 2 } } },
    ],
    ['no-remote', audioPacket(), { caller: { remote: undefined } }],
    ['no-remote', audioPacket(), { callee: { remote: undefined } }],
    ['media-inactive', audioPacket(), { callee: { maySend: false } }],
    ['bad-event-length', Buffer.concat([eventHeader, Buffer.alloc(5)])],
    ['bad-event-length', eventHeader],
    ['malformed', Buffer.concat([Buffer.from([0x8f]), eventHeader.subarray(1)])],
    ['event-absorbed', eventPacket(), { events: { caller: { mode: 'absorb', detect: true } } }],
    ['event-not-accepted', eventPacket({ code: 17 })],
  ])('%s', (reason, packet, options) => {
    expect(reasonFor(packet, options)).toEqual([reason]);
  });

  test('late', () => {
    const call = new VirtualCall();
    call.run(50);
    call.play(['a', 5, 40]);
    call.run(200);
    call.deliver(audioPacket({ sequenceNumber: 65_531 }));
    expect(call.relay.counters(0).caller.dropped.late).toBe(1);
  });

  test('before the first offer/answer is complete', () => {
    const relay = new Relay(
      { renameSource: (name) => name, random: () => 0, inactivityTimeoutMs: 1, holdTimeoutMs: 2 },
      0,
    );
    expect(relay.receiveRtp('caller', audioPacket(), CALLER, 0)).toBe('drop');
    relay.playDigit('callee', { digitId: 'a', eventCode: 5, durationMs: 100 });
    expect(relay.takeOutputs()).toEqual([
      { type: 'digitDropped', to: 'callee', digitId: 'a', reason: 'media-inactive' },
    ]);
    expect(relay.hasOutputs).toBe(false);
  });

  test('every reason has a counter', () => {
    expect(Object.keys(createLegCounters().dropped)).toEqual([...DROP_REASONS]);
  });
});

test('four bytes on a dynamic number nobody negotiated are counted as such and go no further', () => {
  const call = new VirtualCall();
  call.deliver(eventPacket({ payloadType: 99, sequenceNumber: 0 }));
  call.deliver(audioPacket({ payloadType: 99, sequenceNumber: 1 }));
  call.deliver(eventPacket({ payloadType: 13, sequenceNumber: 2 }));
  const { unnegotiatedEventPackets, dropped } = call.relay.counters(0).caller;
  expect([unnegotiatedEventPackets, dropped['event-not-accepted']]).toEqual([1, 1]);
  expect(call.arrived.map(({ bytes }) => rtpPayloadType(bytes))).toEqual([99, 13]);
});

function eventOn(payloadType: number): LegMedia['event'] {
  return {
    sendPayloadType: payloadType,
    receivePayloadTypes: [payloadType],
    clockRate: 8000,
    events: KEYPAD,
  };
}

describe('any payload type', () => {
  test.each(KEYPAD.map((n) => 96 + n * 2))('event number %i is accepted and mapped', (number) => {
    const call = new VirtualCall({
      caller: { event: eventOn(number) },
      callee: { event: eventOn(223 - number) },
    });
    call.deliver(eventPacket({ payloadType: number, marker: true }));
    expect(call.arrived.map(({ bytes }) => rtpPayloadType(bytes))).toEqual([223 - number]);
    expect(call.arrived.map(({ bytes }) => rtpMarker(bytes))).toEqual([true]);
  });
});

test('loss and jitter of a peer are counted', () => {
  const call = new VirtualCall();
  for (const index of [0, 1, 4, 3, 6]) {
    call.nowMs = index * 20 + (index === 4 ? 10 : 0);
    call.deliver(audioPacket({ sequenceNumber: 10 + index, timestamp: index * 160 }));
  }
  const { lostPackets, jitterMs, receivedPackets, source } = call.relay.counters(200).caller;
  expect({ lostPackets, receivedPackets, source }).toEqual({
    lostPackets: 2,
    receivedPackets: 5,
    source: '127.0.0.1:4000',
  });
  expect(jitterMs).toBeGreaterThan(0.5);
  expect(jitterMs).toBeLessThan(2);
  call.deliver(audioPacket({ ssrc: 5, sequenceNumber: 60_000 }));
  expect(call.relay.counters(0).caller.lostPackets).toBe(2);
});

test('any bytes never throw', () => {
  const call = new VirtualCall();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(127),
      fc.nat(500),
      (bytes, second, waitMs) => {
        call.nowMs += waitMs;
        const packet = Buffer.concat([Buffer.from([0x80, second]), Buffer.from(bytes)]);
        call.deliver(Buffer.from(bytes));
        call.deliver(packet);
        call.relay.receiveRtcp('caller', Buffer.from(bytes), { ...CALLER, port: 4001 });
        call.relay.poll(call.nowMs);
        call.settle();
        expect(call.relay.hasOutputs).toBe(false);
        if (waitMs % 7 === 0) call.play(['a', second & 15, waitMs]);
      },
    ),
    { numRuns: 1000 },
  );
});
