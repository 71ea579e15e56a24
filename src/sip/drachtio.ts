/**
 * The one adapter around drachtio-srf: a typed connection to a drachtio server, real or embedded.
 *
 * Only the library's transport is used: `srf.request` for what we send and the middleware for what arrives. Its Dialog
 * class is left out on purpose: it answers requests by itself (489, 200, 202 without Expires) whenever a listener is
 * attached a moment too late, and its `modify` never recovers from a failed re-INVITE. Dialogs are ours: dialog.ts.
 *
 * Every callback of this module runs in the same turn as the frame that caused it, so a handler registered in `onSent`
 * or in an `onResponse` never misses the next frame.
 */
import assert from 'node:assert/strict';
import Srf from 'drachtio-srf';
import { ownText } from '../wire/own-bytes.ts';
import {
  attempt,
  clean,
  parseAs,
  restoreBody,
  type RawHandler,
  type RawRequest,
  type RawResponse,
  type RawSrf,
} from './drachtio-raw.ts';
import { DrachtioRequest } from './drachtio-request.ts';
import type {
  AnsweredRequest,
  ConnectionOptions,
  PeerSource,
  SendCallbacks,
  SendOptions,
  SipConnection,
  Unanswered,
} from './sip-connection.ts';

/**
 * Opens a connection and registers for `options.methods`.
 *
 * @returns a connection that reconnects by itself; rejects when the first attempt fails or the secret is wrong.
 */
export function connectDrachtio(options: ConnectionOptions): Promise<SipConnection> {
  const connection = new DrachtioConnection(options);
  return connection.open();
}

/** Tells the embedded engine that nothing it sends can come too early for us; other servers take no notice. */
const UNPACED_TAG = 'unpaced';

class DrachtioConnection implements SipConnection {
  readonly #options: ConnectionOptions;
  readonly #srf: RawSrf;
  readonly #waiting = new Set<SendCallbacks>();
  #hostports = '';
  #state: 'connecting' | 'up' | 'down' | 'closed' = 'connecting';

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#srf = newSrf(Srf);
  }

  /** `proto/host:port` pairs the server listens on for SIP, separated by commas. */
  get hostports(): string {
    return this.#hostports;
  }

  get isEmbedded(): boolean {
    return this.#options.isEmbedded === true;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  open(): Promise<SipConnection> {
    const { host, port, secret, methods } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        if (this.#state !== 'connecting') return;
        this.close();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      this.#srf.on('error', fail);
      this.#srf.on('close', () => this.#wentDown());
      this.#srf.on('connect', (error, hostports) => {
        if (error !== null) return fail(error);
        if (this.#state === 'closed') return;
        this.#hostports = hostports;
        this.#state = 'up';
        this.#options.onStateChange?.('up');
        resolve(this);
      });
      const handler: RawHandler = (request, response) => this.#receive(request, response);
      this.#srf.use(handler);
      for (const method of methods) this.#srf.use(method.toLowerCase(), handler);
      // A server that comes back is not met by all its applications in the same moment.
      const reconnect = { retryMaxDelay: 1000 + Math.floor(Math.random() * 1000) };
      this.#srf.connect({ host, port, secret, tags: [UNPACED_TAG], reconnect });
    });
  }

  send(options: SendOptions, callbacks: SendCallbacks): void {
    this.#waiting.add(callbacks);
    const fail = (reason: string): void => {
      // Never before `send` returns: the sender has not noted the request yet.
      queueMicrotask(() => {
        this.#count(options.method, 503, 'unreachable');
        this.#settle(callbacks)?.onFailed(reason);
      });
    };
    if (this.#state !== 'up') {
      fail('connection-lost');
      return;
    }
    const isTaken = attempt(() => {
      this.#srf.request(options.uri, requestOptions(options), (error, request) => {
        if (error !== null || request === undefined) fail(failureOf(error));
        else this.#sent(options, callbacks, request);
      });
    });
    if (!isTaken) fail('connection-lost');
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#failWaiting();
    try {
      this.#srf.disconnect();
    } catch {
      // The library throws when no socket was ever connected; there is nothing to disconnect then.
    }
  }

  #sent(options: SendOptions, callbacks: SendCallbacks, request: RawRequest): void {
    request.on('update', (update, response) => this.#receive(update, response));
    request.on('response', (response, acknowledge) => {
      const message = parseAs('response', response.msg.raw);
      if (message === undefined) return;
      if (message.status >= 200) {
        this.#waiting.delete(callbacks);
        const isMadeUp = response.source_address === '';
        this.#count(
          options.method,
          message.status,
          isMadeUp ? insteadOf(message.status) : undefined,
        );
      }
      callbacks.onResponse({
        message,
        text: response.msg.raw ?? '',
        dialogId: ownText(response.stackDialogId ?? ''),
        isMadeUp: response.source_address === '',
        source: sourceOf(response),
        acknowledge: (body, onSent) => {
          const ackOptions = body === undefined ? {} : { body };
          attempt(() => acknowledge(ackOptions, (_error, sent) => onSent?.(sent?.raw ?? '')));
        },
      });
    });
    callbacks.onSent?.({
      text: request.msg.raw ?? '',
      message: parseAs('request', request.msg.raw),
      cancel: (headers, onSent) => {
        const done = (_error: unknown, sent?: RawRequest): void => {
          if (sent?.msg.raw !== undefined) onSent?.(sent.msg.raw);
        };
        attempt(() => request.cancel({ headers: clean(headers) }, done));
      },
    });
    if (options.method === 'ACK') this.#waiting.delete(callbacks);
  }

  #receive(request: RawRequest, response: RawResponse): void {
    const message = parseAs('request', request.msg.raw);
    if (message === undefined) return;
    if (this.#options.isEmbedded === true) restoreBody(message);
    const onAnswered = (status: number): void => {
      this.#options.onAnswered?.({ direction: 'inbound', method: message.method, status });
    };
    if (message.method === 'INVITE') {
      // The library gives an UPDATE during an INVITE of the peer to that INVITE, and answers 500 if nobody listens.
      request.on('update', (update, answer) => this.#receive(update, answer));
    }
    this.#options.onRequest(new DrachtioRequest(message, { request, response }, onAnswered));
  }

  #count(method: string, status: number, unanswered: Unanswered | undefined): void {
    if (method === 'ACK') return;
    const answered: AnsweredRequest = { direction: 'outbound', method, status, unanswered };
    this.#options.onAnswered?.(answered);
  }

  #wentDown(): void {
    if (this.#state !== 'up') return;
    this.#state = 'down';
    this.#failWaiting();
    this.#options.onStateChange?.('down');
  }

  #failWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callbacks of waiting) callbacks.onFailed('connection-lost');
  }

  #settle(callbacks: SendCallbacks): SendCallbacks | undefined {
    return this.#waiting.delete(callbacks) ? callbacks : undefined;
  }
}

/** What a status stands for that the SIP engine made up. */
function insteadOf(status: number): Unanswered {
  return status === 408 ? 'timeout' : 'unreachable';
}

/** The library's own types miss what it does; the methods used here are checked to be there instead. */
function newSrf(library: unknown): RawSrf {
  assert(isSrfClass(library), 'drachtio-srf does not export the class it used to');
  return new library();
}

function isSrfClass(library: unknown): library is new () => RawSrf {
  if (typeof library !== 'function') return false;
  const prototype: unknown = library.prototype;
  if (typeof prototype !== 'object' || prototype === null) return false;
  return ['connect', 'disconnect', 'on', 'request', 'use'].every((name) => name in prototype);
}

function requestOptions(options: SendOptions): object {
  return {
    method: options.method,
    headers: clean(options.headers ?? {}),
    ...(options.body === undefined ? {} : { body: options.body }),
    ...(options.dialogId === undefined ? {} : { stackDialogId: options.dialogId }),
    ...(options.nextHop === undefined ? {} : { proxy: options.nextHop }),
  };
}

function sourceOf({
  source_address: address = '',
  source_port: port,
  protocol = '',
}: RawResponse): PeerSource | undefined {
  // Parts of the frame, which they would keep whole.
  return address === '' || port === undefined
    ? undefined
    : { address: ownText(address), port, protocol: ownText(protocol) };
}

function failureOf(error: { code?: string; message: string } | null): string {
  if (error === null) return 'no request was sent';
  if (error.code === 'ENODIALOG') return 'no-dialog';
  return error.code === 'ESOCKETDESTROYED' ? 'connection-lost' : error.message;
}
