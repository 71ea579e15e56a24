import { describe, expect, it } from 'vitest';
import { readReport, type LoadReport } from '../../../bench/media/load-run.ts';
import { reportOf } from '../../../bench/media/report.ts';
import {
  capacityOf,
  capacityRatio,
  costOf,
  median,
  type Series,
} from '../../../bench/media/results.ts';
import { targetsOf, verdictOf } from '../../../bench/media/targets.ts';
import { NO_SERIES, sampleRun } from './media-series.ts';

describe('median', () => {
  it.each([
    [[], undefined],
    [[7], 7],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %s', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('cost of a relay', () => {
  const series: Series = {
    ...NO_SERIES,
    points: [
      { kind: 'dgram', round: 0, result: sampleRun(1000, { busy: 0.82, load: 0.3 }) },
      { kind: 'dgram', round: 1, result: sampleRun(1000, { busy: 0.92, load: 0.4 }) },
      { kind: 'dgram', round: 2, result: sampleRun(1000, { busy: 9, fault: 'late' }) },
    ],
    floor: [
      { kind: 'floor', round: 0, result: sampleRun(1000, { busy: 0.02, load: 0.2 }) },
      { kind: 'floor', round: 1, result: sampleRun(1000, { busy: 0.02, load: 0.2 }) },
    ],
  };

  it('is what both cores spend more than on the floor of the same round; void runs do not count', () => {
    const cost = costOf(series, 'dgram', 1000);
    expect(cost?.runs).toBe(2);
    // Round 0: 0.80 + 0.10, round 1: 0.90 + 0.20.
    expect(cost?.busy).toBeCloseTo(1);
    expect(cost?.cpuUsPerPacket).toBeCloseTo(10);
    expect(cost?.processUsPerPacket).toBeCloseTo(4.35);
  });

  it('is at least what the process ran, where others use its core too', () => {
    const threads = [{ name: 'relay', busy: 0.7 }];
    const crowded: Series = {
      ...NO_SERIES,
      points: [{ kind: 'ffi', round: 0, result: sampleRun(1000, { busy: 1, threads }) }],
      floor: [{ kind: 'floor', round: 0, result: sampleRun(1000, { busy: 1 }) }],
    };
    expect(costOf(crowded, 'ffi', 1000)?.busy).toBeCloseTo(0.7);
  });

  it('is unknown where nothing was measured', () => {
    expect(costOf(series, 'ffi', 1000)).toBeUndefined();
    expect(costOf(series, 'dgram', 500)).toBeUndefined();
  });
});

describe('most calls', () => {
  const series: Series = {
    ...NO_SERIES,
    capacities: [
      { kind: 'rtpengine', round: 0, calls: 1000, isBound: false },
      { kind: 'dgram', round: 0, calls: 900, isBound: false },
      { kind: 'kernel', round: 0, calls: 3000, isBound: true },
      { kind: 'rtpengine', round: 1, calls: 500, isBound: false },
      { kind: 'dgram', round: 1, calls: 400, isBound: false },
      { kind: 'rtpengine', round: 2, calls: 1000, isBound: false },
      { kind: 'dgram', round: 2, calls: 700, isBound: false },
    ],
  };

  it('are the median of the rounds', () => {
    expect(capacityOf(series, 'dgram')).toEqual({
      calls: 700,
      isBound: false,
      all: [900, 400, 700],
    });
    expect(capacityOf(series, 'ffi')).toBeUndefined();
  });

  it('are compared within a round: a slow round slows both', () => {
    expect(capacityRatio(series, 'dgram', 'rtpengine')).toBeCloseTo(0.8);
    expect(capacityRatio(series, 'ffi', 'rtpengine')).toBeUndefined();
  });

  it('are held against the targets', () => {
    const verdicts = targetsOf(series).map((target) => [target.what, verdictOf(target)]);
    expect(verdicts.slice(0, 4)).toEqual([
      ['most calls on one core, dgram / rtpengine', 'missed by 6 %'],
      ['most calls on one core, ffi / rtpengine', 'not measured'],
      ['most calls on one core, ffi / c-relay', 'not measured'],
      ['most calls on one core, kernel / rtpengine', 'met'],
    ]);
  });

  it('that the load could not show are not held against a relay', () => {
    const target = { what: '', isAtLeast: true, asked: 2.5, measured: 2, unit: '' };
    expect(verdictOf({ ...target, isBound: true })).toBe('not shown: the load was at its end');
    expect(verdictOf(target)).toBe('missed by 20 %');
    const better = { ...target, measured: 3, isReferenceBound: true };
    expect(verdictOf(better)).toBe('not shown: the load was at its end');
    expect(verdictOf({ ...target, isAtLeast: false })).toBe('met');
  });
});

describe('report of a load', () => {
  const report: LoadReport = {
    calls: 10,
    elapsedNs: 2e9,
    sent: 2000,
    received: 1990,
    reordered: 0,
    refused: 0,
    misdirected: 0,
    unstamped: 0,
    foreign: 0,
    ringDrops: 0,
    workNs: 5e8,
    subjectCpu: [10, 0, 20, 150, 10, 0, 10, 0],
    ownCpu: [200, 0, 0, 0, 0, 0, 0, 0],
    threads: [{ name: 'relay', ranNs: 4e8, waitedNs: 0 }],
    // 5 of them about 100 ms late.
    latency: [
      [320, 1985],
      [((26 - 5 + 1) << 5) + 16, 5],
    ],
    lateness: [[10, 2000]],
  };

  it('counts what is lost, and as unplayable what is far too late as well', () => {
    expect(readReport(report)).toMatchObject({
      loss: 0.005,
      unplayable: 0.0075,
      relayCoreBusy: expect.closeTo(0.2),
      loadBusy: 0.25,
      threads: [{ name: 'relay', busy: 0.2 }],
      fault: undefined,
    });
  });

  it.each([
    [{ ringDrops: 1 }, 'did not read'],
    [{ refused: 100 }, 'refused'],
    [{ misdirected: 1 }, 'wrong peer'],
    [{ received: 2001 }, 'twice'],
    [{ lateness: [[900, 2000]] as [number, number][] }, 'late'],
  ])('is void with %j', (change, reason) => {
    expect(readReport({ ...report, ...change }).fault).toContain(reason);
  });
});

describe('report of a series', () => {
  it('has a line for every relay that was measured, and says which was not', () => {
    const series: Series = {
      ...NO_SERIES,
      points: [{ kind: 'ffi', round: 0, result: sampleRun(500, { busy: 0.3 }) }],
      capacities: [{ kind: 'ffi', round: 0, calls: 1600, isBound: true }],
      memories: [
        {
          kind: 'ffi',
          calls: 1000,
          residentBytesPerCall: 20_000,
          heapBytesPerCall: 15_000,
          emptyResidentBytes: 9e7,
        },
      ],
      stalls: [{ kind: 'ffi', busyMs: 50, result: sampleRun(500) }],
      unavailable: [['kernel', 'no nft']],
    };
    const text = reportOf(series, 1);
    expect(text).toContain('**io: kernel was not available: no nft.**');
    expect(text).toMatch(/\| io: ffi \| >= 1600 +\| 1600 /);
    expect(text).toMatch(/\| io: ffi \| 1000 +\| 20\.0 +\| 15\.0 +\| 90 /);
    expect(text).not.toContain('io: dgram');
  });
});
