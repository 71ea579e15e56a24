import { getHeader, type SipMessage } from '../wire/sip-message.ts';

/** The event package of a SUBSCRIBE or NOTIFY; compared byte by byte (RFC 6665 §8.2.1). Empty without one. */
export function eventTypeOf(message: SipMessage): string {
  const [eventType = ''] = (getHeader(message, 'Event') ?? '').split(';', 1);
  return eventType.trim();
}

/** Whether the sender of a NOTIFY ends its subscription with it (RFC 6665 §4.1.3). */
export function isTerminated(subscriptionState: string | undefined): boolean {
  return /^\s*terminated\s*(?:;|$)/i.test(subscriptionState ?? '');
}
