import type { KpmlKey } from '../wire/kpml.ts';

/** What our KPML subscription wants done, in this order. */
export type SubscriberOutput =
  | {
      /** A request to send; its answer comes back by `receiveResponse`. */
      readonly type: 'subscribe';
      readonly headers: Record<string, string>;
      readonly body: string;
    }
  | {
      /** The answer to the NOTIFY just received. */
      readonly type: 'respond';
      readonly status: number;
      readonly reason?: string;
      readonly headers: Record<string, string>;
    }
  | {
      readonly type: 'digits';
      readonly digits: readonly KpmlKey[];
      readonly notifyCSeq: number;
      /** The peer lost older keys. */
      readonly isForcedFlush: boolean;
    }
  | {
      readonly type: 'ignoredDigits';
      /** Empty when the body was not looked at. */
      readonly characters: string;
      readonly reason: 'unknown-character' | 'flash-disabled' | 'rate-limited';
    }
  | {
      readonly type: 'state';
      readonly state: 'active' | 'failed' | 'ended';
      readonly reason: string;
    };
