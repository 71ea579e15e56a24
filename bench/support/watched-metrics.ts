import type { SipTarget } from '../../test/support/sip-peer.ts';
import { sleep } from '../../test/support/wait-for.ts';

/** Ascending values, one per reading. */
export interface SeenMetrics {
  /** 99th percentile of the event loop's lateness as the SBC tells it. */
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
  const read = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const beganMs = performance.now();
      const text = await metricsText(api);
      answerMs.push(performance.now() - beganMs);
      const lag = /^sbc_event_loop_lag_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1];
      if (lag !== undefined) lagMs.push(Number(lag) * 1000);
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
