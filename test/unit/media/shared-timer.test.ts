/** One timer for many items: who is called when, and how often the timer is set for it. */
import { expect, test } from 'vitest';
import { SharedTimer } from '../../../src/media/shared-timer.ts';

class Bed {
  readonly called: string[] = [];
  /** Times the timer was set to, relative to the start. */
  readonly timers: number[] = [];
  readonly startMs = performance.now();
  onDue: (item: string, nowMs: number) => void = () => undefined;
  #run: () => void = () => undefined;
  readonly timer = new SharedTimer<string>(
    (item, nowMs) => {
      this.called.push(item);
      this.onDue(item, nowMs);
    },
    (atMs, run) => {
      this.timers.push(Math.round(atMs - this.startMs));
      this.#run = run;
    },
  );

  set(item: string, inMs: number): void {
    this.timer.setBy(item, this.startMs + inMs);
  }

  /** The timer fires. */
  fire(): void {
    this.#run();
  }
}

test('the timer is set for the first item and for earlier ones alone', () => {
  const bed = new Bed();
  bed.set('b', 50_000);
  bed.set('c', 60_000);
  bed.set('a', 40_000);
  bed.set('a', 45_000);
  expect(bed.timers).toEqual([50_000, 40_000]);
});

test('all that is due is called at once, in order, and the timer is set for the next one', () => {
  const bed = new Bed();
  bed.set('late', 70_000);
  bed.set('second', -10);
  bed.set('first', -20);
  bed.fire();
  expect(bed.called).toEqual(['first', 'second']);
  expect(bed.timers.at(-1)).toBe(70_000);
});

test('items that are set again while due ones are called cost one timer', () => {
  const bed = new Bed();
  bed.onDue = (item) => bed.set(item, item === 'a' ? 90_000 : 80_000);
  bed.set('b', -5);
  bed.set('a', -10);
  const before = bed.timers.length;
  bed.fire();
  expect(bed.timers.slice(before)).toEqual([80_000]);
});

test('who is forgotten is not called, and nobody leaves no timer', () => {
  const bed = new Bed();
  bed.set('a', -10);
  bed.timer.delete('a');
  bed.fire();
  expect(bed.called).toEqual([]);
  expect(bed.timers).toEqual([-10]);
});
