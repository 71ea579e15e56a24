import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineQueue } from '../../../../src/engine/transaction/deadline-queue.ts';

function drain(queue: DeadlineQueue<string>, nowMs: number): string[] {
  const items: string[] = [];
  for (let item = queue.takeDue(nowMs); item !== undefined; item = queue.takeDue(nowMs))
    items.push(item);
  return items;
}

test('items come out in the order of their deadlines, none before its time', () => {
  const queue = new DeadlineQueue<string>();
  queue.set('late', 300);
  queue.set('early', 100);
  queue.set('middle', 200);
  expect(queue.nextAtMs).toBe(100);
  expect(drain(queue, 99)).toEqual([]);
  expect(drain(queue, 250)).toEqual(['early', 'middle']);
  expect(queue.size).toBe(1);
  expect(queue.nextAtMs).toBe(300);
});

test('a moved or dropped deadline does not come up any more', () => {
  const queue = new DeadlineQueue<string>();
  queue.set('moved', 100);
  queue.set('moved', 500);
  queue.set('dropped', 150);
  queue.set('dropped', undefined);
  queue.set('never', Number.POSITIVE_INFINITY);
  queue.set('there and back', 200);
  queue.set('there and back', 900);
  queue.set('there and back', 200);
  expect(drain(queue, 400)).toEqual(['there and back']);
  expect(drain(queue, 1000)).toEqual(['moved']);
  expect(queue.nextAtMs).toBeUndefined();
  queue.set('again', 100);
  queue.clear();
  expect(drain(queue, 1000)).toEqual([]);
});

test('any sequence of settings: each item once, at its last deadline, in order', () => {
  const settings = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1000 })),
  );
  fc.assert(
    fc.property(settings, (steps) => {
      const queue = new DeadlineQueue<string>();
      const last = new Map<string, number>();
      for (const [item, atMs] of steps) {
        queue.set(`item ${item}`, atMs);
        last.set(`item ${item}`, atMs);
      }
      const order = drain(queue, 1000);
      expect(order.map((item) => last.get(item))).toEqual(
        [...last.values()].toSorted((a, b) => a - b),
      );
    }),
  );
});
