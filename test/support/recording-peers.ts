import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { StreamFramer } from '../../src/engine/transport/stream-framing.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../../src/engine/transport/transport-limits.ts';

/** A SIP peer of a recording on a socket of its own. */
export interface RecordedPeer {
  readonly port: number;
  send(text: string): void;
  close(): void;
}

type Hear = (text: string) => void;

/** A peer on UDP that talks to `enginePort`. */
export async function openUdpPeer(enginePort: number, hear: Hear): Promise<RecordedPeer> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (bytes) => hear(bytes.toString()));
  return {
    port: socket.address().port,
    send: (text) => socket.send(text, enginePort, '127.0.0.1'),
    close: () => socket.close(),
  };
}

/** A peer that has connected to the engine. */
export async function connectTcpPeer(enginePort: number, hear: Hear): Promise<RecordedPeer> {
  const socket = connect(enginePort, '127.0.0.1');
  readMessages(socket, hear);
  await once(socket, 'connect');
  return {
    port: socket.localPort ?? 0,
    send: (text) => void socket.write(text),
    close: () => void socket.destroy(),
  };
}

/** A peer the engine connects to; it says nothing before. */
export async function listenTcpPeer(hear: Hear): Promise<RecordedPeer> {
  let socket: Socket | undefined;
  const server = createServer((accepted) => {
    socket = accepted;
    readMessages(accepted, hear);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    send: (text) => void socket?.write(text),
    close: () => {
      socket?.destroy();
      server.close();
    },
  };
}

function readMessages(socket: Socket, hear: Hear): void {
  const framer = new StreamFramer(DEFAULT_TRANSPORT_LIMITS.message);
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    for (const output of framer.push(chunk)) {
      if (output.type === 'message') hear(output.bytes.toString());
    }
  });
}
