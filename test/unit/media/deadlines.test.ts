import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../../src/media/deadlines.ts';

test('items come out when due, the earliest first', () => {
  const deadlines = new Deadlines<string>();
  deadlines.set('b', 20);
  deadlines.set('a', 10);
  deadlines.set('c', 30);
  expect(deadlines.nextAtMs).toBe(10);
  expect(deadlines.takeDue(9)).toBeUndefined();
  expect(deadlines.takeDue(20)).toEqual({ item: 'a', atMs: 10 });
  expect(deadlines.takeDue(20)).toEqual({ item: 'b', atMs: 20 });
  expect(deadlines.takeDue(20)).toBeUndefined();
  expect(deadlines.get('c')).toBe(30);
});

test('a moved deadline counts, the old one does not', () => {
  const deadlines = new Deadlines<string>();
  deadlines.set('a', 10);
  deadlines.set('a', 10);
  deadlines.set('a', 40);
  expect(deadlines.nextAtMs).toBe(40);
  deadlines.set('a', 5);
  expect(deadlines.takeDue(40)).toEqual({ item: 'a', atMs: 5 });
  expect(deadlines.nextAtMs).toBeUndefined();
});

test('a forgotten item never comes', () => {
  const deadlines = new Deadlines<string>();
  deadlines.set('a', 10);
  deadlines.delete('a');
  expect(deadlines.takeDue(99)).toBeUndefined();
});

test('any order of setting and taking agrees with a sorted list', () => {
  const anyStep = fc.record({ item: fc.nat(9), atMs: fc.nat(50), take: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const deadlines = new Deadlines<number>();
      const model = new Map<number, number>();
      for (const { item, atMs, take } of steps) {
        if (!take) {
          deadlines.set(item, atMs);
          model.set(item, atMs);
          continue;
        }
        const earliest = Math.min(...model.values());
        const due = deadlines.takeDue(atMs);
        expect(due?.atMs).toBe(earliest <= atMs ? earliest : undefined);
        if (due === undefined) continue;
        expect(model.get(due.item)).toBe(due.atMs);
        model.delete(due.item);
      }
    }),
  );
});

test('turns of the wheel, moves, cancellations and time that goes on agree with a list', () => {
  const anyStep = fc.oneof(
    fc.record({ type: fc.constant('set' as const), item: fc.nat(9), inMs: fc.nat(4000) }),
    fc.record({ type: fc.constant('delete' as const), item: fc.nat(9) }),
    fc.record({ type: fc.constant('wait' as const), forMs: fc.nat(3000) }),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      const deadlines = new Deadlines<number>();
      const model = new Map<number, number>();
      let nowMs = 0.25;
      for (const step of steps) {
        if (step.type === 'set') {
          const atMs = nowMs + step.inMs / 7 - 3;
          deadlines.set(step.item, atMs);
          model.set(step.item, atMs);
        } else if (step.type === 'delete') {
          deadlines.delete(step.item);
          model.delete(step.item);
        } else nowMs += step.forMs / 7;
        const earliest = Math.min(...model.values());
        expect(deadlines.nextAtMs ?? Infinity).toBe(earliest);
        const due = deadlines.takeDue(nowMs);
        expect(due && Math.floor(due.atMs)).toBe(
          earliest > nowMs ? undefined : Math.floor(earliest),
        );
        if (due === undefined) continue;
        expect(model.get(due.item)).toBe(due.atMs);
        expect(deadlines.get(due.item)).toBeUndefined();
        model.delete(due.item);
      }
    }),
  );
});
