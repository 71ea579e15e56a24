import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { getHeader, getHeaders, parseSipMessage } from '../../src/wire/sip-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../src/wire/sip-message.ts';
import { PATIENCE_MS } from './wait-for.ts';

/** One audio stream with telephone-event, as every peer here offers and answers. */
export const SDP = [
  'v=0',
  'o=- 1000 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 4000 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

let counter = 0;

/** A unique token for branches, tags and Call-IDs. */
export function token(): string {
  counter += 1;
  return `${counter.toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
}

/** A SIP phone of a test: says exactly what it is told and remembers everything it hears. */
export class EnginePeer {
  readonly heard: SipMessage[] = [];
  readonly #socket: Socket;
  readonly #target: number;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  private constructor(socket: Socket, target: number) {
    this.#socket = socket;
    this.#target = target;
    socket.on('message', (bytes) => {
      this.heard.push(parseSipMessage(Buffer.from(bytes)));
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }

  /** A peer on a loopback port, a free one if none is given, that talks to the engine at `enginePort`. */
  static async open(enginePort: number, port = 0): Promise<EnginePeer> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new EnginePeer(socket, enginePort);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** SIP port of the engine it talks to. */
  get enginePort(): number {
    return this.#target;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  send(lines: readonly string[], body = ''): void {
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    const text = [...lines, length, '', body].join('\r\n');
    this.#socket.send(text, this.#target, '127.0.0.1');
  }

  /** The first message, old or new, for which `wanted` is true; it is taken out of `heard`. */
  async next<Wanted extends SipMessage>(
    wanted: (message: SipMessage) => message is Wanted,
    timeoutMs = PATIENCE_MS,
  ): Promise<Wanted> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.heard.find(wanted);
      if (found !== undefined) {
        this.heard.splice(this.heard.indexOf(found), 1);
        return found;
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`nothing came but ${this.heard.map(firstLine).join(', ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async request(method: string): Promise<SipRequest> {
    return await this.next(
      (each): each is SipRequest => each.type === 'request' && each.method === method,
    );
  }

  /** The next response of this status, to a request of `method` if given. */
  async response(status: number, method?: string): Promise<SipResponse> {
    return await this.next(
      (each): each is SipResponse =>
        each.type === 'response' &&
        each.status === status &&
        (method === undefined || (getHeader(each, 'CSeq') ?? '').endsWith(method)),
    );
  }

  /** The next response to a request of `method` that is no 1xx. */
  async finalResponse(method: string): Promise<SipResponse> {
    return await this.next(
      (each): each is SipResponse =>
        each.type === 'response' &&
        each.status >= 200 &&
        (getHeader(each, 'CSeq') ?? '').endsWith(method),
    );
  }

  /** Answers a request; a To without tag gets one of this peer. */
  answer(request: SipRequest, status: string, extra: readonly string[] = [], body = ''): void {
    this.answerAs(`peer${this.port}`, request, { status, extra, body });
  }

  /** The same as the branch of a fork that has its own tag. */
  answerAs(
    tag: string,
    request: SipRequest,
    answer: { status: string; extra?: readonly string[]; body?: string },
  ): void {
    const to = getHeader(request, 'To') ?? '';
    const lines = [
      `SIP/2.0 ${answer.status}`,
      ...getHeaders(request, 'Via').map((via) => `Via: ${via}`),
      `From: ${getHeader(request, 'From') ?? ''}`,
      `To: ${to.includes('tag=') ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${getHeader(request, 'Call-ID') ?? ''}`,
      `CSeq: ${getHeader(request, 'CSeq') ?? ''}`,
      ...(answer.extra ?? []),
    ];
    this.send(lines, answer.body);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

/** The call of one peer as caller: writes requests with the right identity. */
export class PeerCall {
  readonly callId = `${token()}@peer`;
  readonly fromTag = token();
  readonly #peer: EnginePeer;
  readonly #target: string;
  toTag: string | undefined;
  #cseq = 0;
  #inviteBranch = '';

  constructor(peer: EnginePeer) {
    this.#peer = peer;
    this.#target = `sip:bob@127.0.0.1:${peer.enginePort}`;
  }

  get cseq(): number {
    return this.#cseq;
  }

  invite(extra: readonly string[] = [], body = SDP): void {
    this.#inviteBranch = token();
    this.#cseq += 1;
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    this.#send('INVITE', this.#inviteBranch, [...type, ...extra], body);
  }

  cancel(extra: readonly string[] = []): void {
    this.#send('CANCEL', this.#inviteBranch, extra);
  }

  ack(body = ''): void {
    this.#send('ACK', token(), body === '' ? [] : ['Content-Type: application/sdp'], body);
  }

  /** The ACK to a refusal belongs to the INVITE's transaction. */
  ackRefusal(): void {
    this.#send('ACK', this.#inviteBranch, []);
  }

  request(method: string, extra: readonly string[] = [], body = ''): void {
    this.#cseq += 1;
    this.#send(method, token(), extra, body);
  }

  /** Takes over the tag of a response. */
  follow(response: SipResponse): void {
    this.toTag = /;tag=([^;]+)/.exec(getHeader(response, 'To') ?? '')?.[1];
  }

  #send(method: string, branch: string, extra: readonly string[], body = ''): void {
    const { address } = this.#peer;
    const tag = this.toTag === undefined ? '' : `;tag=${this.toTag}`;
    const lines = [
      `${method} ${this.#target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address};branch=z9hG4bK${branch}`,
      'Max-Forwards: 70',
      `From: <sip:alice@${address}>;tag=${this.fromTag}`,
      `To: <sip:bob@127.0.0.1>${tag}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#cseq} ${method}`,
      `Contact: <sip:alice@${address}>`,
      ...extra,
    ];
    this.#peer.send(lines, body);
  }
}

function firstLine(message: SipMessage): string {
  return message.type === 'request' ? message.method : String(message.status);
}
