/** SIP messages as frames to their application, with the order and pace the library needs. */
import { isUtf8 } from 'node:buffer';
import { BODY_FIELD, isEngineField, MAX_FIELD_BODY_BYTES } from '../../wire/engine-headers.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import { formatSipMessage } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { OpenedKey } from '../admin/outbox.ts';
import { formatRequestSent, formatResponseSent, formatSipFrame } from '../admin/server-message.ts';
import type { MessagePath } from '../admin/server-message.ts';
import type { Flow, ListenPoint } from '../transport/flow.ts';

/** How long a new dialog may take to get its listeners: longer than a busy application pauses, far below T1. */
const DIALOG_SETTLE_MS = 50;
/** The same for the listener of a response; shorter because it delays every quick one. */
const REQUEST_SETTLE_MS = 5;

/** Requests that find no listener when they come too early; the library defers the others itself. */
const NEEDS_LISTENER = new Set(['SUBSCRIBE', 'NOTIFY', 'INVITE', 'BYE']);

/** Requests whose bodies need not be UTF-8. */
const EVENT_METHODS: ReadonlySet<string> = new Set(['SUBSCRIBE', 'NOTIFY']);

export interface DeliveredRequest {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly transactionId: string;
  /** Empty outside a dialog. */
  readonly dialogId: string;
  readonly receivedOn?: ListenPoint;
}

/** Gives a request of the network to the application. */
export function deliverRequest(owner: AppConnection, delivered: DeliveredRequest): void {
  const { request, flow, transactionId, dialogId, receivedOn } = delivered;
  const bytes = formatSipFrame({
    source: 'network',
    path: peerOf(flow),
    transactionId,
    dialogId,
    ...(receivedOn === undefined ? {} : { receivedOn }),
    message: formatSipMessage(asText(request)),
  });
  const keys = keysOf(transactionId, dialogId);
  const isPaced = dialogId !== '' && NEEDS_LISTENER.has(request.method);
  owner.send({ bytes, keys, ...(isPaced ? { waitsFor: dialogId } : {}) });
}

/** The application reads frames as UTF-8: other bodies of event packages come in a field of their own, which the network may not set. */
function asText<Message extends SipRequest | SipResponse>(message: Message): Message {
  const { body } = message;
  const isEvent = message.type === 'request' && EVENT_METHODS.has(message.method);
  const needsField = isEvent && body.length <= MAX_FIELD_BODY_BYTES && !isUtf8(body);
  const isClean = !message.headers.some(({ name }) => isEngineField(headerKey(name)));
  if (isClean && !needsField) return message;
  const headers = message.headers.filter(({ name }) => !isEngineField(headerKey(name)));
  if (needsField) headers.push({ name: BODY_FIELD, value: body.toString('base64') });
  return { ...message, headers };
}

export interface DeliveredResponse {
  readonly response: SipResponse;
  /** The way it came; a response the engine made in place of a silent peer has only the protocol. */
  readonly path: MessagePath;
  readonly transactionId: string;
  readonly dialogId: string;
  /** Whether the application builds its dialog from it. */
  readonly opensDialog: boolean;
}

/** Gives a response of the network to the application. */
export function deliverResponse(owner: AppConnection, delivered: DeliveredResponse): void {
  const { response, path, transactionId, dialogId } = delivered;
  const bytes = formatSipFrame({
    source: 'network',
    path,
    transactionId,
    dialogId,
    message: formatSipMessage(asText(response)),
    ...(path.address === '' ? { sizeBytes: 0 } : {}),
  });
  const keys = keysOf(transactionId, dialogId);
  const opens = delivered.opensDialog ? opensDialog(dialogId) : {};
  owner.send({ bytes, keys, waitsFor: transactionId, ...opens });
}

/** Tells the application what became of the request it wanted sent; `bytes` is the text as sent. */
export function confirmRequest(
  owner: AppConnection,
  sent: { messageId: string; transactionId: string; dialogId: string; bytes: Buffer },
  path: MessagePath,
): void {
  const { messageId, transactionId, dialogId, bytes: message } = sent;
  const isUnsent = path.address === '' ? { sizeBytes: 0 } : {};
  const frame = { path, transactionId, message, ...isUnsent };
  const keys = keysOf(transactionId, dialogId);
  // Inside a dialog the library takes the confirmation in a callback, so nothing can come too early.
  const opened = { key: transactionId, settleMs: REQUEST_SETTLE_MS };
  const opens = dialogId === '' ? { opens: opened } : {};
  owner.send({ bytes: formatRequestSent(messageId, frame), keys, ...opens });
}

/** Tells the application what became of the response it wanted sent. */
export function confirmResponse(
  owner: AppConnection,
  sent: {
    messageId: string;
    transactionId: string;
    dialogId: string;
    bytes: Buffer;
    opensDialog: boolean;
  },
  path: MessagePath,
): void {
  const { messageId, transactionId, dialogId, bytes: message } = sent;
  const bytes = formatResponseSent(messageId, { path, transactionId, dialogId, message });
  const opens = sent.opensDialog ? opensDialog(dialogId) : {};
  owner.send({ bytes, keys: keysOf(transactionId, dialogId), ...opens });
}

/** Tells the application that the engine itself ended a dialog. */
export function deliverUnsolicited(
  owner: AppConnection,
  bye: { dialogId: string; bytes: Buffer; local: ListenPoint },
): void {
  const bytes = formatSipFrame({
    source: 'application',
    path: bye.local,
    transactionId: 'unsolicited',
    dialogId: bye.dialogId,
    message: bye.bytes,
  });
  owner.send({ bytes, keys: [bye.dialogId], waitsFor: bye.dialogId });
}

export function peerOf(flow: Flow): MessagePath {
  return { protocol: flow.protocol, address: flow.remoteAddress, port: flow.remotePort };
}

function opensDialog(dialogId: string): { opens?: OpenedKey } {
  return dialogId === '' ? {} : { opens: { key: dialogId, settleMs: DIALOG_SETTLE_MS } };
}

function keysOf(transactionId: string, dialogId: string): readonly string[] {
  return dialogId === '' ? [transactionId] : [transactionId, dialogId];
}
