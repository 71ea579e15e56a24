/**
 * Notifiers for subscriptions of a peer that have dialogs of their own, one subscription each: such a dialog ends with
 * the last NOTIFY of any subscription in it.
 */
import type { SipDialog } from '../../sip/dialog.ts';
import type { IncomingSubscription } from '../../sip/incoming-subscription.ts';
import type { DialogNotifier } from '../../sip/notifier.ts';
import { getHeader } from '../../wire/sip-message.ts';
import type { LegNotifiers } from './leg-notifiers.ts';

/** As many as one dialog may hold. */
const MAX_SEPARATE = 8;

/** Whether the leg takes one more of them; the SUBSCRIBE is answered if not. */
export function mayOpenSeparate(
  notifiers: LegNotifiers,
  subscribe: Pick<IncomingSubscription, 'reject'>,
): boolean {
  if (notifiers.separate.length < MAX_SEPARATE) return true;
  subscribe.reject(503, { 'Retry-After': '10' });
  return false;
}

/** Answers the SUBSCRIBE by `notifier`, which from now on belongs to the leg. */
export function serveSeparate(parts: {
  readonly notifiers: LegNotifiers;
  readonly notifier: DialogNotifier;
  /** The dialog whose keys it reports. */
  readonly monitored: SipDialog;
  readonly subscribe: IncomingSubscription;
  readonly onBug: (error: unknown) => void;
}): void {
  const { notifiers, notifier, monitored, subscribe, onBug } = parts;
  const leave = notifiers.addSeparate(monitored, notifier);
  subscribe.serve({
    onRequest: (request) => {
      const refusal = refusalOf(notifier, getHeader(request.message, 'Event'));
      try {
        if (refusal === undefined) notifier.receiveSubscribe(request);
        else subscribe.respond(request, refusal);
      } catch (error) {
        onBug(error);
      }
    },
    onEnd: () => {
      leave();
      notifier.end();
    },
    onTrace: monitored.trace,
    digest: monitored.digest,
  });
  notifier.receiveSubscribe(subscribe.received);
}

/** 481 once the subscription is over; 403 for one that wants to share its dialog (RFC 6665 §4.5.1). */
function refusalOf(notifier: DialogNotifier, event: string | undefined): 403 | 481 | undefined {
  if (notifier.subscriptions.length === 0) return 481;
  return notifier.holds(event) ? undefined : 403;
}
