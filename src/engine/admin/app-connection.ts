import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { parseAppMessage } from './app-message.ts';
import type { AppMessage, SipCommand } from './app-message.ts';
import { FrameReader } from './frame.ts';
import { Outbox } from './outbox.ts';
import type { OutboxClock, OutgoingFrame } from './outbox.ts';
import { formatNo, formatNok, formatOk } from './server-message.ts';

/** Largest payload an application may send. */
const MAX_PAYLOAD_BYTES = 256 * 1024;
/** Unread output at which an application counts as dead. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
const AUTHENTICATION_TIMEOUT_MS = 10_000;

const REAL_CLOCK: OutboxClock = {
  nowMs: () => performance.now(),
  soon: (callback) => void setImmediate(callback),
  later: (callback, delayMs) => void setTimeout(callback, delayMs),
};

/**
 * Tag of an application that attaches its listeners within the callback that tells it of their subject, so that
 * nothing can come too early.
 */
const UNPACED_TAG = 'unpaced';

/** What a connection needs to greet an application. */
export interface Welcome {
  readonly secret: string;
  /** Own addresses as `udp/127.0.0.1:5060,tcp/127.0.0.1:5060`. */
  readonly hostports: string;
  /** `vMAJOR.MINOR.PATCH`; the library pings servers from v0.8.2 on. */
  readonly version: string;
}

/** Told about applications and what they ask for. */
export interface ConnectionUser {
  onCommand(connection: AppConnection, command: SipCommand): void;
  /** Comes once for each connection, authenticated or not. */
  onGone(connection: AppConnection): void;
}

type Phase = { type: 'greeting'; timer: NodeJS.Timeout } | { type: 'open' } | { type: 'gone' };

/** One application: authentication, routes, ping, and paced frames towards it. */
export class AppConnection {
  /** Methods in lower case whose new requests this application wants. */
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  readonly #welcome: Welcome;
  readonly #user: ConnectionUser;
  readonly #reader = new FrameReader(MAX_PAYLOAD_BYTES);
  readonly #outbox: Outbox;
  #phase: Phase;

  constructor(socket: Socket, welcome: Welcome, user: ConnectionUser) {
    this.#socket = socket;
    this.#welcome = welcome;
    this.#user = user;
    this.#outbox = new Outbox((bytes) => this.#write(bytes), REAL_CLOCK);
    const timer = setTimeout(() => this.close(), AUTHENTICATION_TIMEOUT_MS);
    this.#phase = { type: 'greeting', timer };
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    // 'close' follows every error; without this listener the error would end the process.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave());
  }

  get isOpen(): boolean {
    return this.#phase.type === 'open';
  }

  send(frame: OutgoingFrame): void {
    this.#outbox.push(frame);
  }

  /** The application has used `key`, a dialog or transaction id: frames that wait for its listeners may go. */
  settle(key: string): void {
    this.#outbox.settle(key);
  }

  /** Answers an application message with NOK. */
  refuse(messageId: string, reason: string): void {
    this.#outbox.push({ bytes: formatNok(messageId, reason), keys: [] });
  }

  close(): void {
    this.#socket.destroy();
    this.#leave();
  }

  #receive(bytes: Buffer): void {
    const { payloads, broken } = this.#reader.push(bytes);
    for (const payload of payloads) {
      const message = parseAppMessage(payload);
      if (message === undefined) return this.close();
      this.#handle(message);
      if (this.#phase.type === 'gone') return undefined;
    }
    if (broken !== undefined) this.close();
    return undefined;
  }

  #handle(message: AppMessage): void {
    if (this.#phase.type === 'gone') return;
    if (message.type === 'authenticate') {
      this.#authenticate(message);
      return;
    }
    if (this.#phase.type === 'greeting') {
      this.#dismiss(formatNo(message.messageId, 'not authenticated'));
      return;
    }
    switch (message.type) {
      case 'route':
        this.routes.add(message.method);
        this.#answer(formatOk(message.messageId));
        break;
      case 'removeRoute':
        this.routes.delete(message.method);
        this.#answer(formatOk(message.messageId));
        break;
      case 'ping':
        this.#answer(formatOk(message.messageId, 'pong'));
        break;
      case 'sip':
        this.#user.onCommand(this, message);
        break;
      case 'unsupported':
        this.refuse(message.messageId, `${message.verb} is not supported`);
        break;
    }
  }

  #authenticate({ messageId, secret, tags }: AppMessage & { type: 'authenticate' }): void {
    if (!isSameSecret(secret, this.#welcome.secret)) {
      this.#dismiss(formatNo(messageId, 'incorrect secret'));
      return;
    }
    if (this.#phase.type === 'greeting') clearTimeout(this.#phase.timer);
    this.#phase = { type: 'open' };
    if (tags.includes(UNPACED_TAG)) this.#outbox.unpace();
    this.#answer(formatOk(messageId, this.#welcome.hostports, this.#welcome.version));
  }

  #answer(bytes: Buffer): void {
    this.#outbox.push({ bytes, keys: [] });
  }

  /** Last words, then the connection ends. */
  #dismiss(bytes: Buffer): void {
    this.#answer(bytes);
    this.#outbox.flush();
    this.#socket.end();
    this.#leave();
  }

  #write(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.close();
  }

  #leave(): void {
    if (this.#phase.type === 'gone') return;
    if (this.#phase.type === 'greeting') clearTimeout(this.#phase.timer);
    this.#phase = { type: 'gone' };
    this.#outbox.close();
    this.#user.onGone(this);
  }
}

function isSameSecret(given: string, expected: string): boolean {
  const givenBytes = Buffer.from(given);
  const expectedBytes = Buffer.from(expected);
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes);
}
