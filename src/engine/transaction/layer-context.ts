import type { Transports } from '../transport/transports.ts';
import type { Admission } from './admission.ts';
import type { OwnAnswers } from './own-answers.ts';
import type { TimerValues, TransactionCounters } from './transaction-user.ts';

/** Something with a deadline: a transaction. */
export interface Expirable {
  readonly expiresAtMs: number | undefined;
  /** Called once `expiresAtMs` has come. */
  expire(nowMs: number): void;
}

/** What the running transactions share. */
export interface LayerContext {
  readonly timers: TimerValues;
  readonly transports: Transports;
  readonly counters: TransactionCounters;
  readonly admission: Admission;
  readonly ownAnswers: OwnAnswers;
  /** Requests above this leave by TCP where the peer takes it; 0: never. */
  readonly udpSizeSwitchBytes: number;
  /** Monotonic clock. */
  nowMs(): number;
  /** Takes note that the deadline of `item` may have changed. */
  schedule(item: Expirable): void;
  /** Calls the layer above; an exception there is counted and reported, and ends here: @returns false then. */
  guard(call: () => void): boolean;
}
