import { NAMED_METHODS } from '../named-methods.ts';
import { ownBytes } from '../../wire/own-bytes.ts';
import { BODY_FIELD } from '../../wire/engine-headers.ts';
import { headerKey, sharedName } from '../../wire/sip-header-names.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';

/** A SIP message as an application wrote it, or why it cannot be used. */
export type AppSip =
  | SipRequest
  | SipResponse
  | { readonly type: 'invalid'; readonly reason: string };

const HEADER_NAME = /^[A-Za-z0-9_-]+$/;
const RESPONSE_LINE = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/;
const REQUEST_LINE = /^([A-Z]+) (\S+) SIP\/2\.0$/;
const URI = /^(?:sips?:\S+|tel:[+0-9*#A-Fa-f().-][^\s<>]*)$/i;
// Anything that could end a line or a string on the way to the wire.
const FORBIDDEN = /[\r\n\0]/;
const NO_BODY = Buffer.alloc(0);

/**
 * Reads the SIP part of a frame. It is no complete SIP message: identifying headers are missing and
 * Content-Length counts UTF-16 units, so everything after the empty line is the body.
 * Header names outside [A-Za-z0-9_-] are left out; a line break inside a value makes the message invalid.
 */
export function parseAppSip(text: Buffer): AppSip {
  const headEnd = text.indexOf('\r\n\r\n');
  const head = text.toString('utf8', 0, headEnd < 0 ? text.length : headEnd);
  const body = headEnd < 0 ? NO_BODY : ownBytes(text.subarray(headEnd + 4));
  const [startLine = '', ...lines] = head.split('\r\n');
  const headers: SipHeader[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 0 || FORBIDDEN.test(line)) {
      return { type: 'invalid', reason: `invalid header: ${line}` };
    }
    const name = line.slice(0, colon).trim();
    if (!HEADER_NAME.test(name)) continue;
    headers.push({ name: sharedName(name), value: line.slice(colon + 1).trim() });
  }
  const carried = headers.find(({ name }) => headerKey(name) === BODY_FIELD.toLowerCase())?.value;
  const whole = carried === undefined ? body : Buffer.from(carried, 'base64');
  return parseStartLine(startLine, headers, whole);
}

function parseStartLine(startLine: string, headers: SipHeader[], body: Buffer): AppSip {
  if (startLine.startsWith('SIP/')) {
    const [, status, reason = ''] = RESPONSE_LINE.exec(startLine) ?? [];
    if (status === undefined || FORBIDDEN.test(startLine)) {
      return { type: 'invalid', reason: `invalid status line: ${startLine}` };
    }
    return { type: 'response', status: Number(status), reason, headers, body };
  }
  const [, method = '', uri = ''] = REQUEST_LINE.exec(startLine) ?? [];
  if (!NAMED_METHODS.has(method) || !URI.test(uri) || /\p{Cc}/u.test(uri)) {
    return { type: 'invalid', reason: `invalid request-uri: ${startLine}` };
  }
  return { type: 'request', method, uri, headers, body };
}
