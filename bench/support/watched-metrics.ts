import type { SipTarget } from '../../test/support/sip-peer.ts';
import { sleep } from '../../test/support/wait-for.ts';

/** Ascending values, one per reading. */
export interface SeenMetrics {
  /** 99th percentile of the event loop's lateness between two readings: the upper bound of its bucket. */
  readonly lagMs: readonly number[];
  /** Request to the whole answer. */
  readonly answerMs: readonly number[];
}

const PAUSE_MS = 1000;
const LIMIT_MS = 10_000;

/** Reads /metrics each second until it is told to stop. */
export function watchMetrics(api: SipTarget): { stop(): Promise<SeenMetrics> } {
  const over = new AbortController();
  const lagMs: number[] = [];
  const answerMs: number[] = [];
  let before: LagBuckets = [];
  const read = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const beganMs = performance.now();
      const text = await metricsText(api);
      answerMs.push(performance.now() - beganMs);
      const buckets = lagBuckets(text);
      const lag = p99Between(before, buckets);
      if (lag !== undefined) lagMs.push(lag * 1000);
      if (buckets.length > 0) before = buckets;
      await sleep(PAUSE_MS);
    }
  };
  const done = read();
  return {
    stop: async () => {
      over.abort();
      await done;
      return { lagMs: ascending(lagMs), answerMs: ascending(answerMs) };
    },
  };
}

/** Upper bounds in seconds, ascending, each with how many samples were not above it. */
type LagBuckets = readonly { readonly bound: number; readonly count: number }[];

function lagBuckets(text: string): LagBuckets {
  const lines = text.matchAll(/^sbc_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm);
  return Array.from(lines, ([, bound, count]) => ({
    bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    count: Number(count),
  }));
}

/** `undefined` when nothing was sampled in between. */
function p99Between(before: LagBuckets, after: LagBuckets): number | undefined {
  const counts = after.map(({ count }, index) => count - (before[index]?.count ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total === 0) return undefined;
  return after[counts.findIndex((count) => count >= total * 0.99)]?.bound;
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

/** Empty when no answer came in time. */
async function metricsText({ address, port }: SipTarget): Promise<string> {
  try {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const answer = await fetch(`http://${address}:${port}/metrics`, { signal });
    return await answer.text();
  } catch {
    return '';
  }
}
