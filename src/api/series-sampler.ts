/**
 * Takes a point of the series each 2 s. Packets are counted in the relay threads: a few calls in turn are asked for
 * theirs, so that a sample costs the same with one call and with ten thousand; over the hour every packet is counted.
 */
import type { MediaCounters } from '../media/relay-counters.ts';
import { nowMs } from '../observe/clock.ts';
import { watchEventLoop } from '../observe/event-loop-lag.ts';
import { Series, type SeriesPoint } from '../observe/series.ts';
import type { Totals } from '../observe/totals.ts';
import { SIDES } from '../wire/side.ts';

const INTERVAL_MS = 2_000;
const WINDOW_MS = 3_600_000;
const CALLS_PER_SAMPLE = 16;
const MS_PER_SECOND = 1_000;

/** A call as far as its packets go. */
export interface CountedCall {
  readonly session:
    | { readonly media: { counters(): Promise<readonly MediaCounters[]> } }
    | undefined;
}

export interface SamplerOptions {
  readonly totals: Readonly<Totals>;
  readonly calls: () => readonly CountedCall[];
  /** No counters are asked for then. */
  readonly isOverloaded: () => boolean;
  readonly onPoint: (point: SeriesPoint) => void;
  /** Default 2 s. */
  readonly intervalMs?: number;
}

export class SeriesSampler {
  readonly #options: SamplerOptions;
  readonly #series: Series;
  readonly #lag: { stop(): void };
  /** Which call is asked next. */
  #turn = 0;
  #jitters: number[] = [];

  constructor(options: SamplerOptions) {
    const { totals, intervalMs = INTERVAL_MS } = options;
    this.#options = options;
    this.#series = new Series(totals, { intervalMs, windowMs: WINDOW_MS });
    this.#lag = watchEventLoop({
      windowMs: intervalMs,
      report: ({ maxSeconds }) => this.#sample(maxSeconds * MS_PER_SECOND),
    });
  }

  get intervalMs(): number {
    return this.#series.intervalMs;
  }

  since(sinceMs: number): readonly SeriesPoint[] {
    return this.#series.since(sinceMs);
  }

  stop(): void {
    this.#lag.stop();
  }

  #sample(loopLagMs: number): void {
    const calls = this.#options.calls();
    const jitterMs = meanOf(this.#jitters);
    this.#jitters = [];
    const moment = { atMs: nowMs(), activeCalls: calls.length, jitterMs, loopLagMs };
    this.#options.onPoint(this.#series.add(moment));
    if (!this.#options.isOverloaded()) this.#ask(calls);
  }

  #ask(calls: readonly CountedCall[]): void {
    const count = Math.min(CALLS_PER_SAMPLE, calls.length);
    for (let asked = 0; asked < count; asked += 1) {
      const call = calls[(this.#turn + asked) % calls.length];
      // A call that ends meanwhile says what it has counted by itself.
      call?.session?.media.counters().then((counters) => this.#read(counters), ignore);
    }
    this.#turn = calls.length === 0 ? 0 : (this.#turn + count) % calls.length;
  }

  #read(counters: readonly MediaCounters[]): void {
    for (const counter of counters) {
      for (const side of SIDES) {
        if (counter[side].receivedPackets > 0) this.#jitters.push(counter[side].jitterMs);
      }
    }
  }
}

function ignore(): void {
  // Counters that cannot be read are missing in one point.
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
