import { KPML_PACKAGE } from '../wire/kpml.ts';
import { getHeader, type SipMessage, type SipRequest } from '../wire/sip-message.ts';

/** The package of the subscription that a REFER makes (RFC 3515 §2.4.4). */
export const REFER_PACKAGE = 'refer';

/** The event package of a SUBSCRIBE or NOTIFY; compared byte by byte (RFC 6665 §8.2.1). Empty without one. */
export function eventTypeOf(message: SipMessage): string {
  const [eventType = ''] = (getHeader(message, 'Event') ?? '').split(';', 1);
  return eventType.trim();
}

/** Whether the sender of a NOTIFY ends its subscription with it (RFC 6665 §4.1.3). */
export function isTerminated(subscriptionState: string | undefined): boolean {
  return /^\s*terminated\s*(?:;|$)/i.test(subscriptionState ?? '');
}

/** Whether `message` reports to a subscription of ours: to keys, or the implicit one of a REFER. */
export function isNotifyForUs(message: SipMessage): boolean {
  if (message.type !== 'request' || message.method !== 'NOTIFY') return false;
  return [KPML_PACKAGE, REFER_PACKAGE].includes(eventTypeOf(message));
}

/** Whether a SUBSCRIBE wants to hear of keys. */
export function isKpmlSubscribe(message: SipRequest): boolean {
  return message.method === 'SUBSCRIBE' && eventTypeOf(message) === KPML_PACKAGE;
}

/** Whether a request is about an event package other than those of calls. */
export function isPackageRequest(message: SipRequest): boolean {
  const { method } = message;
  return (method === 'SUBSCRIBE' && !isKpmlSubscribe(message)) || method === 'PUBLISH';
}
