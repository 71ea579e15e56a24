/** Reports that are older than what was heard before them, or look like it. */
import { describe, expect, test } from 'vitest';
import { describeOutputs, play, STARTS, type Row } from './detector-play.ts';

describe.each(STARTS)('starting at timestamp %i', (start) => {
  test.each<[string, string, Row[]]>([
    [
      'a short press whose own length does not reach back to the one before is no moved end packet',
      '1 1/50 1 1/50',
      [
        [0, 0, '1', 'M', 400],
        [110, 600, '1', 'E', 400],
      ],
    ],
    [
      'an end far longer than the next update would have been is no moved end packet',
      '1 1/50 1 1/150',
      [
        [0, 0, '1', 'M', 400],
        [110, 600, '1', 'E', 1200],
      ],
    ],
    [
      'an end moved behind the last update, one interval longer than it, belongs to it',
      '1 1/113',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 800],
        [120, 900, '1', 'E', 1200],
      ],
    ],
    [
      'an end with an earlier timestamp far on in the numbers is a press',
      '1 1/100 1 1/100',
      [
        [0, 1280, '1', 'E', 800, 0],
        [160, 0, '1', 'E', 800, 101],
      ],
    ],
    [
      'the last repeats of a press nobody heard come too late behind the next press',
      '2 2/60',
      [
        [0, 1280, '2', 'M', 160],
        [10, 0, '1', 'E', 800],
        [20, 1280, '2', '', 320],
        [30, 0, '1', 'E', 800],
        [40, 1280, '2', 'E', 480],
      ],
    ],
    [
      'so do its last packets without E',
      '2 2/60',
      [
        [0, 1280, '2', 'M', 160],
        [20, 1280, '2', '', 320],
        [30, 0, '1', '', 800],
        [40, 1280, '2', 'E', 480],
      ],
    ],
    [
      'an end packet of the next press is no moved end of a press whose ends were lost',
      '1 1/100 1 1/41',
      [
        [0, 0, '1', 'M', 400],
        [50, 0, '1', '', 800],
        [130, 1032, '1', 'E', 328, 5],
      ],
    ],
    [
      'a marker says that a press with an earlier timestamp is new all the same',
      '2 2/60 1 1/100',
      [
        [0, 1280, '2', 'M', 160],
        [40, 1280, '2', 'E', 480],
        [160, 0, '1', 'M', 160],
        [260, 0, '1', 'E', 800],
      ],
    ],
    [
      'a sender whose timestamps begin anew without a marker is heard once audio came between',
      '2 2/60 1 1/140',
      [
        [0, 1280, '2', 'M', 160],
        [40, 1280, '2', 'E', 480],
        [160, 0, '1', '', 160, 20],
        [180, 0, '1', '', 320, 21],
        [200, 0, '1', '', 480, 22],
        [220, 0, '1', '', 640, 23],
        [240, 0, '1', '', 800, 24],
        [260, 0, '1', '', 960, 25],
        [280, 0, '1', 'E', 1120, 26],
      ],
    ],
  ])('%s', (_name, expected, rows) => {
    expect(describeOutputs(play(start, rows))).toBe(expected);
  });
});
