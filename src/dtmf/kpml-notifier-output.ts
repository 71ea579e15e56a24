import type { PressDropReason } from './kpml-press.ts';

/** What the KPML notifier of a leg wants done, in this order. */
export type NotifierOutput =
  | {
      /** The answer to the SUBSCRIBE just received. */
      readonly type: 'respond';
      readonly status: number;
      readonly reason?: string;
      readonly headers: Record<string, string>;
    }
  | {
      readonly type: 'notify';
      /** Event id; empty when there is none. */
      readonly subscriptionId: string;
      /** Event, Subscription-State and, with a body, Content-Type. */
      readonly headers: Record<string, string>;
      readonly body: string;
      /** Presses that this NOTIFY reports. */
      readonly pressIds: readonly string[];
    }
  | { readonly type: 'digitDropped'; readonly pressId: string; readonly reason: PressDropReason };
