import { isAcceptable } from '../wire/event-headers.ts';
import { getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { type Refusal, refused } from './room-for-calls.ts';

/** For a caller who cannot read the only kind of answer there is (RFC 3261 §21.4.7). */
export function sdpRefusal(invite: SipRequest): Refusal | undefined {
  const accept = getHeaders(invite, 'Accept');
  const accepted = accept.length === 0 ? undefined : accept.join(',');
  if (isAcceptable(accepted, 'application/sdp')) return undefined;
  return refused('bad-content', {}, { status: 406, text: 'session description not accepted' });
}
