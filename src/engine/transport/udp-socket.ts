import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { familyOf } from './address.ts';

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** Asked of the system for bursts and floods; it gives as much as it is configured to (net.core.rmem_max). */
const RECEIVE_BUFFER_BYTES = 4_194_304;

/**
 * Binds a socket to `local`; `isShared` lets further sockets of this process bind the same port.
 * The caller adds an `error` listener before it gives control back to the event loop.
 *
 * @throws Error of the system when the address is in use or not ours.
 */
export async function bindUdp(local: UdpAddress, isShared: boolean): Promise<Socket> {
  const isIpv6 = familyOf(local.address) === 6;
  const socket = createSocket({
    type: isIpv6 ? 'udp6' : 'udp4',
    reuseAddr: isShared,
    ipv6Only: isIpv6,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  try {
    socket.bind({ address: local.address, port: local.port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    await closeUdp(socket);
    throw error;
  }
}

/** Fixes the remote end: the socket then sees only that peer, and the ICMP errors it causes. */
export async function connectUdp(socket: Socket, remote: UdpAddress): Promise<void> {
  socket.connect(remote.port, remote.address);
  await once(socket, 'connect');
}

export async function closeUdp(socket: Socket): Promise<void> {
  socket.removeAllListeners('error');
  socket.on('error', ignoreError);
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => {
        resolve();
      });
    } catch {
      resolve();
    }
  });
}

/** Sends one datagram; resolves to the error, if any. */
export async function sendUdp(
  socket: Socket,
  bytes: Buffer,
  remote?: UdpAddress,
): Promise<Error | undefined> {
  return await new Promise((resolve) => {
    const done = (error: Error | null): void => {
      resolve(error ?? undefined);
    };
    try {
      if (remote === undefined) socket.send(bytes, done);
      else socket.send(bytes, remote.port, remote.address, done);
    } catch (error) {
      resolve(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function ignoreError(): void {
  // A socket that is being closed has nobody left to tell.
}
