/** Sends back what comes by UDP and TCP; or sends something, and says what came back. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { serveJson } from './json-process.ts';

const udp = createSocket('udp4');
const tcp = createServer((socket) => socket.pipe(socket));

async function serve(address: string, port: number): Promise<void> {
  udp.on('message', (bytes, from) => udp.send(bytes, from.port, from.address));
  udp.bind(port, address);
  await once(udp, 'listening');
  tcp.listen(port, address);
  await once(tcp, 'listening');
}

/** Every byte sent, by both ways, once it has come back. */
async function exchange(address: string, port: number, bytes: Buffer): Promise<string[]> {
  const socket = createSocket('udp4');
  socket.send(bytes, port, address);
  const [datagram]: Buffer[] = await once(socket, 'message');
  socket.close();
  const connection = connect(port, address);
  connection.end(bytes);
  const parts: Buffer[] = [];
  connection.on('data', (part: Buffer) => parts.push(part));
  await once(connection, 'close');
  return [datagram?.toString('hex') ?? '', Buffer.concat(parts).toString('hex')];
}

export type EchoCommand =
  | { readonly type: 'serve'; readonly address: string; readonly port: number }
  | {
      readonly type: 'exchange';
      readonly address: string;
      readonly port: number;
      readonly hex: string;
    };

serveJson(
  (command: EchoCommand) => {
    const { address, port } = command;
    if (command.type === 'serve') return serve(address, port);
    return exchange(address, port, Buffer.from(command.hex, 'hex'));
  },
  () => {
    udp.close();
    tcp.close();
  },
);
