import { headerKey, headerValues } from './sip-header-names.ts';
import {
  checkCommonFields,
  checkRequestFields,
  contentLengthOf,
  groupHeaders,
  isIdentified,
} from './sip-message-check.ts';
import { findHeadEnd, holdsControl, readHead, skipEmptyLines } from './sip-message-head.ts';
import { SipParseError } from './sip-parse-error.ts';
import { isToken } from './sip-text.ts';
import { WireError } from './wire-error.ts';

/**
 * SIP messages as bytes and as values (RFC 3261 §7): tolerant in, strict out.
 *
 *   INVITE sip:bob@example.com SIP/2.0      start line
 *   Via: SIP/2.0/UDP 192.0.2.1;branch=…     header fields, kept in order and with their names as written
 *   …
 *                                           empty line
 *   v=0 …                                   body, Content-Length bytes
 */

/** One header field: name as written, value without the white space around it, folded lines joined. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly type: 'request';
  method: string;
  uri: string;
  headers: SipHeader[];
  body: Buffer;
}

export interface SipResponse {
  readonly type: 'response';
  /** 100 to 699. */
  status: number;
  reason: string;
  headers: SipHeader[];
  body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

/** Bounds of what is read from the network. */
export interface SipMessageLimits {
  /** Start line and header fields together. */
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly headerCount: number;
}

export const DEFAULT_MESSAGE_LIMITS: SipMessageLimits = {
  headBytes: 16_384,
  bodyBytes: 65_535,
  headerCount: 256,
};

const NO_BODY = Buffer.alloc(0);

/**
 * Reads one message: a datagram or one frame of a stream. Bytes after the announced body are ignored, a body
 * without announced length reaches to the end. The body shares its memory with `bytes`.
 *
 * @throws SipParseError with the status of the answer and, for requests, what that answer can be built from.
 */
export function parseSipMessage(bytes: Buffer, limits = DEFAULT_MESSAGE_LIMITS): SipMessage {
  const start = skipEmptyLines(bytes);
  const emptyLineEnd = findHeadEnd(bytes, start);
  const headEnd = emptyLineEnd ?? bytes.length;
  if (headEnd - start > limits.headBytes) {
    const request = salvageRequest(bytes.subarray(start, start + limits.headBytes));
    throw new SipParseError('header fields too large', 513, request);
  }
  const head = readHead(bytes.subarray(start, headEnd));
  const message = readStartLine(head.startLine);
  message.headers = head.headers;
  const salvaged = message.type === 'request' ? message : undefined;
  if (head.headers.length > limits.headerCount) {
    throw new SipParseError('too many header fields', 513, salvaged);
  }
  try {
    if (emptyLineEnd === undefined) throw new WireError('no empty line after the header fields');
    if (head.problem !== undefined) throw new WireError(head.problem);
    const fields = groupHeaders(head.headers);
    if (message.type === 'request') checkRequestLine(message, head.startLine);
    checkCommonFields(fields);
    if (message.type === 'request') checkRequestFields(message.method, message.uri, fields);
    message.body = readBody(bytes.subarray(headEnd), contentLengthOf(fields), limits);
    return message;
  } catch (error) {
    if (error instanceof SipParseError)
      throw new SipParseError(error.message, error.status, salvaged);
    if (error instanceof WireError) throw new SipParseError(error.message, 400, salvaged);
    throw error;
  }
}

/**
 * Writes a message, with an exact Content-Length in place of the given one or at the end.
 *
 * @throws WireError when a part cannot be written without becoming something else (line breaks, NUL, bad names).
 */
export function formatSipMessage(message: SipMessage): Buffer {
  const lines = [formatStartLine(message)];
  const length = `Content-Length: ${message.body.length}`;
  let hasLength = false;
  for (const header of message.headers) {
    if (headerKey(header.name) === 'content-length') {
      if (!hasLength) lines.push(length);
      hasLength = true;
    } else {
      lines.push(formatHeader(header));
    }
  }
  if (!hasLength) lines.push(length);
  const head = `${lines.join('\r\n')}\r\n\r\n`;
  const headLength = Buffer.byteLength(head);
  // Memory of its own: kept for retransmission, a part of the shared pool would hold all of that pool.
  const bytes = Buffer.allocUnsafeSlow(headLength + message.body.length);
  bytes.write(head);
  bytes.set(message.body, headLength);
  return bytes;
}

/** The value of the first field called `name`, in any letter case and compact or long form. */
export function getHeader(message: HasHeaders, name: string): string | undefined {
  const key = headerKey(name);
  return message.headers.find((header) => headerKey(header.name) === key)?.value;
}

/** The values of all fields called `name`, in order. A comma list inside one value stays together. */
export function getHeaders(message: HasHeaders, name: string): string[] {
  return headerValues(message.headers, name);
}

/** Puts one field in the place of all those called `name`, or at the end. */
export function setHeader(message: HasHeaders, name: string, value: string): void {
  const key = headerKey(name);
  const index = message.headers.findIndex((header) => headerKey(header.name) === key);
  removeHeader(message, name);
  message.headers.splice(index < 0 ? message.headers.length : index, 0, { name, value });
}

/** Adds a field after all others. */
export function addHeader(message: HasHeaders, name: string, value: string): void {
  message.headers.push({ name, value });
}

/** Adds a field before all others. */
export function prependHeader(message: HasHeaders, name: string, value: string): void {
  message.headers.unshift({ name, value });
}

export function removeHeader(message: HasHeaders, name: string): void {
  const key = headerKey(name);
  message.headers = message.headers.filter((header) => headerKey(header.name) !== key);
}

interface HasHeaders {
  headers: SipHeader[];
}

/** Only tells request from response; what is wrong with a request line is found when its answer can be built. */
function readStartLine(line: string): SipMessage {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/is.exec(line);
  if (response !== null) {
    const [, status, reason = ''] = response;
    return { type: 'response', status: Number(status), reason, headers: [], body: NO_BODY };
  }
  if (/^SIP\//i.test(line)) throw new SipParseError('expected a status line');
  const [method = '', uri = ''] = line.split(/[ \t]+/, 2);
  if (!isToken(method) || !/ SIP\/\d/i.test(line))
    throw new SipParseError('expected a SIP message');
  return { type: 'request', method, uri, headers: [], body: NO_BODY };
}

/** The whole lines of a cut head, if they name what an answer must name. */
function salvageRequest(cut: Buffer): SipRequest | undefined {
  const { startLine, headers } = readHead(cut.subarray(0, cut.lastIndexOf('\n') + 1));
  if (!isIdentified(groupHeaders(headers))) return undefined;
  const message = readStartLine(startLine);
  message.headers = headers;
  return message.type === 'request' ? message : undefined;
}

function checkRequestLine(request: SipRequest, line: string): void {
  const version = /SIP\/\d+(?:\.\d+)?$/i.exec(line)?.[0].toUpperCase();
  if (version !== undefined && version !== 'SIP/2.0') {
    throw new SipParseError(`unknown version ${version}`, 505);
  }
  // Exactly one space on both sides of the URI and none behind the version.
  if (line.slice(0, -'SIP/2.0'.length) !== `${request.method} ${request.uri} `) {
    throw new WireError('malformed request line');
  }
}

function readBody(rest: Buffer, announced: number | undefined, limits: SipMessageLimits): Buffer {
  const length = announced ?? rest.length;
  if (length > limits.bodyBytes) throw new SipParseError('body too large', 413);
  if (length > rest.length) throw new WireError('body shorter than content-length');
  return rest.subarray(0, length);
}

function formatStartLine(message: SipMessage): string {
  if (message.type === 'request') {
    if (!isToken(message.method) || /[\s\p{Cc}]/u.test(message.uri) || message.uri === '') {
      throw new WireError('expected a method and a request URI');
    }
    return `${message.method} ${message.uri} SIP/2.0`;
  }
  const isStatus =
    Number.isInteger(message.status) && message.status >= 100 && message.status < 700;
  if (!isStatus || holdsControl(message.reason) !== undefined) {
    throw new WireError('expected a status of 100 to 699 and one line of reason');
  }
  return `SIP/2.0 ${message.status} ${message.reason}`;
}

function formatHeader(header: SipHeader): string {
  const fault = isToken(header.name) ? holdsControl(header.value) : 'a name that is no token';
  if (fault !== undefined) throw new WireError(`header ${header.name.slice(0, 40)}: ${fault}`);
  return `${header.name}: ${header.value}`;
}
