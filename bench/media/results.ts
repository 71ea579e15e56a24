/** What a series measured, and what follows from it: medians, ratios within a round, targets. Pure. */

import { percentileUs } from './latency-histogram.ts';
import type { LoadResult } from './load-run.ts';
import type { IoKind, Kind } from './subject-kinds.ts';

export interface Point {
  readonly kind: Kind | 'floor';
  readonly round: number;
  readonly result: LoadResult;
  /** Of the relay's process, after the run. */
  readonly residentBytes?: number;
  /** Directions that the kernel forwarded by itself at the end of the run. */
  readonly flowsCarried?: number | undefined;
}

export interface Capacity {
  readonly kind: Kind;
  readonly round: number;
  /** Most calls below 0.1 % loss. */
  readonly calls: number;
  /** More was not tried, or the load could not keep up. */
  readonly isBound: boolean;
}

export interface Memory {
  readonly kind: Kind;
  readonly calls: number;
  readonly residentBytesPerCall: number;
  readonly heapBytesPerCall: number | undefined;
  readonly emptyResidentBytes: number;
}

export interface Stall {
  readonly kind: IoKind;
  /** Of each 100 ms of the main thread. */
  readonly busyMs: number;
  readonly result: LoadResult;
}

export interface Series {
  readonly points: readonly Point[];
  readonly floor: readonly Point[];
  readonly capacities: readonly Capacity[];
  readonly memories: readonly Memory[];
  readonly stalls: readonly Stall[];
  /** Relays that could not be had, and why. */
  readonly unavailable: readonly (readonly [Kind, string])[];
  /** Runs of a load that could not keep up, repeated. */
  readonly voidRuns: number;
}

/** `undefined` of nothing. */
export function median(values: readonly number[]): number | undefined {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = Math.floor(ordered.length / 2);
  const upper = ordered[middle];
  if (upper === undefined || ordered.length % 2 === 1) return upper;
  return ((ordered[middle - 1] ?? upper) + upper) / 2;
}

/** Cost of a relay at one load, all runs; every figure a median of the runs that are not void. */
export interface Cost {
  readonly calls: number;
  readonly runs: number;
  readonly loss: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Share of one core: the relay's core and what the kernel did for it on the load's, floor subtracted. */
  readonly busy: number;
  readonly cpuUsPerPacket: number;
  /** Of the relay's own threads, with the softirq that runs in their sends. */
  readonly processUsPerPacket: number;
  readonly residentBytes: number | undefined;
}

/** `undefined` when no run of `kind` at `calls` counts. */
export function costOf(series: Series, kind: Kind, calls: number): Cost | undefined {
  const points = usable(series.points).filter(
    (point) => point.kind === kind && point.result.calls === calls,
  );
  const rows = points.map((point) => rowOf(series, point));
  const middle = (pick: (row: ReturnType<typeof rowOf>) => number): number =>
    median(rows.map(pick)) ?? 0;
  if (rows.length === 0) return undefined;
  return {
    calls,
    runs: rows.length,
    loss: middle(({ loss }) => loss),
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    p999Us: middle(({ p999Us }) => p999Us),
    busy: middle(({ busy }) => busy),
    cpuUsPerPacket: middle(({ cpuUsPerPacket }) => cpuUsPerPacket),
    processUsPerPacket: middle(({ processUsPerPacket }) => processUsPerPacket),
    residentBytes: median(points.flatMap(({ residentBytes }) => residentBytes ?? [])),
  };
}

function rowOf(series: Series, { round, result }: Point): Omit<Cost, 'calls' | 'runs'> {
  const busy = busyOf(series, round, result);
  const processBusy = processBusyOf(result);
  const elapsedUs = result.elapsedMs * 1000;
  const packets = Math.max(1, result.received);
  return {
    loss: result.loss,
    p50Us: percentileUs(result.latency, 0.5) ?? 0,
    p99Us: percentileUs(result.latency, 0.99) ?? 0,
    p999Us: percentileUs(result.latency, 0.999) ?? 0,
    busy,
    cpuUsPerPacket: (busy * elapsedUs) / packets,
    processUsPerPacket: (processBusy * elapsedUs) / packets,
    residentBytes: undefined,
  };
}

/**
 * Both cores' work with the relay less both cores' work without it, in the same round: a packet is taken in by the core
 * that sends it, so the relay's core alone would show only half of the kernel's work.
 */
function busyOf(series: Series, round: number, result: LoadResult): number {
  const floors = usable(series.floor).filter((point) => point.result.calls === result.calls);
  const { result: floor } = floors.find((point) => point.round === round) ?? floors[0] ?? {};
  // Where others use that core too, what is left of the floor says nothing: the process ran at least for its own time.
  const relay = Math.max(result.relayCoreBusy - (floor?.relayCoreBusy ?? 0), processBusyOf(result));
  const load = result.loadBusy - (floor?.loadBusy ?? result.loadBusy);
  return Math.max(0, relay + load);
}

function processBusyOf({ threads }: LoadResult): number {
  return threads.reduce((sum, { busy }) => sum + busy, 0);
}

function usable(points: readonly Point[]): Point[] {
  return points.filter(({ result }) => result.fault === undefined);
}

/** Most calls of `kind`, the median of the rounds. */
export function capacityOf(
  series: Series,
  kind: Kind,
): { calls: number; isBound: boolean; all: number[] } | undefined {
  const own = series.capacities.filter((capacity) => capacity.kind === kind);
  const all = own.map(({ calls }) => calls);
  const calls = median(all);
  if (calls === undefined) return undefined;
  return { calls, isBound: own.some(({ isBound }) => isBound), all };
}

/** Median of the ratios of most calls, each within one round. */
export function capacityRatio(series: Series, kind: Kind, reference: Kind): number | undefined {
  const ratios = series.capacities
    .filter((capacity) => capacity.kind === kind)
    .flatMap(({ round, calls }) => {
      const other = series.capacities.find(
        (capacity) => capacity.kind === reference && capacity.round === round,
      );
      return other === undefined || other.calls === 0 ? [] : [calls / other.calls];
    });
  return median(ratios);
}
