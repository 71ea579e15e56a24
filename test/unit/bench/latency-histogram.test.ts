import { describe, expect, it } from 'vitest';
import { bucketNs, mergeBuckets, percentileUs } from '../../../bench/media/latency-histogram.ts';

describe('histogram of durations', () => {
  it.each([
    [0, 0],
    [31, 31],
    [32, 32],
    [63, 63],
    [64, 64],
    [65, 66],
    [95, 126],
    [96, 128],
    [127, 252],
    [128, 256],
  ])('bucket %i begins at %i ns', (bucket, ns) => {
    expect(bucketNs(bucket)).toBe(ns);
  });

  it('has no gap wider than a thirtieth of the value', () => {
    for (let bucket = 32; bucket < 1000; bucket += 1) {
      const gap = bucketNs(bucket + 1) - bucketNs(bucket);
      expect(gap / bucketNs(bucket)).toBeGreaterThan(0);
      expect(gap / bucketNs(bucket)).toBeLessThanOrEqual(1 / 32);
    }
  });

  it('adds the counts of several runs up, by bucket and in order', () => {
    const merged = mergeBuckets([
      [
        [64, 1],
        [200, 5],
      ],
      [
        [10, 2],
        [64, 3],
      ],
    ]);
    expect(merged).toEqual([
      [10, 2],
      [64, 4],
      [200, 5],
    ]);
  });

  it('gives the value that a share of all do not exceed', () => {
    const buckets = [
      [96, 98],
      [320, 1],
      [640, 1],
    ] as const;
    expect(percentileUs(buckets, 0.5)).toBe(0.128);
    expect(percentileUs(buckets, 0.98)).toBe(0.128);
    expect(percentileUs(buckets, 0.99)).toBe(bucketNs(320) / 1000);
    expect(percentileUs(buckets, 1)).toBe(bucketNs(640) / 1000);
  });

  it('has no percentile of nothing', () => {
    expect(percentileUs([], 0.5)).toBeUndefined();
  });
});
