/** Samples how late the event loop runs its timers, for a histogram: what a call that comes in has to wait. */

/** Time between two samples. */
export const SAMPLE_MS = 20;
/** A block that lasts longer counts as if it had lasted this long. */
const LONGEST_MS = 20_000;
const MS_PER_SECOND = 1_000;

/**
 * Reports each sample in seconds; `stop` ends it. Does not keep the process alive. A block is reported as often as samples
 * would have fallen into it, each with what was left of the block: else one long block would weigh as much as one tick.
 */
export function sampleLoopLag(report: (lagSeconds: number) => void): { stop(): void } {
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const lateMs = nowMs - lastMs - SAMPLE_MS;
    lastMs = nowMs;
    for (const lagMs of lagsOf(lateMs)) report(lagMs / MS_PER_SECOND);
  }, SAMPLE_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** What requests spread evenly over the time since the last tick have waited, in ms. */
export function lagsOf(lateMs: number): number[] {
  const lags = [Math.max(0, lateMs)];
  for (let left = Math.min(lateMs, LONGEST_MS) - SAMPLE_MS; left > 0; left -= SAMPLE_MS) {
    lags.push(left);
  }
  return lags;
}
