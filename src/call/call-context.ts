import type { Config } from '../config/config.ts';
import type { MediaEngine } from '../media/media-engine.ts';
import type { CdrWriter } from '../observe/cdr.ts';
import type { DigitLedger } from '../observe/digit-ledger.ts';
import type { LadderRecorder } from '../observe/ladder.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { SipStack } from '../sip/stack.ts';
import type { SubscriptionBudget } from './subscription-budget.ts';

/** What every call is given by the composition root. */
export interface CallContext {
  /** The configuration the call started with; a reload does not touch it. */
  readonly config: Config;
  readonly stack: SipStack;
  readonly media: MediaEngine;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly metrics: Metrics;
  readonly cdr: CdrWriter;
  readonly log: Log;
  /** What peers may subscribe to in all calls together. */
  readonly budget: SubscriptionBudget;
  /** Wall clock in milliseconds since 1970. */
  readonly nowMs: () => number;
}
