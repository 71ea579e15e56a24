/** Speaks the ng protocol in the place of rtpengine, and misbehaves as told. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type BencodeDictionary, bdecode, bencode, textOf } from './bencode.ts';

const HOST = '127.0.0.1';

export interface NgRequest {
  readonly cookie: string;
  readonly command: string;
  readonly request: BencodeDictionary;
  /** 1 for the first datagram under its cookie. */
  readonly attempt: number;
}

/**
 * What happens to one datagram that came; `answer` stands for what a good engine would say.
 * `as`: other bytes instead, cookie included. `from-elsewhere`: out of another port.
 */
export type NgFault =
  | { readonly type: 'none' }
  | { readonly type: 'lose-request' }
  | { readonly type: 'lose-answer' }
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'repeat'; readonly times: number }
  | { readonly type: 'say'; readonly answer: BencodeDictionary }
  | { readonly type: 'as'; readonly datagrams: readonly (string | Buffer)[] }
  | { readonly type: 'from-elsewhere'; readonly answer: BencodeDictionary };

export class NgServer {
  readonly host = HOST;
  readonly port: number;
  /** Each datagram that could be read, in order. */
  readonly received: NgRequest[] = [];
  /** How often each cookie was carried out: more than once only by a server that was started again. */
  readonly carriedOut = new Map<string, number>();
  /** What it does to a datagram. */
  fault: (request: NgRequest) => NgFault = () => ({ type: 'none' });
  readonly #calls = new Set<string>();
  readonly #answers = new Map<string, string>();
  readonly #attempts = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #socket: Socket | undefined;
  readonly #elsewhere: Socket;

  private constructor(socket: Socket, elsewhere: Socket) {
    this.#socket = socket;
    this.#elsewhere = elsewhere;
    this.port = socket.address().port;
    this.#listen(socket);
  }

  static async start(): Promise<NgServer> {
    return new NgServer(await bound(0), await bound(0));
  }

  /** The bytes that a good engine answers with under `cookie`. */
  answerTo(cookie: string): string | undefined {
    return this.#answers.get(cookie);
  }

  /** As a process that ends: nothing is answered, everything forgotten. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#calls.clear();
    this.#answers.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (socket !== undefined) await closed(socket);
  }

  async startAgain(): Promise<void> {
    this.#socket = await bound(this.port);
    this.#listen(this.#socket);
  }

  /** Any bytes from the port of the server to that of a client. */
  say(bytes: string | Buffer, port: number): void {
    this.#socket?.send(bytes, port, HOST);
  }

  /** Where the last request came from. */
  clientPort = 0;

  async close(): Promise<void> {
    await this.stop();
    await closed(this.#elsewhere);
  }

  #listen(socket: Socket): void {
    socket.on('message', (bytes, source) => {
      this.#hear(bytes, source);
    });
    // A client that is gone is no concern of the server.
    socket.on('error', () => {});
  }

  #hear(bytes: Buffer, source: RemoteInfo): void {
    const space = bytes.indexOf(' ');
    const cookie = bytes.toString('latin1', 0, space);
    const request = bdecode(bytes.subarray(space + 1));
    const attempt = (this.#attempts.get(cookie) ?? 0) + 1;
    this.#attempts.set(cookie, attempt);
    this.clientPort = source.port;
    const heard = { cookie, command: textOf(request['command']), request, attempt };
    this.received.push(heard);
    this.#misbehave(heard, this.fault(heard), source.port);
  }

  #misbehave(heard: NgRequest, fault: NgFault, port: number): void {
    const { cookie } = heard;
    switch (fault.type) {
      case 'none':
        this.say(this.#answer(heard), port);
        return;
      case 'lose-request':
        return;
      case 'lose-answer':
        this.#answer(heard);
        return;
      case 'delay':
        this.#later(fault.ms, this.#answer(heard), port);
        return;
      case 'repeat':
        for (let time = 0; time < fault.times; time += 1) this.say(this.#answer(heard), port);
        return;
      case 'say':
        this.say(this.#answer(heard, fault.answer), port);
        return;
      case 'as':
        for (const datagram of fault.datagrams) this.say(datagram, port);
        return;
      case 'from-elsewhere':
        this.#elsewhere.send(`${cookie} ${bencode(fault.answer)}`, port, HOST);
        this.say(this.#answer(heard), port);
    }
  }

  #later(ms: number, answer: string, port: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.say(answer, port);
    }, ms);
    this.#timers.add(timer);
  }

  /** Out of the memory of cookies if it is there, as a real engine does. */
  #answer(heard: NgRequest, scripted?: BencodeDictionary): string {
    const { cookie } = heard;
    const known = this.#answers.get(cookie);
    if (known !== undefined) return known;
    const answer = `${cookie} ${bencode(scripted ?? this.#carryOut(heard))}`;
    this.#answers.set(cookie, answer);
    this.carriedOut.set(cookie, (this.carriedOut.get(cookie) ?? 0) + 1);
    return answer;
  }

  #carryOut({ command, request }: NgRequest): BencodeDictionary {
    if (command === 'ping') return { result: 'pong' };
    const callId = textOf(request['call-id']);
    if (command === 'offer') this.#calls.add(callId);
    if (!this.#calls.has(callId)) {
      return command === 'delete'
        ? { result: 'ok', warning: "Call-ID not found or tags didn't match" }
        : { result: 'error', 'error-reason': 'Unknown call-id' };
    }
    if (command === 'delete') this.#calls.delete(callId);
    if (command !== 'offer' && command !== 'answer') return { result: 'ok', 'call-id': callId };
    return { result: 'ok', sdp: textOf(request['sdp']).replace('s=-', `s=${command} ${callId}`) };
  }
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, HOST);
  await once(socket, 'listening');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  const gone = once(socket, 'close');
  socket.close();
  await gone;
}
