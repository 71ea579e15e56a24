/** The judgement over received RTP: each irregularity is found, and a regular stream is called regular. */

import { describe, expect, test } from 'vitest';
import { freePortRange, freePorts } from '../../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../support/leak-check.ts';
import {
  eventProblems,
  receivedDigits,
  receivedEvents,
  RELAYED_EVENTS,
  streamProblems,
} from '../../support/rtp-analysis.ts';
import {
  buildEvent,
  buildRtp,
  parseEvent,
  parseRtp,
  wrapDistance,
} from '../../support/rtp-packet.ts';
import { RtpPeer } from '../../support/rtp-peer.ts';
import type { PressOptions, RecordedPacket } from '../../support/rtp-peer.ts';
import { waitFor } from '../../support/wait-for.ts';

checkLeaksAfterEach();

/** [sequence number, marker, event code, end, duration] */
type Row = [number, boolean, number, boolean, number];

const REGULAR: Row[] = [
  [1, true, 5, false, 160],
  [2, false, 5, false, 320],
  [3, false, 5, true, 480],
  [4, false, 5, true, 480],
  [5, false, 5, true, 480],
];

function record(rows: readonly Row[], timestamp = 1000): RecordedPacket[] {
  return rows.map(([sequenceNumber, marker, eventCode, isEnd, durationTicks], index) => ({
    payloadType: 101,
    marker,
    sequenceNumber,
    timestamp,
    ssrc: 7,
    payload: buildEvent({ eventCode, isEnd, volume: 10, durationTicks }),
    atMs: index * 20,
    address: '127.0.0.1',
    port: 4000,
  }));
}

function audio(sequenceNumber: number, timestamp: number, atMs: number): RecordedPacket {
  return {
    payloadType: 0,
    marker: false,
    sequenceNumber,
    timestamp,
    ssrc: 7,
    payload: Buffer.alloc(160),
    atMs,
    address: '127.0.0.1',
    port: 4000,
  };
}

/** A second of audio that from packet `from` on has a shifted clock or comes later. */
function stream(
  from: number,
  { jumpTicks = 0, delayMs = 0 }: { jumpTicks?: number; delayMs?: number } = {},
): RecordedPacket[] {
  return Array.from({ length: 60 }, (_, index) =>
    index < from
      ? audio(index, index * 160, index * 20)
      : audio(index, index * 160 + jumpTicks - (jumpTicks === 0 ? 0 : 160), index * 20 + delayMs),
  );
}

function problemsOf(rows: readonly Row[]): string {
  const events = receivedEvents(record(rows), 101);
  return events.flatMap((event) => eventProblems(event)).join('; ');
}

describe('one key', () => {
  test('a regular one has no problem', () => {
    expect(problemsOf(REGULAR)).toBe('');
    expect(receivedDigits(record(REGULAR), 101)).toBe('5');
  });

  test.each<[string, Row[], string]>([
    ['no marker', [[1, false, 5, false, 160], ...REGULAR.slice(1)], 'no marker'],
    [
      'two markers',
      [...REGULAR.slice(0, 4), [5, true, 5, true, 480]],
      'later packet has the marker',
    ],
    ['two end packets', REGULAR.slice(0, 4), '2 end packets, not 3'],
    ['an update after the end', [...REGULAR, [6, false, 5, false, 640]], 'followed by an update'],
    ['differing ends', [...REGULAR.slice(0, 4), [5, false, 5, true, 490]], 'differ in duration'],
    ['a hole', [...REGULAR.slice(0, 4), [6, false, 5, true, 480]], 'steps by 2'],
    ['a standing duration', [...REGULAR.slice(0, 1), [2, false, 5, false, 160]], 'does not rise'],
  ])('%s is found', (_name, rows, problem) => {
    expect(problemsOf(rows)).toContain(problem);
  });

  test.each([
    ['a burst', 1, []],
    ['time', 20, ['key 5 at 1000: 42 end packets, not 3']],
  ])('end packets of a relay may be many in %s', (_what, stepMs, problems) => {
    const ends = Array.from({ length: 42 }, (_, index): Row => [3 + index, false, 5, true, 480]);
    const packets = record([...REGULAR.slice(0, 2), ...ends]);
    const [event] = receivedEvents(
      packets.map((packet, index) => ({ ...packet, atMs: index * stepMs })),
      101,
    );
    expect(event && eventProblems(event, RELAYED_EVENTS)).toEqual(problems);
    expect(event && eventProblems(event)).toEqual(['key 5 at 1000: 42 end packets, not 3']);
  });

  test('a wrong tone length is found', () => {
    const [event] = receivedEvents(record(REGULAR), 101);
    expect(event && eventProblems(event, { durationMs: 100 })).toEqual([
      'key 5 at 1000: the tone lasts 60 ms, not 100 ms',
    ]);
  });
});

describe('one stream', () => {
  test.each<[string, RecordedPacket[], string]>([
    ['a regular one', [audio(65_535, 4_294_967_200, 0), audio(0, 64, 20)], ''],
    ['a hole', [audio(1, 0, 0), audio(3, 320, 40)], 'packet 1 (seq 3) steps by 2'],
    ['re-use', [audio(1, 0, 0), audio(1, 160, 20)], 'packet 1 (seq 1) steps by 0'],
    [
      'a step back',
      [audio(1, 320, 0), audio(2, 160, 20)],
      'packet 1 (seq 2) goes back by 160 ticks',
    ],
    [
      'a crooked step',
      [audio(1, 0, 0), audio(2, 150, 20)],
      'packet 1 (seq 2) leaves the frame raster (150 ticks)',
    ],
    ['a jump', stream(30, { jumpTicks: 16_000 }), 'packet 30 (seq 30) strays by 1980 ms'],
    ['lost time', stream(30, { delayMs: 500 }), 'packet 30 (seq 30) strays by -500 ms'],
  ])('%s', (_name, packets, problem) => {
    expect(streamProblems(packets).join('; ')).toBe(problem);
  });

  test('audio that a stalled machine delivers in one burst is no problem', () => {
    const held = stream(30).map((packet, index) =>
      index >= 10 && index < 40 ? { ...packet, atMs: 800 } : packet,
    );
    expect(streamProblems(held)).toEqual([]);
  });

  test('another SSRC and an unknown payload type are found', () => {
    const other = { ...audio(2, 160, 20), ssrc: 8, payloadType: 96 };
    expect(streamProblems([audio(1, 0, 0), other])).toEqual([
      'packet 1 (seq 2) has another SSRC',
      'packet 1 (seq 2) has payload type 96',
    ]);
  });
});

describe('bytes', () => {
  test('packets and events read back as written', () => {
    const payload = buildEvent({ eventCode: 11, isEnd: true, volume: 63, durationTicks: 65_535 });
    const fields = {
      payloadType: 127,
      marker: true,
      sequenceNumber: 65_535,
      timestamp: 4_294_967_295,
      ssrc: 4_294_967_295,
      payload,
    };
    expect(parseRtp(buildRtp(fields))).toEqual(fields);
    expect(parseEvent(payload)?.durationTicks).toBe(65_535);
    expect(parseRtp(Buffer.alloc(12))).toBeUndefined();
  });

  test('CSRC, extension and padding are left out of the payload', () => {
    const bytes = Buffer.from(
      'b1000001000000020000000300000004bede000100000000aabb0002'.replaceAll(' ', ''),
      'hex',
    );
    expect(parseRtp(bytes)?.payload.toString('hex')).toBe('aabb');
  });

  test.each([
    [65_535, 0, 1],
    [0, 65_535, -1],
    [5, 5, 0],
    [0, 32_767, 32_767],
  ])('from %i to %i is %i', (from, to, distance) => {
    expect(wrapDistance(from, to, 65_536)).toBe(distance);
  });
});

describe('faults sent on purpose', () => {
  test.each<[string, PressOptions, string]>([
    ['no marker', { marker: false }, 'no marker'],
    ['one end packet', { endPackets: 1 }, '1 end packets'],
    ['copies', { copies: 2 }, 'steps by 0'],
    ['a lost first packet', { isLost: (index) => index === 0 }, 'no marker'],
  ])('%s', async (_name, options, problem) => {
    const [from, to] = await Promise.all([RtpPeer.open(), RtpPeer.open()]);
    [from, to].forEach(closeAfterTest);
    from.setRemote(to);
    await from.press('7', { durationMs: 40, ...options });
    const lost = options.isLost === undefined ? 0 : 1;
    const count = from.sent.length * (options.copies ?? 1) - lost;
    await waitFor('all packets', () => to.received.length === count);
    const [event] = receivedEvents(to.received, 101);
    expect(event && eventProblems(event).join('; ')).toContain(problem);
  });
});

test('free ports are different, and a range is even and whole', async () => {
  const ports = await freePorts(4);
  expect(new Set(ports).size).toBe(4);
  const range = await freePortRange(8);
  expect([range.first % 2, range.last - range.first]).toEqual([0, 7]);
});
