/**
 * A stateless SIP proxy over UDP (RFC 3261 §16.11) that stays on the path and forwards by the called user: Call-ID, From
 * and all else stay as they are, but for Via, Record-Route and the Request-URI.
 */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { SipTarget } from './sip-peer.ts';
import {
  addressIn,
  branchOf,
  formatSipText,
  headerValue,
  methodOf,
  parseSipText,
  statusOf,
} from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';

export interface SpiralRoute {
  /** User part of the Request-URI from here on. */
  readonly to: string;
  readonly via: SipTarget;
}

export class SpiralProxy {
  /** Where requests outside dialogs go, by the user part of their Request-URI. */
  readonly routes = new Map<string, SpiralRoute>();
  /** Every request that passed inside a dialog, in order, repeats left out. */
  readonly inDialog: SipText[] = [];
  readonly #socket: Socket;
  readonly #seen = new Set<string>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#forward(parseSipText(bytes.toString())));
  }

  static async open(): Promise<SpiralProxy> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });
    return new SpiralProxy(socket);
  }

  get address(): string {
    return this.#socket.address().address;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #forward(message: SipText): void {
    if (statusOf(message) === undefined) this.#forwardRequest(message);
    else this.#forwardResponse(message);
  }

  /** Back along the Vias; the topmost is ours. */
  #forwardResponse(response: SipText): void {
    const headers = withoutFirst(response.headers, 'Via');
    const sentBy = headerValue({ ...response, headers }, 'Via')?.split(/[\s;]+/)[1] ?? '';
    this.#send({ ...response, headers }, addressIn(sentBy));
  }

  #forwardRequest(request: SipText): void {
    const method = methodOf(request);
    const uri = request.startLine.split(' ')[1] ?? '';
    const self = `${this.address}:${this.port}`;
    const via: Header = ['Via', `SIP/2.0/UDP ${self};branch=${branchOf(request)}p`];
    if (headerValue(request, 'Route') !== undefined) {
      const text = formatSipText(request);
      if (!this.#seen.has(text)) this.inDialog.push(request);
      this.#seen.add(text);
      const headers = [via, ...withoutFirst(request.headers, 'Route')];
      this.#send({ ...request, headers }, addressIn(uri));
      return;
    }
    const route = this.routes.get(/^sip:([^@]*)@/.exec(uri)?.[1] ?? '');
    if (route === undefined) return;
    const { to, via: next } = route;
    const startLine = `${method} sip:${to}@${next.address}:${next.port} SIP/2.0`;
    const stay: Header = ['Record-Route', `<sip:${self};lr>`];
    const added = method === 'INVITE' ? [via, stay] : [via];
    this.#send({ startLine, headers: [...added, ...request.headers], body: request.body }, next);
  }

  #send(message: SipText, to: SipTarget): void {
    this.#socket.send(formatSipText(message), to.port, to.address);
  }
}

function withoutFirst(headers: readonly Header[], name: string): Header[] {
  const first = headers.findIndex(([key]) => key.toLowerCase() === name.toLowerCase());
  return headers.filter((_header, index) => index !== first);
}
