/**
 * Whether this process has too much to do to take new calls.
 *
 *   calm --- lag or CPU at or above `high` for holdMs ---> overloaded
 *     ^                                                        |
 *     '----------- both below `low` for holdMs <--------------'
 *
 * Between `low` and `high` the state stays as it is. Pure: samples and time are arguments.
 */
import type { OverloadConfig } from '../config/config.ts';

/** What was measured over the time since the sample before. */
export interface LoadSample {
  /** How late the event loop ran its timers, at the 99th percentile. */
  readonly lagMs: number;
  /** Of all processor cores this process may use; all its threads. */
  readonly cpuPercent: number;
}

export type OverloadReason = 'event-loop-lag' | 'cpu';

export type OverloadState =
  | { readonly type: 'calm'; readonly highSinceMs: number | undefined }
  | {
      readonly type: 'overloaded';
      readonly reason: OverloadReason;
      readonly sinceMs: number;
      readonly lowSinceMs: number | undefined;
    };

export const CALM: OverloadState = { type: 'calm', highSinceMs: undefined };

/** The state after a sample that was taken at `nowMs`. */
export function nextOverload(
  state: OverloadState,
  sample: LoadSample,
  config: OverloadConfig,
  nowMs: number,
): OverloadState {
  const { lag, cpu, holdMs } = config;
  if (state.type === 'calm') {
    const reason = reasonOf(sample, config);
    if (reason === undefined) return CALM;
    const highSinceMs = state.highSinceMs ?? nowMs;
    if (nowMs - highSinceMs < holdMs) return { type: 'calm', highSinceMs };
    return { type: 'overloaded', reason, sinceMs: nowMs, lowSinceMs: undefined };
  }
  const isLow =
    (lag.highMs === 0 || sample.lagMs < lag.lowMs) &&
    (cpu.highPercent === 0 || sample.cpuPercent < cpu.lowPercent);
  if (!isLow) return { ...state, lowSinceMs: undefined };
  const lowSinceMs = state.lowSinceMs ?? nowMs;
  return nowMs - lowSinceMs < holdMs ? { ...state, lowSinceMs } : CALM;
}

/** A threshold of 0 is never reached. */
function reasonOf(sample: LoadSample, { lag, cpu }: OverloadConfig): OverloadReason | undefined {
  if (lag.highMs > 0 && sample.lagMs >= lag.highMs) return 'event-loop-lag';
  if (cpu.highPercent > 0 && sample.cpuPercent >= cpu.highPercent) return 'cpu';
  return undefined;
}
