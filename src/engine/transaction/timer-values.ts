import type { TimerValues } from './transaction-user.ts';

export const DEFAULT_TIMERS: TimerValues = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** What a transaction machine is created with. */
export interface MachineOptions {
  readonly timers: TimerValues;
  /** TCP and TLS: nothing is retransmitted and nothing lingers. */
  readonly isReliable: boolean;
  /** Shorter times for a peer that is not the only one to try. */
  readonly patience?: Patience;
}

/** How long one peer may keep a request. */
export interface Patience {
  /** Without any response; in place of timers B and F. */
  readonly silenceMs: number;
  /** Without final response to anything but INVITE; in place of timer F. */
  readonly answerMs: number;
}

/** Timers B and F where nothing shorter is asked for. */
export function patienceOf({ timers, patience }: MachineOptions): Patience {
  return patience ?? { silenceMs: giveUpMs(timers), answerMs: giveUpMs(timers) };
}

/** Timers B, F, H, J, L, M: how long a transaction waits before it gives up. */
export function giveUpMs(timers: TimerValues): number {
  return 64 * timers.t1Ms;
}

/** `intervalMs` on UDP, never on a reliable transport. */
export function unlessReliable(options: MachineOptions, atMs: number): number {
  return options.isReliable ? Number.POSITIVE_INFINITY : atMs;
}
