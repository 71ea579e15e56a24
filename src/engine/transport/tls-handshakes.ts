import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { formatHostPort } from '../../wire/sip-uri.ts';
import { plainAddress } from './address.ts';
import { secureOptionsOf } from './tls-settings.ts';
import type { TlsSettings } from './tls-settings.ts';
import type { HandshakeFailure } from './transport-events.ts';

export interface TlsHandshakesUser {
  /** SIP may be read from `socket`. */
  onSecured(socket: Socket): void;
  onFailed(failure: HandshakeFailure): void;
}

/** A handshake can cost a millisecond of signing; a burst of them must not hold up what else is on the way. */
const STARTS_PER_TURN = 4;

interface Handshake {
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/**
 * The handshakes of those who connect to us, bounded in time and number. When there are too many the oldest has to
 * go: an honest client needs a moment only, so those that keep us waiting lose.
 */
export class TlsHandshakes {
  readonly #limits: { readonly handshakes: number; readonly handshakeTimeoutMs: number };
  readonly #user: TlsHandshakesUser;
  readonly #server: Server;
  /** By remote end, oldest first. */
  readonly #pending = new Map<string, Handshake>();
  /** Those of them that have not begun, oldest first. */
  readonly #waiting: Socket[] = [];
  #starter: NodeJS.Immediate | undefined;

  constructor(
    settings: TlsSettings,
    limits: { readonly handshakes: number; readonly handshakeTimeoutMs: number },
    user: TlsHandshakesUser,
  ) {
    this.#limits = limits;
    this.#user = user;
    const asksClients = settings.clientCertificates === 'required';
    this.#server = createServer({
      ...secureOptionsOf(settings),
      requestCert: asksClients,
      // Refused below instead: the server would not say why.
      rejectUnauthorized: false,
    });
    this.#server.on('secureConnection', (socket) => {
      this.#settle(remoteEnd(socket));
      if (asksClients && !socket.authorized) this.#fail(authorizationProblem(socket), socket);
      else user.onSecured(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => this.#fail(error, socket));
  }

  accept(socket: Socket): void {
    const key = remoteEnd(socket);
    if (this.#pending.size >= this.#limits.handshakes) this.#dropOldest();
    // The server's own time limit begins anew with every byte.
    const timer = setTimeout(() => {
      this.#report(key, 'not completed in time');
      socket.destroy();
    }, this.#limits.handshakeTimeoutMs);
    this.#pending.set(key, { socket, timer });
    socket.on('close', () => {
      if (this.#pending.get(key)?.socket === socket) this.#settle(key);
    });
    this.#waiting.push(socket);
    this.#scheduleStart();
  }

  close(): void {
    clearImmediate(this.#starter);
    this.#waiting.length = 0;
    for (const { socket } of this.#pending.values()) socket.destroy();
  }

  #scheduleStart(): void {
    if (this.#waiting.length === 0) return;
    this.#starter ??= setImmediate(() => {
      this.#starter = undefined;
      for (const socket of this.#waiting.splice(0, STARTS_PER_TURN)) {
        if (!socket.destroyed) this.#server.emit('connection', socket);
      }
      this.#scheduleStart();
    });
  }

  #dropOldest(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    const [key, { socket }] = oldest;
    // At once: more may come before the system reports the end.
    this.#settle(key);
    socket.destroy();
  }

  #settle(key: string): void {
    clearTimeout(this.#pending.get(key)?.timer);
    this.#pending.delete(key);
  }

  #fail(error: Error, socket: TLSSocket): void {
    // Without an address it has hung up: nothing to tell of a client that changed its mind.
    if (socket.remoteAddress !== undefined) this.#report(remoteEnd(socket), reasonOf(error));
    socket.destroy();
  }

  #report(remote: string, reason: string): void {
    this.#user.onFailed({ direction: 'inbound', remote, reason });
  }
}

/** What went wrong, without the inner places of OpenSSL. */
export function reasonOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return error.message.split(';')[0] ?? error.message;
}

function authorizationProblem({ authorizationError }: TLSSocket): Error {
  return new Error(`client certificate not accepted: ${String(authorizationError)}`);
}

function remoteEnd(socket: Socket): string {
  return formatHostPort(plainAddress(socket.remoteAddress ?? ''), socket.remotePort);
}
