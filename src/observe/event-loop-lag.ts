/** Watches how late the event loop runs its timers: a blocked loop delays every call of the process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late timers were in the last window. */
export interface EventLoopLag {
  readonly medianSeconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

export interface EventLoopLagOptions {
  /** Length of one window. Default 5000. */
  readonly windowMs?: number;
  /** Called at the end of each window. */
  readonly report: (lag: EventLoopLag) => void;
}

const RESOLUTION_MS = 10;
const DEFAULT_WINDOW_MS = 5_000;
const NS_PER_MS = 1e6;
const MS_PER_SECOND = 1_000;

/** Starts watching; `stop` ends it. Does not keep the process alive. */
export function watchEventLoop(options: EventLoopLagOptions): { stop(): void } {
  const windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let windowStartMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // A reset forgets the tick under way: a block across the end of the window shows in our own timer only.
    const ownLagSeconds = Math.max(0, nowMs - windowStartMs - windowMs) / MS_PER_SECOND;
    windowStartMs = nowMs;
    options.report({
      medianSeconds: lagSeconds(histogram.percentile(50)),
      p99Seconds: lagSeconds(histogram.percentile(99)),
      maxSeconds: Math.max(lagSeconds(histogram.max), ownLagSeconds),
    });
    histogram.reset();
  }, windowMs);
  timer.unref();
  return {
    stop(): void {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** The histogram holds whole intervals between two ticks of its timer: what exceeds the interval is the lag. */
function lagSeconds(intervalNs: number): number {
  return Math.max(0, intervalNs / NS_PER_MS - RESOLUTION_MS) / MS_PER_SECOND;
}
