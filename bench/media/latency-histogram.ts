/**
 * Counts of durations in buckets, 32 to each power of two nanoseconds: what rtp-load.c writes. Pure.
 *
 *   value < 32      bucket = value
 *   otherwise       bucket = (shift + 1) * 32 + the five bits after the highest, shift = highest bit - 5
 */

/** Bucket and how many fell into it. */
export type Buckets = readonly (readonly [bucket: number, count: number])[];

const STEPS = 32;
const NS_PER_US = 1000;

/** Least duration of a bucket. */
export function bucketNs(bucket: number): number {
  const octave = Math.floor(bucket / STEPS);
  const step = bucket % STEPS;
  return octave === 0 ? step : (STEPS + step) * 2 ** (octave - 1);
}

/** All counts of several runs in one histogram, by bucket. */
export function mergeBuckets(histograms: readonly Buckets[]): Buckets {
  const counts = new Map<number, number>();
  for (const [bucket, count] of histograms.flat()) {
    counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return [...counts].toSorted(([a], [b]) => a - b);
}

/** The duration that `share` (0 to 1) of all do not exceed, µs within 3 %; `undefined` when there are none. */
export function percentileUs(buckets: Buckets, share: number): number | undefined {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let passed = 0;
  for (const [bucket, count] of buckets) {
    passed += count;
    if (passed >= share * total) return bucketNs(bucket) / NS_PER_US;
  }
  return undefined;
}
