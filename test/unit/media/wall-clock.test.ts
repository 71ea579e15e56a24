import { afterEach, expect, test, vi } from 'vitest';
import { WallClock } from '../../../src/media/wall-clock.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('the wall clock of now is that of Date.now', () => {
  const clock = new WallClock();
  clock.adjust();
  expect(Math.abs(clock.at(performance.now()) - Date.now())).toBeLessThan(20);
});

test('a wall clock that was set is followed', () => {
  const clock = new WallClock();
  const setMs = Date.now() + 3_600_000;
  vi.spyOn(Date, 'now').mockReturnValue(setMs);
  clock.adjust();
  expect(Math.abs(clock.at(performance.now()) - setMs)).toBeLessThan(20);
});
