/**
 * Whether this process has too much to do to take all new calls, and how many it takes then.
 *
 *   calm --- lag or CPU at or above `high` for holdMs ---> overloaded
 *     ^                                                        |
 *     '---- both below `low`, nobody refused, for holdMs <----'
 *
 * While overloaded calls are taken at a pace: it begins below what was taken last, falls by a factor while a measure
 * is high, and rises by a step while all are low and callers are refused. So it settles where the process is busy but
 * not late, however many are asked for. Between `low` and `high` it stays. It begins after a quarter of holdMs where
 * the SIP engine already refuses calls, as this process leaves it without a sign of life. Pure: samples and time are
 * arguments.
 */
import type { OverloadConfig } from '../config/config.ts';

/** What was measured over the time since the sample before. */
export interface LoadSample {
  /** How late the event loop ran its timers, at the 99th percentile. */
  readonly lagMs: number;
  /** Of all processor cores this process may use; all its threads. */
  readonly cpuPercent: number;
  /** New calls that were taken. */
  readonly takenPerSecond: number;
  /** New calls that were refused for the load. */
  readonly refused: number;
}

export type OverloadReason = 'event-loop-lag' | 'cpu';

export type OverloadState =
  | { readonly type: 'calm'; readonly highSinceMs: number | undefined }
  | {
      readonly type: 'overloaded';
      readonly reason: OverloadReason;
      readonly sinceMs: number;
      readonly lowSinceMs: number | undefined;
      /** New calls that may be taken; 0: none. */
      readonly callsPerSecond: number;
      /** When that was last lowered. */
      readonly loweredAtMs: number;
      /** Of the last sample. */
      readonly sampledAtMs: number;
    };

type Overloaded = Extract<OverloadState, { type: 'overloaded' }>;

export const CALM: OverloadState = { type: 'calm', highSinceMs: undefined };

const LOWERED_BY = 0.85;
/** Of holdMs, when the SIP engine already keeps calls out: a pace does it better. */
const HASTE = 0.25;
/** What has been let in before a cut is still to be worked off: its effect takes a while to be seen. */
const LOWER_AGAIN_MS = 500;
/** A pace that keeps nobody out says nothing; it falls towards what is taken, by half at most. */
const LEAST_KEPT = 0.5;
/** Below this no call at all. */
const LEAST_PER_SECOND = 0.5;
/** Rise per second of time. */
const RISE = { share: 0.25, callsPerSecond: 5 };
const MS_PER_SECOND = 1000;

/** The state after a sample that was taken at `nowMs`. */
export function nextOverload(
  state: OverloadState,
  sample: LoadSample,
  config: OverloadConfig,
  nowMs: number,
): OverloadState {
  const reason = reasonOf(sample, config);
  if (state.type === 'calm') {
    if (reason === undefined) return CALM;
    const highSinceMs = state.highSinceMs ?? nowMs;
    const holdMs = sample.refused > 0 ? config.holdMs * HASTE : config.holdMs;
    if (nowMs - highSinceMs < holdMs) return { type: 'calm', highSinceMs };
    return {
      type: 'overloaded',
      reason,
      sinceMs: nowMs,
      lowSinceMs: undefined,
      callsPerSecond: atLeast(sample.takenPerSecond * LOWERED_BY),
      loweredAtMs: nowMs,
      sampledAtMs: nowMs,
    };
  }
  if (reason !== undefined) return lowered({ ...state, reason }, sample, nowMs);
  if (!isLow(sample, config)) return { ...state, lowSinceMs: undefined, sampledAtMs: nowMs };
  if (sample.refused > 0) return raised(state, nowMs);
  const lowSinceMs = state.lowSinceMs ?? nowMs;
  return nowMs - lowSinceMs < config.holdMs ? { ...state, lowSinceMs, sampledAtMs: nowMs } : CALM;
}

function lowered(state: Overloaded, sample: LoadSample, nowMs: number): Overloaded {
  const high = { ...state, lowSinceMs: undefined, sampledAtMs: nowMs };
  if (nowMs - state.loweredAtMs < LOWER_AGAIN_MS) return high;
  const used = sample.refused > 0 ? state.callsPerSecond : sample.takenPerSecond;
  const kept = Math.max(used, state.callsPerSecond * LEAST_KEPT);
  const base = Math.min(kept, state.callsPerSecond);
  return { ...high, callsPerSecond: atLeast(base * LOWERED_BY), loweredAtMs: nowMs };
}

function raised(state: Overloaded, nowMs: number): Overloaded {
  const seconds = Math.max(0, nowMs - state.sampledAtMs) / MS_PER_SECOND;
  const step = Math.max(RISE.callsPerSecond, state.callsPerSecond * RISE.share) * seconds;
  return {
    ...state,
    lowSinceMs: undefined,
    sampledAtMs: nowMs,
    callsPerSecond: state.callsPerSecond + step,
  };
}

function atLeast(callsPerSecond: number): number {
  return callsPerSecond < LEAST_PER_SECOND ? 0 : callsPerSecond;
}

function isLow(sample: LoadSample, { lag, cpu }: OverloadConfig): boolean {
  return (
    (lag.highMs === 0 || sample.lagMs < lag.lowMs) &&
    (cpu.highPercent === 0 || sample.cpuPercent < cpu.lowPercent)
  );
}

/** A threshold of 0 is never reached. */
function reasonOf(sample: LoadSample, { lag, cpu }: OverloadConfig): OverloadReason | undefined {
  if (lag.highMs > 0 && sample.lagMs >= lag.highMs) return 'event-loop-lag';
  if (cpu.highPercent > 0 && sample.cpuPercent >= cpu.highPercent) return 'cpu';
  return undefined;
}
