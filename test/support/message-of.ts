import { parseSipMessage } from '../../src/wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../src/wire/sip-message.ts';

/** A request of a test, written as lines; fields every request needs are filled in where they are missing. */
export function requestOf(startLine: string, ...fields: string[]): SipRequest {
  const message = parse(startLine, fields);
  if (message.type !== 'request') throw new Error(`${startLine} is no request`);
  return message;
}

/** The same for a response. */
export function responseOf(startLine: string, ...fields: string[]): SipResponse {
  const message = parse(startLine, fields);
  if (message.type !== 'response') throw new Error(`${startLine} is no response`);
  return message;
}

function parse(startLine: string, fields: string[]): SipRequest | SipResponse {
  const method = startLine.startsWith('SIP/') ? 'INVITE' : (startLine.split(' ')[0] ?? '');
  const defaults = [
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtest',
    'Max-Forwards: 70',
    'From: <sip:alice@192.0.2.1>;tag=from',
    'To: <sip:bob@192.0.2.2>',
    'Call-ID: call@test',
    `CSeq: 1 ${method}`,
  ];
  const given = new Set(fields.map((field) => field.split(':')[0]?.toLowerCase()));
  const missing = defaults.filter((field) => !given.has(field.split(':')[0]?.toLowerCase()));
  const text = [startLine, ...missing, ...fields, '', ''].join('\r\n');
  return parseSipMessage(Buffer.from(text));
}
