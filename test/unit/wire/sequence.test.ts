import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addSequence16,
  addSequence32,
  sequenceDistance16,
  sequenceDistance32,
} from '../../../src/wire/sequence.ts';

test.each([
  [0, 0, 0],
  [65_535, 2, 3],
  [2, 65_535, -3],
  [0, 32_767, 32_767],
  [0, 32_768, -32_768],
  [32_768, 0, -32_768],
  [0, 65_535, -1],
])('the 16-bit distance from %i to %i is %i', (from, to, distance) => {
  expect(sequenceDistance16(from, to)).toBe(distance);
});

test.each([
  [0, 0, 0],
  [0xffff_ffff, 2, 3],
  [2, 0xffff_ffff, -3],
  [0, 0x7fff_ffff, 0x7fff_ffff],
  [0, 0x8000_0000, -0x8000_0000],
  [0x8000_0000, 0, -0x8000_0000],
  [0x7fff_ffff, 0x8000_0000, 1],
])('the 32-bit distance from %i to %i is %i', (from, to, distance) => {
  expect(sequenceDistance32(from, to)).toBe(distance);
});

describe.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fc00, 0xffff_ffff])('from %i', (start) => {
  test('what is added is the distance', () => {
    fc.assert(
      fc.property(fc.integer({ min: -0x7fff, max: 0x7fff }), (steps) => {
        const start16 = start & 0xffff;
        expect(sequenceDistance16(start16, addSequence16(start16, steps))).toBe(steps);
        expect(sequenceDistance32(start, addSequence32(start, steps * 0x1_0000))).toBe(
          steps * 0x1_0000,
        );
      }),
    );
  });

  test('sums stay in range', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (steps) => {
        expect(addSequence16(start & 0xffff, steps)).toBe(
          (((start + steps) % 65_536) + 65_536) % 65_536,
        );
        expect(addSequence32(start, steps)).toBe((((start + steps) % 2 ** 32) + 2 ** 32) % 2 ** 32);
      }),
    );
  });
});
