import type { CountedCall } from './series-sampler.ts';

/** Few enough that asking for them and taking their answers is no long turn of the event loop. */
const CALLS_PER_TURN = 50;

/** Reads the counters of all calls, which enters them in the metrics, some at a time. */
export async function readCounters(calls: readonly CountedCall[]): Promise<void> {
  for (let first = 0; first < calls.length; first += CALLS_PER_TURN) {
    const turn = calls.slice(first, first + CALLS_PER_TURN);
    await Promise.all(turn.flatMap(({ session }) => session?.media.counters() ?? []));
  }
}
