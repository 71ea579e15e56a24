import { describe, expect, test } from 'vitest';
import { isOfPress } from '../../../src/media/press-before.ts';
import { Relay } from '../../../src/media/relay.ts';
import { rtpSequenceNumber } from '../../../src/wire/rtp.ts';
import { eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

const SOURCE = { address: '127.0.0.1', port: 10_000 };
const SSRC = 0x1111;

/** The caller came in the middle of a press of event 1 that began at timestamp 320. */
function openRelay(): Relay {
  const options = {
    random: () => 0.5,
    renameSource: (name: Buffer) => name,
    inactivityTimeoutMs: 60_000,
    holdTimeoutMs: 60_000,
  };
  const relay = new Relay(options, 0);
  const pressBefore = { ssrc: SSRC, rtpTimestamp: 320, eventCode: 1 };
  relay.update(sampleUpdate(sampleLeg(SOURCE.port, { pressBefore }), sampleLeg(11_000)), 0);
  return relay;
}

describe('a press that another stream has reported', () => {
  test('is neither forwarded nor reported again, the next one is', () => {
    const relay = openRelay();
    const packets = [
      eventPacket({ sequenceNumber: 7, timestamp: 320, code: 1 }),
      eventPacket({ sequenceNumber: 8, timestamp: 320, code: 1, isEnd: true }),
      eventPacket({ sequenceNumber: 9, timestamp: 1600, code: 1, marker: true }),
    ];

    const verdicts = packets.map((packet, index) =>
      relay.receiveRtp('caller', packet, SOURCE, index * 20),
    );
    const pressed = relay.takeOutputs().filter(({ type }) => type === 'digit');

    expect(verdicts).toEqual(['drop', 'drop', 'forward']);
    expect(packets.map(rtpSequenceNumber).at(-1)).toBe(7);
    expect(pressed).toHaveLength(1);
    expect(relay.counters(100).caller.dropped['event-absorbed']).toBe(2);
  });

  test.each([
    ['its own timestamp', { timestamp: 320 }, true],
    ['its next segment', { timestamp: 320 + 0xffff }, true],
    [
      'a segment across the end of the numbers',
      { timestamp: 320, began: 0xffff_ffff - 65_214 },
      true,
    ],
    ['another timestamp', { timestamp: 321 }, false],
    ['an earlier one', { timestamp: 0 }, false],
    ['a multiple of segments that no key is held for', { timestamp: 320 + 100 * 0xffff }, false],
    ['another event', { timestamp: 320, code: 2 }, false],
    ['another source', { timestamp: 320, ssrc: 5 }, false],
  ])('%s', (_case, { timestamp, began = 320, code = 1, ssrc = SSRC }: Case, expected) => {
    const press = { ssrc: SSRC, rtpTimestamp: began, eventCode: 1 };

    expect(isOfPress(eventPacket({ timestamp, ssrc }), code, press)).toBe(expected);
  });
});

interface Case {
  readonly timestamp: number;
  readonly began?: number;
  readonly code?: number;
  readonly ssrc?: number;
}
