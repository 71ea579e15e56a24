/** Measures how busy this process is: lateness of its event loop and share of the processor cores. */
import { availableParallelism } from 'node:os';
import { watchEventLoop } from './event-loop-lag.ts';

/** Of one window. */
export interface MeasuredLoad {
  /** 99th percentile, or the whole block if one filled the window. */
  readonly lagMs: number;
  /** All threads of the process, of all cores it may use. */
  readonly cpuPercent: number;
}

const MS_PER_SECOND = 1_000;
const US_PER_MS = 1_000;
const PERCENT = 100;

/** Reports once per window; `stop` ends it. Does not keep the process alive. */
export function watchLoad(options: {
  readonly windowMs: number;
  readonly report: (load: MeasuredLoad) => void;
}): { stop(): void } {
  const { windowMs, report } = options;
  let cpu = process.cpuUsage();
  let atMs = performance.now();
  return watchEventLoop({
    windowMs,
    report: ({ p99Seconds }) => {
      const used = process.cpuUsage(cpu);
      const nowMs = performance.now();
      const spentMs = Math.max(1, nowMs - atMs);
      const usedMs = (used.user + used.system) / US_PER_MS;
      cpu = process.cpuUsage();
      // The histogram forgets a block across the end of the window; the window itself is too long then.
      const lagMs = Math.max(p99Seconds * MS_PER_SECOND, nowMs - atMs - windowMs);
      atMs = nowMs;
      report({ lagMs, cpuPercent: (usedMs / spentMs / availableParallelism()) * PERCENT });
    },
  });
}
