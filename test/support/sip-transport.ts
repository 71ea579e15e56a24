/** Sockets of a SIP test peer: UDP datagrams, or TCP and TLS streams cut by Content-Length. */

import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Server, Socket as TcpSocket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

export interface SipRemote {
  readonly address: string;
  readonly port: number;
  /** The stream a TCP message came on; answers go back on it. */
  readonly connection?: TcpSocket;
}

export type MessageHandler = (text: string, from: SipRemote) => void;

export interface SipTransport {
  readonly protocol: 'udp' | 'tcp' | 'tls';
  readonly address: string;
  readonly port: number;
  /** How many connections are open; none with datagrams. */
  readonly connections: number;
  /** Text goes as UTF-8. */
  send(text: string | Uint8Array, to: SipRemote): void;
  close(): Promise<void>;
}

/** Listens for datagrams on `address`; port 0 takes any. */
export async function openUdp(
  address: string,
  port: number,
  onMessage: MessageHandler,
): Promise<SipTransport> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });
  socket.removeAllListeners('error');
  socket.on('error', () => {});
  socket.on('message', (bytes, from) => {
    onMessage(bytes.toString(), { address: from.address, port: from.port });
  });
  let isOpen = true;
  return {
    protocol: 'udp',
    address,
    port: socket.address().port,
    connections: 0,
    send: (text, to) => {
      if (isOpen) socket.send(text, to.port, to.address);
    },
    close: () =>
      new Promise((resolve) => {
        if (!isOpen) return resolve();
        isOpen = false;
        return socket.close(() => resolve());
      }),
  };
}

/** What a peer with TLS shows, trusts and calls the other end; PEM text. */
export interface SipTls {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** The name that the other end must prove; absent: its address. */
  readonly serverName?: string;
  /** Told the name each client asked for. */
  readonly onServerName?: (name: string | undefined) => void;
}

/** Listens for connections on `address`; opens one connection per remote it sends to. */
export function openTcp(
  address: string,
  port: number,
  onMessage: MessageHandler,
): Promise<SipTransport> {
  const streams: Streams = {
    protocol: 'tcp',
    listen: (accept) => createServer(accept),
    connect: (to) => connect(to.port, to.address),
  };
  return openStreams(streams, { address, port }, onMessage);
}

/** The same with TLS, and with a check of the other end's certificate. */
export function openTls(
  tls: SipTls,
  at: { readonly address: string; readonly port: number },
  onMessage: MessageHandler,
): Promise<SipTransport> {
  const { certificate: cert, key, ca, serverName } = tls;
  const streams: Streams = {
    protocol: 'tls',
    listen: (accept) => {
      const server = createTlsServer({ cert, key }, (socket) => {
        tls.onServerName?.(socket.servername || undefined);
        accept(socket);
      });
      return server.on('tlsClientError', () => {});
    },
    connect: ({ address: host, port }) => {
      const name = serverName === undefined ? {} : { servername: serverName };
      return connectTls({ host, port, cert, key, ca, ...name });
    },
  };
  return openStreams(streams, at, onMessage);
}

interface Streams {
  readonly protocol: 'tcp' | 'tls';
  listen(accept: (socket: TcpSocket) => void): Server;
  connect(to: SipRemote): TcpSocket;
}

async function openStreams(
  streams: Streams,
  { address, port }: { readonly address: string; readonly port: number },
  onMessage: MessageHandler,
): Promise<SipTransport> {
  const sockets = new Set<TcpSocket>();
  const outgoing = new Map<string, TcpSocket>();
  const adopt = (socket: TcpSocket, remote: { address: string; port: number }): void => {
    sockets.add(socket);
    const cut = messageCutter((text) => onMessage(text, { ...remote, connection: socket }));
    socket.on('data', cut);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const server = streams.listen((socket) => {
    adopt(socket, { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  return {
    protocol: streams.protocol,
    address,
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    get connections() {
      return sockets.size;
    },
    send: (text, to) => {
      if (to.connection?.writable === true) {
        to.connection.write(text);
        return;
      }
      const key = `${to.address} ${to.port}`;
      let socket = outgoing.get(key);
      if (socket?.writable !== true) {
        socket = streams.connect(to);
        outgoing.set(key, socket);
        adopt(socket, to);
      }
      socket.write(text);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Collects a byte stream and gives out whole messages (RFC 3261 §18.3). */
function messageCutter(onMessage: (text: string) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      while (pending.length > 0 && (pending[0] === 13 || pending[0] === 10)) {
        pending = pending.subarray(1);
      }
      const headEnd = pending.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = pending.toString('latin1', 0, headEnd);
      const length = /^(?:content-length|l)\s*:\s*(\d+)/im.exec(head)?.[1];
      const end = headEnd + 4 + Number(length ?? 0);
      if (pending.length < end) return;
      onMessage(pending.toString('utf8', 0, end));
      pending = pending.subarray(end);
    }
  };
}
