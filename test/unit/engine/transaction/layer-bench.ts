import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { startTransactionLayer } from '../../../../src/engine/transaction/transaction-layer.ts';
import type { TransactionLayerOptions } from '../../../../src/engine/transaction/transaction-layer.ts';
import type {
  ClientHandler,
  ServerTransaction,
  TransactionLayer,
} from '../../../../src/engine/transaction/transaction-user.ts';
import type { Flow, TransportProtocol } from '../../../../src/engine/transport/flow.ts';
import type { SipRequest, SipResponse } from '../../../../src/wire/sip-message.ts';
import { Inbox, TcpPeer, UdpPeer } from './raw-peer.ts';

export type UserEvent =
  | { type: 'request'; transaction: ServerTransaction; request: SipRequest; flow: Flow }
  | { type: 'ack'; request: SipRequest }
  | { type: 'cancel'; cancel: SipRequest; invite: ServerTransaction }
  | { type: 'stray'; response: SipResponse };

export type ClientEvent =
  | { type: 'sent'; text: string; flow: Flow }
  | { type: 'response'; status: number; toTag: string }
  | { type: 'timeout' }
  | { type: 'error'; reason: string };

/** One layer on loopback with short timers; what it reports can be waited for. */
export class Bench {
  readonly events = new Inbox<UserEvent>();
  readonly layer: TransactionLayer;

  private constructor(layer: TransactionLayer, events: Inbox<UserEvent>) {
    this.layer = layer;
    this.events = events;
  }

  static async open(
    protocol: TransportProtocol = 'udp',
    options: Partial<TransactionLayerOptions> = {},
  ): Promise<Bench> {
    const events = new Inbox<UserEvent>();
    const layer = await startTransactionLayer({
      listen: [{ protocol, address: '127.0.0.1', port: 0 }],
      user: {
        onRequest: (transaction, request, flow) => {
          events.put({ type: 'request', transaction, request, flow });
        },
        onAck: (request) => {
          events.put({ type: 'ack', request });
        },
        onCancel: (cancel, invite) => {
          events.put({ type: 'cancel', cancel, invite });
        },
        onStrayResponse: (response) => {
          events.put({ type: 'stray', response });
        },
      },
      timers: { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 },
      ...options,
    });
    opened.push(layer);
    return new Bench(layer, events);
  }

  get port(): number {
    return this.layer.listenPoints[0]?.port ?? 0;
  }

  async takeRequest(): Promise<Extract<UserEvent, { type: 'request' }>> {
    const event = await this.events.take();
    if (event.type !== 'request') throw new TypeError(`expected a request, got ${event.type}`);
    return event;
  }
}

/** A client handler whose calls can be waited for. */
export function listenClient(): { handler: ClientHandler; events: Inbox<ClientEvent> } {
  const events = new Inbox<ClientEvent>();
  const handler: ClientHandler = {
    onSent: (bytes, flow) => {
      events.put({ type: 'sent', text: bytes.toString(), flow });
    },
    onResponse: (response) => {
      const to = response.headers.find(({ name }) => name === 'To')?.value ?? '';
      events.put({ type: 'response', status: response.status, toTag: to.split(';tag=')[1] ?? '' });
    },
    onTimeout: () => {
      events.put({ type: 'timeout' });
    },
    onTransportError: (reason) => {
      events.put({ type: 'error', reason });
    },
  };
  return { handler, events };
}

/** Everything a test has opened; closed after it. */
const opened: { close(): Promise<void> }[] = [];

export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map(async (thing) => thing.close()));
}

/** Hands `thing` over to `closeAll`. */
export function closeLater(thing: { close(): Promise<void> }): void {
  opened.push(thing);
}

/** For a thing the test closes itself. */
export async function closeNow(thing: { close(): Promise<void> }): Promise<void> {
  opened.splice(opened.indexOf(thing), 1);
  await thing.close();
}

export async function udpPeer(address?: string): Promise<UdpPeer> {
  const peer = await UdpPeer.open(address);
  opened.push(peer);
  return peer;
}

export async function tcpPeer(port: number): Promise<TcpPeer> {
  const peer = await TcpPeer.open(port);
  opened.push(peer);
  return peer;
}

export function statusLine(text: string): string {
  return text.slice(0, text.indexOf('\r\n'));
}

/** A loopback address that accepts TCP connections until the test is over. */
export async function tcpServer(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('expected a TCP server');
  opened.push({
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  });
  return { server, port: bound.port };
}
