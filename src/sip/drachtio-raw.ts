/** The part of drachtio-srf's objects that is used here, as it behaves rather than as its own types say. */
import { BODY_FIELD } from '../wire/engine-headers.ts';
import { ownBytes } from '../wire/own-bytes.ts';
import {
  DEFAULT_MESSAGE_LIMITS,
  getHeader,
  parseSipMessage,
  removeHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';
import type { SipHeaders } from './sip-connection.ts';

/** The server has checked the sizes; a body may stand in a header field. */
const FRAME_LIMITS = { ...DEFAULT_MESSAGE_LIMITS, headBytes: 65_536 };

export interface RawMessage {
  readonly raw?: string;
}

export interface RawResponse {
  readonly msg: RawMessage;
  readonly status: number;
  readonly stackDialogId?: string;
  readonly source_address?: string;
  readonly source_port?: number;
  readonly protocol?: string;
  meta?: { readonly dialogId?: string };
  send(
    status: number,
    reason: string | undefined,
    options: { headers: SipHeaders; body?: string },
    callback?: (error: unknown, sent?: RawMessage) => void,
  ): void;
}

export type RawAck = (
  options?: { body?: string; headers?: SipHeaders },
  callback?: (error: unknown, sent?: RawMessage) => void,
) => void;

export interface RawRequest {
  readonly msg: RawMessage;
  readonly source?: string;
  readonly source_address?: string;
  readonly source_port?: number;
  readonly protocol?: string;
  readonly stackTxnId: string;
  readonly stackDialogId?: string;
  readonly receivedOn?: string;
  on(event: 'cancel', listener: (cancel: RawMessage) => void): void;
  on(event: 'response', listener: (response: RawResponse, acknowledge: RawAck) => void): void;
  on(event: 'update', listener: (request: RawRequest, response: RawResponse) => void): void;
  cancel(
    options: { headers: SipHeaders },
    callback: (error: unknown, sent?: RawRequest) => void,
  ): void;
}

export type RawHandler = (request: RawRequest, response: RawResponse) => void;

export interface RawSrf {
  on(
    event: 'connect',
    listener: (error: Error | null, hostports: string, version: string) => void,
  ): void;
  on(event: 'error' | 'close', listener: (error?: unknown) => void): void;
  use(handler: RawHandler): void;
  use(method: string, handler: RawHandler): void;
  connect(options: object): void;
  disconnect(): void;
  request(
    uri: string,
    options: object,
    callback: (error: (Error & { code?: string }) | null, request?: RawRequest) => void,
  ): void;
}

/**
 * Runs a command of the library, which throws while it has no socket: from the loss of a connection on, which it reports
 * some turns later, and until there is another one.
 *
 * @returns false when it threw.
 */
export function attempt(command: () => void): boolean {
  try {
    command();
    return true;
  } catch {
    return false;
  }
}

/** Copies the headers without line breaks in their values, which the protocol would turn into headers of their own. */
export function clean(headers: SipHeaders): SipHeaders {
  const result: SipHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    result[name] = value.replaceAll(/[\r\n\0]+/g, ' ');
  }
  return result;
}

/** Puts the body in place that the embedded engine could not write as text. */
export function restoreBody(message: SipMessage): void {
  const carried = getHeader(message, BODY_FIELD);
  if (carried === undefined) return;
  message.body = Buffer.from(carried, 'base64');
  removeHeader(message, BODY_FIELD);
}

/** Reads a message of the library; `undefined` when it is none of the wanted type. */
export function parseAs(type: 'request', raw: string | undefined): SipRequest | undefined;
export function parseAs(type: 'response', raw: string | undefined): SipResponse | undefined;
export function parseAs(
  type: string,
  raw: string | undefined,
): SipRequest | SipResponse | undefined {
  if (raw === undefined) return undefined;
  try {
    const message = parseSipMessage(Buffer.from(raw), FRAME_LIMITS);
    if (message.type !== type) return undefined;
    message.body = ownBytes(message.body);
    return message;
  } catch {
    return undefined;
  }
}
