import { getHeader, getHeaders } from '../../wire/sip-message.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { uriScheme } from '../../wire/sip-uri.ts';

/** Tools that only look for open servers and weak passwords; any answer would encourage them. */
const SCANNERS =
  /friendly-scanner|friendly-request|sipvicious|sip-?cli\b|sundayddr|sip-?scan|iwar\b|pplsip|smap\b/i;
const KNOWN_SCHEMES = new Set(['sip', 'sips', 'tel']);

/** What is decided about a request before anybody works on it. */
export type Screening =
  | { readonly type: 'pass' }
  | { readonly type: 'ignore' }
  | { readonly type: 'refuse'; readonly status: number; readonly reason: string };

export function screenRequest(request: SipRequest): Screening {
  if (SCANNERS.test(getHeader(request, 'user-agent') ?? '')) return { type: 'ignore' };
  if (!KNOWN_SCHEMES.has(uriScheme(request.uri))) {
    return { type: 'refuse', status: 416, reason: 'Unsupported URI Scheme' };
  }
  return { type: 'pass' };
}

/** Whether an answer could be told apart from any other; without Via there is nothing to send it by (RFC 3261 §18.2.2). */
export function hasVia(request: SipRequest): boolean {
  return getHeaders(request, 'via').some((value) => /[^\s,]/.test(value));
}
