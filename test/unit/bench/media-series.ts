/** Series of media.bench.ts as tests need them: few figures, the rest as in a quiet run. */

import type { LoadResult } from '../../../bench/media/load-run.ts';
import type { Series } from '../../../bench/media/results.ts';

const ELAPSED_MS = 2000;
const PACKETS_PER_CALL = 200;

/** A run that lost nothing; `busy` and `load` are shares of the two cores. */
export function sampleRun(
  calls: number,
  changes: Partial<LoadResult> & { busy?: number; load?: number } = {},
): LoadResult {
  const { busy = 0, load = 0, ...rest } = changes;
  const sent = calls * PACKETS_PER_CALL;
  return {
    calls,
    elapsedMs: ELAPSED_MS,
    sent,
    received: sent,
    reordered: 0,
    loss: 0,
    unplayable: 0,
    latency: [[320, sent]],
    lateness: [[10, sent]],
    relayCoreBusy: busy,
    loadBusy: load,
    threads: [{ name: 'relay', busy: busy / 2 }],
    fault: undefined,
    ...rest,
  };
}

export const NO_SERIES: Series = {
  points: [],
  floor: [],
  capacities: [],
  memories: [],
  stalls: [],
  unavailable: [],
  voidRuns: 0,
};
