/**
 * rtpengine-client with its socket taken from its hands: it writes requests and reads answers, and that is all.
 * The one importer of the package.
 *
 *   encode --> library --send--> kept here                     socket --> onDatagram (the filter)
 *   send(bytes) ----------------------------> socket           deliver(bytes) --> library --> the promise of encode
 *
 * Left alone, the library ends the process by an `error` event at a datagram it does not expect, prints what it does not
 * understand, and asks once only.
 */

import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import debug from 'debug';
import { Client } from 'rtpengine-client';
import { COOKIE_LENGTH } from './ng-exchange.ts';
import type { NgTarget } from './ng-exchange.ts';
import type { NgCommand, NgReply } from './ng-result.ts';
import type { NgDictionary } from './rtpengine-node.ts';

/** The library's own end of waiting; ours comes first. */
const LIBRARY_TIMEOUT_MS = 10_000;

/** What the library calls each command. */
const METHODS = {
  ping: 'ping',
  offer: 'offer',
  answer: 'answer',
  delete: 'delete',
  query: 'query',
  'play DTMF': 'playDTMF',
  'block DTMF': 'blockDTMF',
  'unblock DTMF': 'unblockDTMF',
} as const satisfies Record<NgCommand, keyof Client>;

/** What the library prints requests and answers under. */
const DEBUG_NAMES = ['rtpengine:Client', 'rtpengine:baseClient'];

export interface NgLibraryOptions {
  /** IPv4 address to ask from; default any. */
  readonly localAddress?: string | undefined;
  onDatagram(bytes: Buffer<ArrayBuffer>, source: NgTarget): void;
}

export interface NgEncoded {
  readonly cookie: string;
  /** Cookie and dictionary, as they go over the wire. */
  readonly bytes: Buffer;
  /** Settles after `deliver`; never when the request is forgotten. Does not reject. */
  readonly reply: Promise<NgReply>;
}

export class NgLibrary {
  readonly #client: Client;
  readonly #send: Client['socket']['send'];
  /** What the library hears of its socket. */
  readonly #readers: readonly ((bytes: Buffer<ArrayBuffer>, source: RemoteInfo) => void)[];
  #written: Buffer | undefined;
  #isClosed = false;

  private constructor(client: Client, options: NgLibraryOptions) {
    this.#client = client;
    const { socket } = client;
    this.#send = socket.send.bind(socket);
    Object.defineProperty(socket, 'send', {
      value: (bytes: Buffer) => {
        this.#written = bytes;
      },
    });
    this.#readers = socket.listeners('message');
    socket.removeAllListeners('message');
    socket.on('message', (bytes, { address, port }) => {
      options.onDatagram(bytes, { address, port });
    });
  }

  /** Resolves when the socket is bound. @throws Error of the system when it cannot be. */
  static async open(options: NgLibraryOptions): Promise<NgLibrary> {
    keepQuiet();
    const { localAddress } = options;
    const client = new Client({
      ...(localAddress === undefined ? {} : { localAddress }),
      timeout: LIBRARY_TIMEOUT_MS,
      rejectOnError: true,
    });
    const listening = once(client, 'listening');
    // Without a listener, each error of the socket or of the library would end the process.
    client.on('error', () => {});
    try {
      // Before that, Node keeps what is sent in a form that cannot be taken over.
      await listening;
    } catch (error) {
      client.close();
      throw error;
    }
    return new NgLibrary(client, options);
  }

  /** Writes a request under a cookie of its own. Nothing is sent. */
  encode(command: NgCommand, request: NgDictionary, target: NgTarget): NgEncoded {
    this.#written = undefined;
    const answer = this.#client[METHODS[command]](target.port, target.address, request);
    const bytes = this.#written;
    if (bytes === undefined) throw new Error('the library wrote no request');
    return {
      cookie: cookieOf(bytes),
      bytes,
      reply: answer.then(
        // An error without a reason is resolved with nothing.
        (read): NgReply =>
          read === undefined ? { type: 'refused', reason: '' } : { type: 'answer', answer: read },
        (reason: unknown): NgReply => ({ type: 'refused', reason }),
      ),
    };
  }

  /** Sends the bytes of a request; `onFailed` gets the code of an error of the system. */
  send(bytes: Buffer, target: NgTarget, onFailed: (code: string) => void): void {
    if (this.#isClosed) return;
    this.#send(bytes, target.port, target.address, (error) => {
      if (error !== null) onFailed('code' in error ? String(error.code) : error.name);
    });
  }

  /** Hands the library the one answer to a request that it still waits for. */
  deliver(bytes: Buffer<ArrayBuffer>, source: NgTarget): void {
    const cookie = cookieOf(bytes);
    if (!this.#client.messages.has(cookie)) return;
    // It must not give up between now and the turn in which it reads the answer.
    clearTimeout(this.#client.timers.get(cookie));
    const from: RemoteInfo = { ...source, family: 'IPv4', size: bytes.length };
    for (const read of this.#readers) read(bytes, from);
  }

  /** Nobody waits for the answer any longer. */
  forget(cookie: string): void {
    clearTimeout(this.#client.timers.get(cookie));
    this.#client.timers.delete(cookie);
    this.#client.messages.delete(cookie);
  }

  /** Resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const cookie of this.#client.messages.keys()) this.forget(cookie);
    const closed = once(this.#client.socket, 'close');
    this.#client.close();
    await closed;
  }
}

/** Whoever traces all libraries by DEBUG=* shall not find digits and SDP among it. */
function keepQuiet(): void {
  if (!DEBUG_NAMES.some((name) => debug.enabled(name))) return;
  debug.enable([debug.disable(), ...DEBUG_NAMES.map((name) => `-${name}`)].join(','));
}

function cookieOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, COOKIE_LENGTH);
}
