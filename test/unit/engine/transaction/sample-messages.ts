import { parseSipMessage } from '../../../../src/wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../../../src/wire/sip-message.ts';

export interface RequestShape {
  readonly method: string;
  readonly branch?: string;
  readonly via?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly toTag?: string;
  readonly uri?: string;
  readonly extra?: readonly string[];
  readonly body?: string;
}

/** A request as text, complete but for what the shape leaves open. */
export function requestText(shape: RequestShape): string {
  const branch = shape.branch ?? 'z9hG4bKsample1';
  const to = shape.toTag === undefined ? '' : `;tag=${shape.toTag}`;
  const body = shape.body ?? '';
  return [
    `${shape.method} ${shape.uri ?? 'sip:bob@example.com'} SIP/2.0`,
    `Via: ${shape.via ?? `SIP/2.0/UDP 127.0.0.1:9;branch=${branch};rport`}`,
    'Max-Forwards: 70',
    'From: <sip:alice@example.com>;tag=alice1',
    `To: <sip:bob@example.com>${to}`,
    `Call-ID: ${shape.callId ?? 'call1@example.com'}`,
    `CSeq: ${shape.cseq ?? 1} ${shape.method}`,
    ...(shape.extra ?? []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

export function sampleRequest(shape: RequestShape): SipRequest {
  const message = parseSipMessage(Buffer.from(requestText(shape)));
  if (message.type !== 'request') throw new TypeError('expected a request');
  return message;
}

/** A request as the layer above hands it down: without Via. */
export function outgoingRequest(shape: RequestShape): SipRequest {
  const request = sampleRequest(shape);
  request.headers = request.headers.filter(({ name }) => name !== 'Via');
  return request;
}

/** The answer to a request seen on the wire. */
export function answerText(
  requestOnWire: string,
  status: number,
  toTag = 'bob1',
  extra = '',
): string {
  const line = (name: string): string =>
    requestOnWire.split('\r\n').find((text) => text.startsWith(`${name}:`)) ?? '';
  const to =
    line('To').includes(';tag=') || status === 100 ? line('To') : `${line('To')};tag=${toTag}`;
  return [
    `SIP/2.0 ${status} Because`,
    line('Via'),
    line('From'),
    to,
    line('Call-ID'),
    line('CSeq'),
    ...(extra === '' ? [] : [extra]),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export function sampleResponse(status: number, method = 'INVITE', toTag = 'bob1'): SipResponse {
  const message = parseSipMessage(Buffer.from(answerText(requestText({ method }), status, toTag)));
  if (message.type !== 'response') throw new TypeError('expected a response');
  return message;
}
