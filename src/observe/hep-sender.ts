/**
 * Sends HEP datagrams to a capture server without ever waiting for it: what does not leave at once is counted and gone.
 *
 *   off --apply--> opening --address found, socket connected--> open
 *                     ^ '--name unknown, no route: wait, again     |
 *                     '------ send failed, name looked up anew ----'
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** What a datagram holds: a SIP message, a decision about a call, an entry of the digit ledger. */
export const HEP_CONTENTS = ['sip', 'decision', 'digit'] as const;
export type HepContent = (typeof HEP_CONTENTS)[number];

/** `dropped`: there was no room or no way; `failed`: the network refused it. */
export const HEP_RESULTS = ['sent', 'dropped', 'failed'] as const;
export type HepResult = (typeof HEP_RESULTS)[number];

export interface HepServer {
  readonly host: string;
  readonly port: number;
}

export interface HepSenderOptions {
  /** Hears of every datagram, once. */
  readonly onResult: (content: HepContent, result: HepResult) => void;
  /** The server cannot be reached; once until another attempt to find it succeeds. */
  readonly onTrouble: (server: HepServer, reason: string) => void;
  /** Default: the resolver of the system. */
  readonly lookUp?: (host: string) => Promise<string>;
  /** Wait before another attempt. Default 5000. */
  readonly retryMs?: number;
  /** How often a host name is looked up again. Default 60 000. */
  readonly refreshMs?: number;
}

interface Datagram {
  readonly content: HepContent;
  readonly bytes: Buffer;
}

type State =
  | { readonly type: 'off' }
  | { readonly type: 'opening'; readonly server: HepServer; readonly waiting: Datagram[] }
  | { readonly type: 'open'; readonly server: HepServer; readonly socket: Socket };

/** Datagrams that wait for an address, or that the system has not taken yet. */
const QUEUE_LIMIT = 500;
const DEFAULT_RETRY_MS = 5_000;
const DEFAULT_REFRESH_MS = 60_000;

export class HepSender {
  readonly #options: HepSenderOptions;
  #state: State = { type: 'off' };
  /** Each attempt to open has its own number: an older one that comes to its end late is nothing any more. */
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #pending = 0;
  #isInTrouble = false;

  constructor(options: HepSenderOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#state.type !== 'off';
  }

  /** Sends to `server` from now on; `undefined`: nowhere. */
  apply(server: HepServer | undefined): void {
    const current = this.#state.type === 'off' ? undefined : this.#state.server;
    if (current?.host === server?.host && current?.port === server?.port) return;
    this.#leave();
    this.#isInTrouble = false;
    if (server !== undefined) this.#open(server, []);
  }

  /** Takes a datagram; never throws and never waits. */
  send(content: HepContent, bytes: Buffer): void {
    const state = this.#state;
    switch (state.type) {
      case 'off':
        break;
      case 'opening':
        if (state.waiting.length < QUEUE_LIMIT) state.waiting.push({ content, bytes });
        else this.#options.onResult(content, 'dropped');
        break;
      case 'open':
        if (this.#pending < QUEUE_LIMIT) this.#transmit(state.socket, { content, bytes });
        else this.#options.onResult(content, 'dropped');
        break;
    }
  }

  close(): void {
    this.#leave();
  }

  #open(server: HepServer, waiting: Datagram[]): void {
    this.#state = { type: 'opening', server, waiting };
    this.#attempt += 1;
    const attempt = this.#attempt;
    const opened = this.#find(server.host).then((address) => connected(address, server.port));
    opened.then(
      (socket) => this.#opened(attempt, socket),
      (error: unknown) => this.#missed(attempt, server, error),
    );
  }

  async #find(host: string): Promise<string> {
    if (isIP(host) !== 0) return host;
    return await (this.#options.lookUp ?? systemLookUp)(host);
  }

  #opened(attempt: number, socket: Socket): void {
    const state = this.#state;
    if (state.type !== 'opening' || attempt !== this.#attempt) {
      socket.close();
      return;
    }
    const { server, waiting } = state;
    this.#state = { type: 'open', server, socket };
    this.#isInTrouble = false;
    // A refusal of the other side shows here or at the next datagram, as it comes.
    socket.on('error', (error) => this.#troubled(server, error));
    if (isIP(server.host) === 0) this.#wait(this.#options.refreshMs ?? DEFAULT_REFRESH_MS);
    for (const datagram of waiting) this.#transmit(socket, datagram);
  }

  #missed(attempt: number, server: HepServer, error: unknown): void {
    const state = this.#state;
    if (state.type !== 'opening' || attempt !== this.#attempt) return;
    for (const { content } of state.waiting.splice(0)) this.#options.onResult(content, 'dropped');
    this.#troubled(server, error);
    this.#wait(this.#options.retryMs ?? DEFAULT_RETRY_MS);
  }

  /** Opens anew after a while: the name may stand for another address by then. */
  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reopen(), ms);
    this.#timer.unref();
  }

  #reopen(): void {
    const state = this.#state;
    if (state.type === 'off') return;
    if (state.type === 'open') state.socket.close();
    this.#open(state.server, state.type === 'opening' ? state.waiting : []);
  }

  #transmit(socket: Socket, { content, bytes }: Datagram): void {
    this.#pending += 1;
    socket.send(bytes, (error) => {
      this.#pending -= 1;
      this.#options.onResult(content, error === null ? 'sent' : 'failed');
      if (error !== null) this.#failed(socket, error);
    });
  }

  /** A server that is not there refuses; after anything else this socket has no way there any more. */
  #failed(socket: Socket, error: Error): void {
    const state = this.#state;
    if (state.type !== 'open' || state.socket !== socket) return;
    this.#troubled(state.server, error);
    const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
    if (!isRefused) this.#wait(this.#options.retryMs ?? DEFAULT_RETRY_MS);
  }

  #troubled(server: HepServer, error: unknown): void {
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    this.#options.onTrouble(server, error instanceof Error ? error.message : String(error));
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#attempt += 1;
    const state = this.#state;
    this.#state = { type: 'off' };
    if (state.type === 'open') state.socket.close();
    if (state.type !== 'opening') return;
    for (const { content } of state.waiting) this.#options.onResult(content, 'dropped');
  }
}

/** A socket that sends to one place, so that the system tells when nobody is there. */
function connected(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    socket.unref();
    const fail = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', fail);
    socket.connect(port, address, () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

async function systemLookUp(host: string): Promise<string> {
  const { address } = await lookup(host);
  return address;
}
