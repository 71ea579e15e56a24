import type { Config, SessionAgent } from '../config/config.ts';
import type { MediaEngine } from '../media/media-engine.ts';
import type { CdrWriter } from '../observe/cdr-writer.ts';
import type { DigitLedger } from '../observe/digit-ledger.ts';
import type { LadderRecorder } from '../observe/ladder.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { DigestClient } from '../sip/digest-client.ts';
import type { OutgoingInvite } from '../sip/outgoing-invite.ts';
import type { SipStack } from '../sip/stack.ts';
import type { SubscriptionBudget } from './digits/subscription-budget.ts';
import type { CallFeatures } from './forward/call-features.ts';
import type { TransferHost } from './transfer/transfer-host.ts';

/** What calls begin by themselves. */
export interface CallStack extends Omit<SipStack, 'invite' | 'prepare' | 'interfaceClosed'> {
  invite(...options: Parameters<SipStack['invite']>): Pick<OutgoingInvite, 'cancel'>;
}

/** What every call is given by the composition root. */
export interface CallContext {
  /** The configuration the call started with; a reload does not touch it. */
  readonly config: Config;
  readonly stack: CallStack;
  readonly media: MediaEngine;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly metrics: Metrics;
  readonly cdr: CdrWriter;
  readonly log: Log;
  /** What peers may subscribe to in all calls together. */
  readonly budget: SubscriptionBudget;
  /** What answers the challenges of a session agent. */
  readonly digestOf: (agent: SessionAgent | undefined) => DigestClient | undefined;
  /** Who carries out transfers, and finds the other calls. */
  readonly transfers: TransferHost;
  /** The feature keys of accounts; absent where they do not act on calls. */
  readonly features?: CallFeatures | undefined;
  /** Wall clock in milliseconds since 1970. */
  readonly nowMs: () => number;
}
