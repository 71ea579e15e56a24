/**
 * SIP over one UDP socket as plain text, with as little work per message as the peers of many calls can do with:
 * it keeps no record, reads only the headers it needs, and repeats what RFC 3261 §17 repeats.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createSocket, type Socket } from 'node:dgram';
import type { SipTarget } from './sip-peer.ts';

const T1_MS = 500;
const T2_MS = 4000;
const GIVE_UP_MS = 64 * T1_MS;
const SWEEP_MS = 100;
const COPY_DELAY_MS = 20;
/** Repeats come for 32 s; this is more than what is answered in that time. */
const MAX_ANSWERS = 50_000;
const COPIED = /^(?:via|from|call-id|cseq|record-route)\s*:/i;

export interface LightRequest {
  readonly method: string;
  readonly uri: string;
  readonly to: SipTarget;
  /** Header lines without Via, Max-Forwards and Content-Length. */
  readonly head: readonly string[];
  readonly body?: string;
}

export interface LightReply {
  readonly status: number;
  /** Header lines beside those that are copied from the request. */
  readonly head?: readonly string[];
  readonly body?: string;
}

/** `atMs` is when the request came out of the socket. Absent answers leave it without one. */
export type LightHandler = (request: string, atMs: number) => LightReply | undefined;

/** How often a message is to travel: 0 loses it, each further copy comes some ms later. */
export type Copies = (message: string, way: 'in' | 'out') => number;

interface Pending {
  readonly text: string;
  readonly to: SipTarget;
  readonly sentAtMs: number;
  readonly resolve: (response: string) => void;
  readonly reject: (error: Error) => void;
  repeatAtMs: number;
  intervalMs: number;
}

export class LightSip {
  readonly address: string;
  readonly port: number;
  /** Requests that went out once more because no answer came within T1. */
  repeats = 0;
  /** Spoils the network between this socket and the other end. */
  copies: Copies = () => 1;

  readonly #socket: Socket;
  readonly #pending = new Map<string, Pending>();
  readonly #handlers = new Map<string, LightHandler>();
  readonly #onCall: LightHandler;
  readonly #answers = new Map<string, string>();
  readonly #acks = new Map<string, { text: string; to: SipTarget }>();
  readonly #sweep: ReturnType<typeof setInterval>;
  #branches = 0;
  #isOpen = true;

  private constructor(socket: Socket, address: string, onCall: LightHandler) {
    this.#socket = socket;
    this.address = address;
    this.port = socket.address().port;
    this.#onCall = onCall;
    socket.on('message', (bytes, from) => {
      const text = bytes.toString('latin1');
      this.#travel(text, 'in', () => this.#receive(text, performance.now(), from));
    });
    socket.on('error', () => {});
    this.#sweep = setInterval(() => this.#repeat(), SWEEP_MS);
  }

  /** `onCall` gets requests outside every known call. */
  static async open(address: string, onCall: LightHandler = refuse): Promise<LightSip> {
    return new LightSip(await openUdp(address), address, onCall);
  }

  /** Hands requests of one call to `handler` from now on. */
  handle(callId: string, handler: LightHandler): void {
    this.#handlers.set(callId, handler);
  }

  /** Gives the final answer; rejects without one after 32 s. */
  request(request: LightRequest): Promise<string> {
    const branch = `z9hG4bK${this.port}-${(this.#branches += 1)}`;
    const text = this.#format(request, branch);
    const atMs = performance.now();
    this.#send(text, request.to);
    return new Promise((resolve, reject) => {
      const repeatAtMs = atMs + T1_MS;
      const { to } = request;
      const pending = { text, to, sentAtMs: atMs, resolve, reject, repeatAtMs, intervalMs: T1_MS };
      this.#pending.set(branch, pending);
    });
  }

  /** Sends the ACK of a 2xx, and again whenever that 2xx is repeated. */
  acknowledge(callId: string, ack: Omit<LightRequest, 'method'>): void {
    const branch = `z9hG4bK${this.port}-${(this.#branches += 1)}`;
    const text = this.#format({ ...ack, method: 'ACK' }, branch);
    this.#acks.set(callId, { text, to: ack.to });
    this.#send(text, ack.to);
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#isOpen = false;
    this.#socket.close();
  }

  #format({ method, uri, head, body = '' }: LightRequest, branch: string): string {
    const via = `Via: SIP/2.0/UDP ${this.address}:${this.port};branch=${branch};rport`;
    const lines = [`${method} ${uri} SIP/2.0`, via, 'Max-Forwards: 70', ...head];
    return `${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  #send(text: string, to: SipTarget): void {
    // One character is one byte, as on the way in.
    const bytes = Buffer.from(text, 'latin1');
    this.#travel(text, 'out', () => this.#socket.send(bytes, to.port, to.address));
  }

  #travel(text: string, way: 'in' | 'out', arrive: () => void): void {
    const copies = this.copies(text, way);
    if (copies > 0) arrive();
    for (let copy = 1; copy < copies; copy += 1) {
      setTimeout(() => {
        if (this.#isOpen) arrive();
      }, copy * COPY_DELAY_MS);
    }
  }

  #receive(text: string, atMs: number, from: SipTarget): void {
    if (text.startsWith('SIP/2.0 ')) {
      this.#receiveAnswer(text);
      return;
    }
    const callId = headerOf(text, 'Call-ID');
    const key = `${headerOf(text, 'CSeq')} ${callId} ${headerOf(text, 'From')}`;
    const known = this.#answers.get(key);
    if (known !== undefined) {
      this.#send(known, from);
      return;
    }
    const reply = (this.#handlers.get(callId) ?? this.#onCall)(text, atMs);
    if (reply === undefined || text.startsWith('ACK ')) return;
    const answer = answerText(text, reply);
    this.#answers.set(key, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MAX_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#send(answer, from);
  }

  #receiveAnswer(text: string): void {
    if (text.startsWith('SIP/2.0 1')) return;
    const branch = /;branch=([^;,\s]+)/.exec(text)?.[1] ?? '';
    const pending = this.#pending.get(branch);
    if (pending !== undefined) {
      this.#pending.delete(branch);
      pending.resolve(text);
      return;
    }
    const ack = this.#acks.get(headerOf(text, 'Call-ID'));
    if (ack !== undefined && headerOf(text, 'CSeq').endsWith('INVITE'))
      this.#send(ack.text, ack.to);
  }

  #repeat(): void {
    const nowMs = performance.now();
    for (const [branch, pending] of this.#pending) {
      if (nowMs < pending.repeatAtMs) continue;
      if (nowMs > pending.sentAtMs + GIVE_UP_MS) {
        this.#pending.delete(branch);
        pending.reject(new Error(`no answer to\n${pending.text}`));
        continue;
      }
      pending.intervalMs = Math.min(2 * pending.intervalMs, T2_MS);
      pending.repeatAtMs = nowMs + pending.intervalMs;
      this.repeats += 1;
      this.#send(pending.text, pending.to);
    }
  }
}

/** A UDP socket on any port of `address`; addresses it sends to are taken as they are, without a look-up. */
export async function openUdp(address: string): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    lookup: (host, _options, done) => done(null, host, 4),
  });
  const listening = once(socket, 'listening');
  socket.bind(0, address);
  await listening;
  return socket;
}

export function newToken(): string {
  return randomBytes(6).toString('hex');
}

/** The first value of a header; empty when it is absent. */
export function headerOf(message: string, name: string): string {
  let expression = HEADERS.get(name);
  if (expression === undefined) {
    expression = new RegExp(`\\r\\n${name}[ \\t]*:[ \\t]*([^\\r]*)`, 'i');
    HEADERS.set(name, expression);
  }
  return expression.exec(message)?.[1] ?? '';
}

const HEADERS = new Map<string, RegExp>();

export function bodyOf(message: string): string {
  return message.slice(message.indexOf('\r\n\r\n') + 4);
}

/** The URI in angle brackets. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value;
}

function refuse(): LightReply {
  return { status: 481 };
}

/** `head` may hold a To with the tag; else the request's is copied. */
function answerText(request: string, { status, head = [], body = '' }: LightReply): string {
  const lines = request.slice(0, request.indexOf('\r\n\r\n')).split('\r\n');
  const copied = lines.filter((line) => COPIED.test(line));
  if (!head.some((line) => line.startsWith('To:'))) copied.push(`To: ${headerOf(request, 'To')}`);
  const top = [`SIP/2.0 ${status} ${status === 200 ? 'OK' : 'Refused'}`, ...copied, ...head];
  return `${top.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
