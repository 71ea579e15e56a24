/**
 * What the engine says: the token lines of its frames, with or without a SIP message.
 *
 * The application library reads tokens by position, and different positions for the confirmation of a
 * request (transaction id last) and of a response (transaction id, dialog id, empty token):
 *
 *   <id>|sip|<source>|<bytes>|<protocol>|<address>|<port>|<time>|<transactionId>|<dialogId>|[<rx address>|<rx port>|]
 *   <id>|response|<messageId>|OK|application|<bytes>|<protocol>|<address>|<port>|<time>|<transactionId>|Msg sent:|
 *   <id>|response|<messageId>|OK|application|<bytes>|<protocol>|<address>|<port>|<time>|<transactionId>|<dialogId>||Msg sent:|
 */
import { randomUUID } from 'node:crypto';
import { formatFrame } from './frame.ts';

/** The way a SIP message came or went; a message made by the engine itself has no peer. */
export interface MessagePath {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

export interface SipFrame {
  readonly source: 'network' | 'application';
  readonly path: MessagePath;
  readonly transactionId: string;
  /** Empty outside a dialog. */
  readonly dialogId: string;
  /** Own address a new request came in on. */
  readonly receivedOn?: { readonly address: string; readonly port: number };
  readonly message: Buffer;
  /** Size to state when it is not that of `message` (0 for a response nobody sent). */
  readonly sizeBytes?: number;
}

/** Frame that delivers a SIP message to the application. */
export function formatSipFrame(frame: SipFrame): Buffer {
  const { path, receivedOn } = frame;
  const sizeBytes = frame.sizeBytes ?? frame.message.length;
  const received = receivedOn === undefined ? '' : `${receivedOn.address}|${receivedOn.port}|`;
  const tokens = [
    randomUUID(),
    'sip',
    frame.source,
    sizeBytes,
    ...pathTokens(path),
    frame.transactionId,
    frame.dialogId,
    received,
  ];
  return formatFrame(tokens.join('|'), frame.message);
}

/** Frame that confirms a request the application asked for. */
export function formatRequestSent(
  messageId: string,
  sent: { path: MessagePath; transactionId: string; message: Buffer; sizeBytes?: number },
): Buffer {
  const head = okTokens(messageId, sent.sizeBytes ?? sent.message.length, sent.path);
  return formatFrame([...head, sent.transactionId, 'Msg sent:', ''].join('|'), sent.message);
}

/** Frame that confirms a response the application asked for. */
export function formatResponseSent(
  messageId: string,
  sent: { path: MessagePath; transactionId: string; dialogId: string; message: Buffer },
): Buffer {
  const head = okTokens(messageId, sent.message.length, sent.path);
  const tokens = [...head, sent.transactionId, sent.dialogId, '', 'Msg sent:', ''];
  return formatFrame(tokens.join('|'), sent.message);
}

/** Bare agreement, with further tokens for authenticate and ping. */
export function formatOk(messageId: string, ...details: readonly string[]): Buffer {
  return formatFrame([randomUUID(), 'response', messageId, 'OK', ...details].join('|'));
}

/** Refusal with its reason; `|` would shift the tokens behind it. */
export function formatNok(messageId: string, reason: string): Buffer {
  return formatFrame(`${randomUUID()}|response|${messageId}|NOK|${safeText(reason)}`);
}

/** Refused authentication; the connection is closed after it. */
export function formatNo(messageId: string, reason: string): Buffer {
  return formatFrame(`${randomUUID()}|response|${messageId}|NO|${safeText(reason)}`);
}

function okTokens(messageId: string, sizeBytes: number, path: MessagePath): (string | number)[] {
  const head = [randomUUID(), 'response', messageId, 'OK', 'application', sizeBytes];
  return [...head, ...pathTokens(path)];
}

function pathTokens(path: MessagePath): (string | number)[] {
  return [path.protocol, path.address, path.port, timeOfDay()];
}

function safeText(text: string): string {
  return text.replaceAll(/[|\r\n]+/g, ' ');
}

/** UTC as HH:MM:SS.uuuuuu. */
function timeOfDay(): string {
  const nowMs = performance.timeOrigin + performance.now();
  const micros = Math.floor((nowMs % 1) * 1000);
  const text = new Date(Math.floor(nowMs)).toISOString().slice(11, 23);
  return `${text}${String(micros).padStart(3, '0')}`;
}
