/** Header in which the SIP engine tells its application, and nobody else, why a request of it reached nobody. */
import { getHeader, type SipHeader, type SipMessage } from './sip-message.ts';

const NAME = 'X-Unreachable';
const MAX_LENGTH = 200;

/** `reason` may hold anything; what no header may hold becomes a blank. */
export function unreachableHeader(reason: string): SipHeader {
  return {
    name: NAME,
    value: reason
      .slice(0, MAX_LENGTH)
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
      .trim(),
  };
}

/** Which place failed and why, such as `tcp 192.0.2.1:5060: connect ECONNREFUSED`; else the reason phrase. */
export function whyUnreachable(response: SipMessage & { readonly reason: string }): string {
  return getHeader(response, NAME) ?? response.reason;
}
