import { formatHostPort } from '../wire/sip-uri.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { FeatureDialog } from './feature-dialog.ts';
import type { Presentity } from './feature-state.ts';

/** A subscription as operators see it. */
export interface SubscriptionView {
  readonly id: string;
  readonly account: Presentity;
  readonly callId: string;
  readonly userAgent: string;
  /** `address:port` from which the phone last sent SUBSCRIBE. */
  readonly address: string;
  readonly transport: string;
  readonly expiresSeconds: number;
  /** Absent before the first. */
  readonly lastNotify?: {
    /** Milliseconds since 1970. */
    readonly atMs: number;
    /** Status of its answer; 0 while there is none. */
    readonly status: number;
  };
  readonly due: { readonly features: readonly Feature[]; readonly isFull: boolean };
}

export function viewOf(dialog: FeatureDialog): SubscriptionView {
  const { id, account, callId, userAgent, source, lastNotify, due } = dialog;
  return {
    id,
    account: account.presentity,
    callId,
    userAgent,
    address: formatHostPort(source.address, source.port),
    transport: source.protocol,
    expiresSeconds: Math.ceil(dialog.remainingMs / 1000),
    ...(lastNotify === undefined ? {} : { lastNotify }),
    due: { features: due?.features ?? [], isFull: due?.isFull ?? false },
  };
}
