import { describe, expect, test } from 'vitest';
import { Relay } from '../../../src/media/relay.ts';
import { rtpSequenceNumber } from '../../../src/wire/rtp.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

const SOURCE = { address: '127.0.0.1', port: 10_000 };

/** The caller's leg has no telephone-event, the callee's may have. */
function openRelay(calleeHasEvents: boolean): Relay {
  const options = {
    random: () => 0.5,
    renameSource: (name: Buffer) => name,
    inactivityTimeoutMs: 60_000,
    holdTimeoutMs: 60_000,
  };
  const relay = new Relay(options, 0);
  const caller = sampleLeg(SOURCE.port, { event: undefined });
  const callee = sampleLeg(11_000, calleeHasEvents ? {} : { event: undefined });
  relay.update(sampleUpdate(caller, callee, { caller: { mode: 'absorb', detect: false } }), 0);
  return relay;
}

describe('telephone-events of a leg that did not negotiate them', () => {
  test.each([
    ['reached a leg with telephone-event they would double the digit', true],
    ['reached a leg without it they would be an unknown payload type', false],
  ])('go no further: if they %s', (_reason, calleeHasEvents) => {
    const relay = openRelay(calleeHasEvents);
    const packets = [
      audioPacket({ sequenceNumber: 1, timestamp: 160 }),
      eventPacket({ sequenceNumber: 2, timestamp: 320, marker: true }),
      eventPacket({ sequenceNumber: 3, timestamp: 320, isEnd: true }),
      audioPacket({ sequenceNumber: 4, timestamp: 640 }),
    ];

    const verdicts = packets.map((packet, index) =>
      relay.receiveRtp('caller', packet, SOURCE, index * 20),
    );

    expect(verdicts).toEqual(['forward', 'drop', 'drop', 'forward']);
    expect(packets.map(rtpSequenceNumber)).toEqual([1, 2, 3, 2]);
    const { caller } = relay.counters(100);
    expect(caller.unnegotiatedEventPackets).toBe(2);
    expect(caller.dropped['event-not-accepted']).toBe(2);
    expect(relay.takeOutputs()).toEqual([]);
  });

  test('are told from other payloads by number and length', () => {
    const relay = openRelay(true);
    const packets = [
      audioPacket({ payloadType: 110, sequenceNumber: 1 }),
      eventPacket({ payloadType: 18, sequenceNumber: 2 }),
    ];

    expect(packets.map((packet) => relay.receiveRtp('caller', packet, SOURCE, 0))).toEqual([
      'forward',
      'forward',
    ]);
  });
});
