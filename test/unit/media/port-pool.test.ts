import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PortPool } from '../../../src/media/port-pool.ts';

function createPool(portMin: number, portMax: number, quarantineMs = 1000): PortPool {
  return new PortPool({ portMin, portMax, quarantineMs, random: () => 0.5 });
}

test.each([
  [20_000, 20_007, 4],
  [20_001, 20_008, 3],
  [20_000, 20_001, 1],
  [20_000, 20_000, 0],
  [20_001, 20_002, 0],
  [65_534, 65_535, 1],
])('%i to %i are %i pairs', (portMin, portMax, pairs) => {
  const pool = createPool(portMin, portMax);
  expect(pool.free(0)).toBe(pairs);
  const ports = Array.from({ length: pairs }, () => pool.acquire(0));
  expect(ports.every((port) => port !== undefined && port % 2 === 0 && port + 1 <= portMax)).toBe(
    true,
  );
  expect(new Set(ports).size).toBe(pairs);
  expect(pool.acquire(0)).toBeUndefined();
  expect(pool.owned).toBe(pairs);
});

test.each([
  [0, 100],
  [65_530, 65_536],
  [Number.NaN, 100],
])('the range %d to %d is refused', (portMin, portMax) => {
  expect(() => createPool(portMin, portMax)).toThrow(RangeError);
});

test('a pair given back rests before it is handed out again', () => {
  const pool = createPool(20_000, 20_001);
  expect(pool.acquire(0)).toBe(20_000);
  pool.release(20_000, 500);
  expect(pool.resting(1499)).toBe(1);
  expect(pool.acquire(1499)).toBeUndefined();
  expect(pool.acquire(1500)).toBe(20_000);
});

test('a long rest is cut short, to two seconds, when nothing else is free', () => {
  const pool = createPool(20_000, 20_003, 30_000);
  const [first = 0, second = 0] = [pool.acquire(0), pool.acquire(0)];
  pool.release(first, 100);
  pool.release(second, 200);
  expect([pool.free(2099), pool.acquire(2099)]).toEqual([0, undefined]);
  expect([pool.free(2100), pool.acquire(2100)]).toEqual([1, first]);
  expect(pool.resting(2100)).toBe(1);
  pool.release(first, 2150);
  expect([pool.acquire(2200), pool.acquire(2200)]).toEqual([second, undefined]);
  // With a pair that has rested in full, nobody is hurried.
  expect(pool.acquire(32_150)).toBe(first);
});

test('a shortage has one cause: our own streams, pairs at rest, or other programs', () => {
  const pool = createPool(20_000, 20_003, 30_000);
  const [first = 0, second = 0] = [pool.acquire(0), pool.acquire(0)];
  expect(pool.shortage(0)).toBe('no-ports');
  pool.markTaken(first, 100);
  expect([pool.acquire(200), pool.shortage(200)]).toEqual([undefined, 'ports-taken']);
  pool.release(second, 300);
  expect([pool.acquire(400), pool.shortage(400)]).toEqual([undefined, 'ports-resting']);
  expect(() => pool.markTaken(first, 500)).toThrow(/without an owner/);
  // Whoever held it may be gone.
  expect(pool.acquire(30_100)).toBe(first);
});

test('without quarantine a pair is free at once', () => {
  const pool = createPool(20_000, 20_001, 0);
  pool.acquire(0);
  pool.release(20_000, 0);
  expect(pool.acquire(0)).toBe(20_000);
});

test('giving back what nobody has is a bug', () => {
  const pool = createPool(20_000, 20_003);
  expect(() => pool.release(20_000, 0)).toThrow('without an owner');
  const port = pool.acquire(0) ?? 0;
  pool.release(port, 0);
  expect(() => pool.release(port, 0)).toThrow('without an owner');
});

test('no pair ever has two owners, over a million random steps', () => {
  const random = createRandom(7);
  const pool = new PortPool({ portMin: 20_000, portMax: 20_199, quarantineMs: 50, random });
  const owned: number[] = [];
  const restsUntilMs = new Map<number, number>();
  const owners = new Set<number>();
  for (let step = 0; step < 1_000_000; step++) {
    if (random() < 0.5) {
      const port = pool.acquire(step);
      if (port === undefined) continue;
      if (owners.has(port)) throw new Error(`${port} has two owners`);
      if ((restsUntilMs.get(port) ?? 0) > step) throw new Error(`${port} has not rested`);
      owners.add(port);
      owned.push(port);
    } else {
      const index = Math.floor(random() * owned.length);
      const [port] = owned.splice(index, 1);
      if (port === undefined) continue;
      owners.delete(port);
      restsUntilMs.set(port, step + 50);
      pool.release(port, step);
    }
  }
  expect(pool.owned).toBe(owners.size);
  expect(pool.owned + pool.free(1e9)).toBe(100);
});

test('pairs in use, at rest and free are always all pairs', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(200)), { maxLength: 100 }), (steps) => {
      const pool = createPool(20_000, 20_019, 100);
      const owned: number[] = [];
      let nowMs = 0;
      for (const [isAcquire, waitMs] of steps) {
        nowMs += waitMs;
        const port = isAcquire ? pool.acquire(nowMs) : owned.pop();
        if (port !== undefined && isAcquire) owned.push(port);
        if (port !== undefined && !isAcquire) pool.release(port, nowMs);
        expect(pool.owned + pool.resting(nowMs) + pool.free(nowMs)).toBe(10);
      }
    }),
  );
});

/** Repeatable numbers in [0, 1) (a 32-bit xorshift). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
