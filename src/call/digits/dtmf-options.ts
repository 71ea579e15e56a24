import type { EarlySubscribe } from '../../dtmf/interworking-plan.ts';
import type { Side } from '../../wire/side.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallMedia } from '../call-media.ts';
import type { DigitContext } from './digit-journal.ts';
import type { DtmfInterworking } from './dtmf-interworking.ts';
import type { OpenSubscription } from './leg-kpml.ts';
import type { SubscriptionBudget } from './subscription-budget.ts';

/** Where a leg was that comes from another call. */
export interface FormerDigits {
  readonly dtmf: DtmfInterworking;
  readonly side: Side;
}

/** What the digits need from their call. */
export interface DtmfInterworkingOptions {
  readonly callId: string;
  readonly legs: Readonly<Record<Side, Pick<CallLeg, 'dialog' | 'settings'>>>;
  readonly media: Pick<CallMedia, 'playDigit'>;
  readonly context: DigitContext;
  /** What becomes of a SUBSCRIBE of a side before there is a plan. */
  readonly earlySubscribe: (side: Side) => EarlySubscribe;
  /** A broken invariant: ends the call. */
  readonly onBug: (error: unknown) => void;
  readonly openSubscription: OpenSubscription;
  /** What all peers together may subscribe to. */
  readonly budget: SubscriptionBudget;
  /** The SIP engine loses a call in whose dialog a subscription ends: those of ours stay until the call is over. */
  readonly keepsSubscriptions: boolean;
  /** Of legs that come from other calls. */
  readonly standing?: Readonly<Partial<Record<Side, FormerDigits>>> | undefined;
}
