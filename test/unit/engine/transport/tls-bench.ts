import { once } from 'node:events';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TLSSocket, TlsOptions } from 'node:tls';
import type { TransactionLayerOptions } from '../../../../src/engine/transaction/transaction-layer.ts';
import type { TlsSettings } from '../../../../src/engine/transport/tls-settings.ts';
import type { HandshakeFailure } from '../../../../src/engine/transport/transport-events.ts';
import { tlsAuthority, tlsOwner } from '../../../support/tls-files.ts';
import type { TlsOwner } from '../../../support/tls-files.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { Bench, closeLater, listenClient } from '../transaction/layer-bench.ts';
import { TcpPeer } from '../transaction/raw-peer.ts';
import { answerText, outgoingRequest } from '../transaction/sample-messages.ts';

/** A Via that asks for nothing. */
export const TLS_VIA = 'SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKt';

export interface TlsBench {
  readonly bench: Bench;
  readonly failures: HandshakeFailure[];
}

export async function openBench(
  tls: Partial<TlsSettings> = {},
  options: Partial<TransactionLayerOptions> = {},
): Promise<TlsBench> {
  const failures: HandshakeFailure[] = [];
  const bench = await Bench.open('tls', {
    tls: { ...tlsOwner('sbc'), ca: tlsAuthority(), ...tls },
    onHandshakeFailed: (failure) => failures.push(failure),
    ...options,
  });
  return { bench, failures };
}

/** A client that trusts the authority of the tests. */
export async function tlsPeer(
  port: number,
  options: ConnectionOptions & { readonly owner?: TlsOwner } = {},
): Promise<TcpPeer> {
  const { owner, ...rest } = options;
  const own = owner === undefined ? undefined : tlsOwner(owner);
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: tlsAuthority(),
    ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
    ...rest,
  });
  const peer = TcpPeer.wrap(socket);
  closeLater(peer);
  await once(socket, 'secureConnect');
  return peer;
}

/** A plain connection to the port, whatever is to come of it. */
export async function plainPeer(port: number): Promise<TcpPeer> {
  const peer = await TcpPeer.open(port);
  closeLater(peer);
  return peer;
}

export interface TlsServer {
  readonly port: number;
  readonly names: (string | false)[];
  readonly peers: TcpPeer[];
}

/** A SIP server that shows the certificate of `owner` and notes the names it was asked for. */
export async function tlsServer(owner: TlsOwner, options: TlsOptions = {}): Promise<TlsServer> {
  const { certificate, key } = tlsOwner(owner);
  const names: (string | false)[] = [];
  const peers: TcpPeer[] = [];
  const server = createServer({ cert: certificate, key, ...options }, (socket: TLSSocket) => {
    names.push(socket.servername ?? false);
    const peer = TcpPeer.wrap(socket);
    peers.push(peer);
    closeLater(peer);
  });
  server.on('tlsClientError', () => undefined);
  return { port: await listen(server), names, peers };
}

/** Lets `server` listen on loopback until the test is over; gives the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('expected a port');
  return bound.port;
}

/** What becomes of an OPTIONS to `address`: the status, or why it did not get there. */
export async function ask(bench: Bench, address: string, port: number): Promise<string> {
  const { handler, events } = listenClient();
  const request = outgoingRequest({ method: 'OPTIONS' });
  bench.layer.sendRequest(request, { protocol: 'tls', address, port }, handler);
  for (;;) {
    const event = await events.take();
    if (event.type === 'error') return event.reason;
    if (event.type !== 'sent') return event.type === 'response' ? `${event.status}` : event.type;
  }
}

export async function answerNext({ peers }: TlsServer, index = 0): Promise<string> {
  const peer = await waitFor('a connection', () => peers[index]);
  const wire = await peer.inbox.take();
  peer.socket.write(answerText(wire, 200));
  return wire;
}
