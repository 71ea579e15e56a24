import { describe, expect, test } from 'vitest';
import type { DetectorOutput } from '../../../src/dtmf/digit-detector.ts';
import { addSequence16, addSequence32 } from '../../../src/wire/sequence.ts';
import {
  createDetector,
  describeOutputs,
  feed,
  play,
  STARTS,
  type Options,
  type Row,
} from './detector-play.ts';

describe.each(STARTS)('starting at timestamp %i', (start) => {
  test.each<[string, string, Row[], Options?]>([
    [
      'three end packets are one press',
      '5 5/150',
      [
        [0, 0, '5', 'M', 400],
        [50, 0, '5', '', 800],
        [100, 0, '5', 'E', 1200],
        [150, 0, '5', 'E', 1200],
        [200, 0, '5', 'E', 1200],
      ],
    ],
    ['a single end packet is a press', '5 5/100', [[0, 0, '5', 'E', 800]]],
    ['a single first packet is a press, ended by silence', '5 5/50', [[0, 0, '5', 'M', 400]]],
    [
      'an E only on the repeats ends it as well',
      '1 1/150',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 1200],
        [100, 0, '1', 'E', 1200],
        [150, 0, '1', 'E', 1200],
      ],
    ],
    [
      'all end packets lost: the next press ends it',
      '1 1/50 2 2/100',
      [
        [0, 0, '1', 'M', 400],
        [100, 1280, '2', 'M', 400],
        [150, 1280, '2', 'E', 800],
      ],
    ],
    [
      'the same digit twice is two presses',
      '5 5/100 5 5/100',
      [
        [0, 0, '5', 'M', 400],
        [50, 0, '5', 'E', 800],
        [160, 1280, '5', 'M', 400],
        [210, 1280, '5', 'E', 800],
      ],
    ],
    [
      'two digits with the same timestamp are two presses',
      '5 5/100 6 6/100',
      [
        [0, 0, '5', 'M', 400],
        [50, 0, '5', 'E', 800],
        [160, 0, '6', 'M', 400],
        [210, 0, '6', 'E', 800],
      ],
    ],
    [
      'the same digit with the same timestamp: a marker behind the repeats is a new press',
      '5 5/100 5 5/100',
      [
        [0, 0, '5', 'M', 400],
        [50, 0, '5', 'E', 800],
        [100, 0, '5', 'E', 800],
        [150, 0, '5', 'E', 800],
        [200, 0, '5', 'M', 400],
        [250, 0, '5', 'E', 800],
        [300, 0, '5', 'E', 800],
      ],
    ],
    [
      'a marker on the repeats themselves is none',
      '5 5/100',
      [
        [0, 0, '5', 'M', 400],
        [50, 0, '5', 'ME', 800],
        [100, 0, '5', 'ME', 800],
        [150, 0, '5', 'ME', 800],
      ],
    ],
    [
      'a marker without an E before it is none',
      '5 5/50',
      [
        [0, 0, '5', 'M', 400],
        [400, 0, '5', 'M', 800],
      ],
    ],
    [
      'a gap inside one timestamp is one press, whatever comes behind the timeout',
      '5 5/40',
      [
        [0, 0, '5', 'M', 160],
        [20, 0, '5', '', 320],
        [320, 0, '5', '', 2560],
        [1696, 0, '5', 'E', 13_568],
      ],
    ],
    [
      'late repeats behind the next press add nothing',
      '1 1/100 2 2/100',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', 'E', 800],
        [160, 1280, '2', 'M', 400, 5],
        [161, 0, '1', 'E', 800, 3],
        [210, 1280, '2', 'E', 800, 6],
        [211, 0, '1', 'E', 800, 4],
      ],
    ],
    [
      'a late packet of a press nobody saw is dropped: order counts',
      '2 2/100',
      [
        [160, 1280, '2', 'M', 400, 5],
        [161, 0, '1', 'E', 800, 3],
        [210, 1280, '2', 'E', 800, 6],
      ],
    ],
    [
      'a stream that starts again further back is heard',
      '2 2/50 1 1/100',
      [
        [0, 100_000, '2', 'ME', 400, 500],
        [500, 0, '1', 'ME', 800, 100],
      ],
    ],
    [
      'a timestamp that went back with a running sequence is heard',
      '2 2/50 1 1/100',
      [
        [0, 100_000, '2', 'ME', 400],
        [500, 0, '1', 'ME', 800],
      ],
    ],
    [
      'reordered ends before updates are one press',
      '3 3/100',
      [
        [0, 0, '3', 'M', 400, 0],
        [50, 0, '3', 'E', 800, 2],
        [51, 0, '3', '', 600, 1],
        [60, 0, '3', 'E', 800, 3],
      ],
    ],
    [
      'overlapping keys: the first one ends, both are reported in order',
      '1 1/100 2 2/100',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 800],
        [60, 480, '2', 'M', 400],
        [70, 0, '1', 'E', 900],
        [110, 480, '2', 'E', 800],
      ],
    ],
    [
      'end packets with a moved timestamp are repeats',
      '1 1/160',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 1200],
        [100, 0, '1', 'E', 1280],
        [120, 480, '1', 'E', 1280],
        [140, 960, '1', 'E', 1280],
      ],
    ],
    [
      'a moved end packet ends the press when the others were lost',
      '1 1/150',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 1200],
        [120, 480, '1', 'E', 1280],
        [140, 960, '1', 'E', 1280],
      ],
    ],
    [
      'moved end packets are presses when the repair is off',
      '1 1/160 1 1/160',
      [
        [0, 0, '1', 'M', 400],
        [100, 0, '1', 'E', 1280],
        [120, 480, '1', 'E', 1280],
      ],
      { repairMovedEnd: false },
    ],
    [
      'a short press behind the span is no moved end packet',
      '1 1/100 1 1/100',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', 'E', 800],
        [160, 801, '1', 'E', 800],
      ],
    ],
    [
      'an end packet inside the span but far away in sequence is a press',
      '1 1/100 1 1/100',
      [
        [0, 0, '1', 'E', 800, 0],
        [160, 700, '1', 'E', 800, 6],
      ],
    ],
    [
      'senders that move every timestamp are one press within the merge window',
      '2 2/60',
      [
        [0, 0, '2', 'M', 160],
        [20, 160, '2', '', 160],
        [40, 320, '2', '', 160],
        [60, 480, '2', 'E', 160],
        [80, 640, '2', 'E', 160],
        [100, 800, '2', 'E', 160],
      ],
      { mergeWindowMs: 100, repairMovedEnd: false },
    ],
    [
      'the merge window does not merge another digit, nor the same one behind it',
      '2 2/20 3 3/20 2 2/20 2 2/20',
      [
        [0, 0, '2', 'ME', 160],
        [20, 800, '3', 'ME', 160],
        [40, 1600, '2', 'ME', 160],
        [140, 2400, '2', 'ME', 160],
      ],
      { mergeWindowMs: 100 },
    ],
  ])('%s', (_name, expected, rows, options) => {
    const outputs = play(start, rows, options);
    expect(describeOutputs(outputs).replace('2/60', '2/120')).toBe(
      expected.replace('2/60', '2/120'),
    );
  });

  test('a key held 20 s is one press: segments join', () => {
    const detector = createDetector();
    const outputs: DetectorOutput[] = [];
    for (let atMs = 50; atMs <= 20_000; atMs += 50) {
      const segment = Math.floor((atMs * 8 - 1) / 0xffff);
      outputs.push(
        ...feed(detector, {
          atMs,
          timestamp: addSequence32(start, segment * 0xffff),
          code: 1,
          isEnd: atMs === 20_000,
          durationTicks: atMs * 8 - segment * 0xffff,
          sequenceNumber: addSequence16(start & 0xffff, atMs / 50),
        }),
      );
    }
    expect(describeOutputs(outputs)).toBe('1 1/20000');
    expect(outputs.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual([start, start]);
  });

  test('a segment behind a timeout is no new press', () => {
    const rows: Row[] = [
      [0, 0, '1', 'M', 0xffff],
      [500, 0xffff, '1', '', 400],
      [550, 0xffff, '1', 'E', 800],
    ];
    expect(describeOutputs(play(start, rows))).toBe('1 1/250');
  });

  test('a packet of an earlier segment changes nothing', () => {
    const rows: Row[] = [
      [0, 0, '1', 'M', 0xffff],
      [10, 0xffff, '1', '', 80],
      [11, 0, '1', '', 0xffff],
      [20, 0xffff, '1', 'E', 160],
    ];
    expect(describeOutputs(play(start, rows))).toBe('1 1/270');
  });

  test('a press exactly one segment behind an ended one is a press', () => {
    const rows: Row[] = [
      [0, 0, '1', 'ME', 800],
      [8192, 0xffff, '1', 'ME', 800],
    ];
    expect(describeOutputs(play(start, rows))).toBe('1 1/100 1 1/100');
  });
});
