/** Finds ports that nothing uses at the moment, so that tests may run beside anything else. */

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const ATTEMPTS = 60;
/** Media ranges lie below the ephemeral ports of Linux (32768 and up), which the peers bind. */
const RANGE_FLOOR = 10_240;
const RANGE_CEILING = 31_000;

/** Different ports that are free for UDP and for TCP on `address`. */
export async function freePorts(count: number, address = '127.0.0.1'): Promise<number[]> {
  const found: number[] = [];
  for (let attempt = 0; found.length < count && attempt < ATTEMPTS * count; attempt += 1) {
    const port = randomPort();
    if (found.includes(port)) continue;
    if ((await isUdpFree(port, address)) && (await isTcpFree(port, address))) found.push(port);
  }
  if (found.length < count) throw new Error(`no ${count} free ports on ${address}`);
  return found;
}

export interface PortRange {
  /** Even, inclusive. */
  readonly first: number;
  /** Odd, inclusive. */
  readonly last: number;
}

/** A run of `count` neighbouring UDP ports that are all free and none of `avoid`; `count` is even. */
export async function freePortRange(
  count: number,
  options: { address?: string; avoid?: readonly number[] } = {},
): Promise<PortRange> {
  const { address = '127.0.0.1', avoid = [] } = options;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = randomPort() & ~1;
    const candidates = Array.from({ length: count }, (_, index) => first + index);
    if (candidates.some((port) => avoid.includes(port))) continue;
    const free = await Promise.all(candidates.map((port) => isUdpFree(port, address)));
    if (free.every(Boolean)) return { first, last: first + count - 1 };
  }
  throw new Error(`no ${count} neighbouring free UDP ports on ${address}`);
}

function randomPort(): number {
  return RANGE_FLOOR + Math.floor(Math.random() * (RANGE_CEILING - RANGE_FLOOR));
}

/** Whether nothing has bound the UDP port. */
export function isUdpFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close(() => resolve(false));
    });
    socket.bind(port, address, () => {
      socket.close(() => resolve(true));
    });
  });
}

/** Whether nothing listens on the TCP port. */
export function isTcpFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => {
      server.close(() => resolve(true));
    });
  });
}
