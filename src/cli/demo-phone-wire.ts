/** One UDP socket of a demo phone: sends requests again until they are answered, and answers those of the SBC. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  formatSipMessage,
  getHeader,
  getHeaders,
  parseSipMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';

const ADDRESS = '127.0.0.1';
/** RFC 3261 §17.1.2.1; on loopback nothing is lost, so the first interval is all there is. */
const REPEAT_MS = 500;
const GIVE_UP_MS = 5000;
/** Copied from a request into its answer (RFC 3261 §8.2.6.2). */
const COPIED = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

export interface WireListener {
  /** Every message that was sent or received, repeats left out. */
  seen(message: SipMessage, way: 'in' | 'out'): void;
  /** Gives the status of the answer. */
  request(request: SipRequest): number;
}

export class DemoPhoneWire {
  readonly port: number;
  readonly #socket: Socket;
  readonly #server: { readonly address: string; readonly port: number };
  readonly #listener: WireListener;
  readonly #waiting = new Map<string, (response: SipResponse) => void>();
  readonly #answers = new Map<string, Buffer>();

  private constructor(
    socket: Socket,
    server: { readonly address: string; readonly port: number },
    listener: WireListener,
  ) {
    this.#socket = socket;
    this.#server = server;
    this.#listener = listener;
    this.port = socket.address().port;
    socket.on('message', (bytes) => this.#receive(bytes));
    socket.on('error', () => {});
  }

  static async open(
    server: { readonly address: string; readonly port: number },
    listener: WireListener,
  ): Promise<DemoPhoneWire> {
    const socket = createSocket('udp4');
    const listening = once(socket, 'listening');
    socket.bind(0, ADDRESS);
    await listening;
    return new DemoPhoneWire(socket, server, listener);
  }

  /** Sends the request, to which the Via is added; gives the final answer, rejects when there is none. */
  async request(request: SipRequest, branch: string): Promise<SipResponse> {
    const via = `SIP/2.0/UDP ${ADDRESS}:${this.port};branch=${branch};rport`;
    const message = { ...request, headers: [{ name: 'Via', value: via }, ...request.headers] };
    const bytes = formatSipMessage(message);
    const { promise, resolve, reject } = Promise.withResolvers<SipResponse>();
    this.#waiting.set(branch, resolve);
    const repeating = setInterval(() => this.#send(bytes), REPEAT_MS);
    const limit = setTimeout(() => reject(new Error(`no answer to ${request.method}`)), GIVE_UP_MS);
    this.#listener.seen(message, 'out');
    this.#send(bytes);
    try {
      const response = await promise;
      return response;
    } finally {
      clearInterval(repeating);
      clearTimeout(limit);
      this.#waiting.delete(branch);
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #send(bytes: Buffer): void {
    this.#socket.send(bytes, this.#server.port, this.#server.address);
  }

  #receive(bytes: Buffer): void {
    const message = parseSipMessage(bytes);
    if (message.type === 'response') {
      const branch = /;branch=([^;,\s]+)/.exec(getHeader(message, 'Via') ?? '')?.[1] ?? '';
      const resolve = this.#waiting.get(branch);
      if (message.status < 200 || resolve === undefined) return;
      this.#listener.seen(message, 'in');
      resolve(message);
      return;
    }
    const key = `${getHeader(message, 'Call-ID') ?? ''} ${getHeader(message, 'CSeq') ?? ''}`;
    const known = this.#answers.get(key);
    if (known !== undefined) {
      this.#send(known);
      return;
    }
    this.#listener.seen(message, 'in');
    const status = this.#listener.request(message);
    const answer = answerTo(message, status);
    const answerBytes = formatSipMessage(answer);
    this.#answers.set(key, answerBytes);
    this.#listener.seen(answer, 'out');
    this.#send(answerBytes);
  }
}

function answerTo(request: SipRequest, status: number): SipResponse {
  const headers = COPIED.flatMap((name) =>
    getHeaders(request, name).map((value) => ({ name, value })),
  );
  const reason = status === 200 ? 'OK' : 'Refused';
  return { type: 'response', status, reason, headers, body: Buffer.alloc(0) };
}
