import { Histogram, type Registry } from 'prom-client';
import { nowMs } from './clock.ts';
import type { Exemplars } from './openmetrics.ts';

const MS_PER_SECOND = 1_000;

export interface TimedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** In seconds, ascending. */
  readonly buckets: readonly number[];
}

/** A histogram of times without labels, each bucket of which remembers the last call that fell into it. */
export class TimedHistogram {
  readonly #options: TimedHistogramOptions;
  readonly #histogram: Histogram;
  readonly #exemplars: Pick<Exemplars, 'note'>;

  constructor(options: TimedHistogramOptions, registry: Registry, exemplars: Exemplars) {
    const { name, help, buckets } = options;
    this.#options = options;
    this.#histogram = new Histogram({ name, help, buckets: [...buckets], registers: [registry] });
    this.#exemplars = exemplars;
  }

  observe(ms: number, callId: string | undefined): void {
    const value = ms / MS_PER_SECOND;
    this.#histogram.observe(value);
    if (callId === undefined) return;
    const { name, buckets } = this.#options;
    this.#exemplars.note(name, buckets, { callId, value, atMs: nowMs() });
  }
}
