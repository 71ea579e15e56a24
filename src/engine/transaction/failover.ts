import type { Target } from '../transport/locate.ts';
import { giveUpMs } from './timer-values.ts';
import type { Patience } from './timer-values.ts';
import type { TimerValues } from './transaction-user.ts';

/** Why a request came to nothing at one address (RFC 3263 §4.3). */
export type AttemptFailure =
  /** ICMP unreachable, no connection, connection lost before any response. */
  | 'unreachable'
  /** No response at all. */
  | 'silent'
  /** 503: the peer is there and wants to be spared. */
  | 'unavailable';

/** One address, and how long it may keep the request. */
export interface Attempt {
  readonly target: Target;
  readonly patience: Patience;
  /** The request goes there as a datagram whatever its size: over TCP it has failed already. */
  readonly isDatagram: boolean;
}

/**
 * Which address a request goes to next, and when it has had its chances (RFC 3263 §4.3).
 *
 *   0          8*T1       16*T1                          64*T1
 *   ├─ silent ──┤
 *               ├─ 503 ─┤
 *                       ├─ last address: all the time left ─┤ timeout
 *
 * Silence is given up after 8*T1 (four datagrams) while another address is left, not after timers B and F: with
 * them the second address would get its first chance when the caller is long gone. All addresses together have the
 * 64*T1 that one has alone.
 */
export class Failover {
  readonly #timers: TimerValues;
  readonly #deadlineMs: number;
  readonly #left: Target[];
  #current: Attempt | undefined;
  /** The current attempt goes over TCP for its size. */
  #isSwitched = false;

  constructor(targets: readonly Target[], timers: TimerValues, nowMs: number) {
    this.#timers = timers;
    this.#deadlineMs = nowMs + giveUpMs(timers);
    this.#left = [...targets];
  }

  /** The first address. */
  begin(nowMs: number): Attempt | undefined {
    return this.#next(nowMs);
  }

  /** The current attempt goes over TCP though its target says UDP: it may fall back. Tells how long it may take. */
  switchToTcp(nowMs: number): Patience {
    this.#isSwitched = true;
    return this.#patience(nowMs, true);
  }

  /** The next address after the current one has failed; undefined when that was the last chance. */
  fail(failure: AttemptFailure, nowMs: number): Attempt | undefined {
    const failed = this.#current;
    const canFallBack = this.#isSwitched && failure !== 'unavailable' && nowMs < this.#deadlineMs;
    this.#isSwitched = false;
    if (failed === undefined || !canFallBack) return this.#next(nowMs);
    const patience = this.#patience(nowMs, this.#left.length > 0);
    this.#current = { target: failed.target, patience, isDatagram: true };
    return this.#current;
  }

  #next(nowMs: number): Attempt | undefined {
    const target = nowMs < this.#deadlineMs ? this.#left.shift() : undefined;
    if (target === undefined) {
      this.#current = undefined;
      return undefined;
    }
    const patience = this.#patience(nowMs, this.#left.length > 0);
    this.#current = { target, patience, isDatagram: false };
    return this.#current;
  }

  #patience(nowMs: number, hasOther: boolean): Patience {
    const leftMs = this.#deadlineMs - nowMs;
    const silenceMs = hasOther ? Math.min(leftMs, 8 * this.#timers.t1Ms) : leftMs;
    return { silenceMs, answerMs: leftMs };
  }
}
