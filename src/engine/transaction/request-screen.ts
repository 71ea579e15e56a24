import { getHeader, getHeaders } from '../../wire/sip-message.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { uriScheme } from '../../wire/sip-uri.ts';

/** Tools that only look for open servers and weak passwords; any answer would encourage them. */
const SCANNERS =
  /friendly-scanner|friendly-request|sipvicious|\bsv(?:map|war|crack|crash)\b|sip-?cli\b|sundayddr|sip-?scan|sipptk|iwar\b|pplsip|smap\b/i;
/** A display name or user that such a tool gives itself when its User-Agent is disguised. */
const SCANNER_NAMES =
  /^\s*"?(?:sipvicious|friendly-scanner|sipcli)\b|sips?:(?:sipvicious|friendly-scanner)@/i;
/** svmap asks from and for extension 100 at an address that is nobody's, whatever it calls itself. */
const SVMAP_ADDRESS = /sip:100@1\.1\.1\.1\b/i;
const KNOWN_SCHEMES = new Set(['sip', 'sips', 'tel']);

/** What is decided about a request before anybody works on it. */
export type Screening =
  | { readonly type: 'pass' }
  | { readonly type: 'ignore' }
  | { readonly type: 'refuse'; readonly status: number; readonly reason: string };

export function screenRequest(request: SipRequest): Screening {
  if (isScanner(request)) return { type: 'ignore' };
  if (!KNOWN_SCHEMES.has(uriScheme(request.uri))) {
    return { type: 'refuse', status: 416, reason: 'Unsupported URI Scheme' };
  }
  return { type: 'pass' };
}

function isScanner(request: SipRequest): boolean {
  if (SCANNERS.test(getHeader(request, 'user-agent') ?? '')) return true;
  const from = getHeader(request, 'from') ?? '';
  const to = getHeader(request, 'to') ?? '';
  if (SCANNER_NAMES.test(from) || SCANNER_NAMES.test(to)) return true;
  return SVMAP_ADDRESS.test(from) && SVMAP_ADDRESS.test(to);
}

/** Whether an answer could be told apart from any other; without Via there is nothing to send it by (RFC 3261 §18.2.2). */
export function hasVia(request: SipRequest): boolean {
  return getHeaders(request, 'via').some((value) => /[^\s,]/.test(value));
}
