/**
 * Finds ports that nothing uses at the moment, so that tests may run beside anything else. Each worker of the test
 * runner holds a block of its own: between the moment a port is found free and the moment it is bound, no other
 * worker can be given the same one.
 */

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

const ATTEMPTS = 60;
/** Blocks lie below the ephemeral ports of Linux (32768 and up), which the peers bind. */
const FIRST_BLOCK = 10_240;
const BLOCK_PORTS = 2048;
const BLOCKS = 10;
const TRIED_AT_ONCE = 128;
/** Blocks that a run of ports may look into beside the own one. */
const SPARE_BLOCKS = 3;

interface Block {
  readonly first: number;
  /** Listens on the block's last port for as long as the worker lives; no other worker can. */
  readonly claim: Server;
  /** Where the search goes on: a port that was just given back rests until all others had their turn. */
  next: number;
}

// With files that share a worker but not its modules, the claim outlives the module.
const holder: typeof globalThis & { tonebridgePortBlock?: Promise<Block> } = globalThis;

function ownBlock(): Promise<Block> {
  holder.tonebridgePortBlock ??= claimBlock();
  return holder.tonebridgePortBlock;
}

async function claimBlock(): Promise<Block> {
  const start = process.pid % BLOCKS;
  for (let step = 0; step < BLOCKS; step += 1) {
    const first = FIRST_BLOCK + ((start + step) % BLOCKS) * BLOCK_PORTS;
    const claim = await listen(first + BLOCK_PORTS - 1, '127.0.0.1');
    if (claim !== undefined) return { first, claim: claim.unref(), next: 0 };
  }
  throw new Error(`all ${BLOCKS} blocks of ports are taken`);
}

/** The block that the single ports of this worker come from; a range chosen by other means keeps out of it. */
export async function ownPortBlock(): Promise<PortRange> {
  const { first } = await ownBlock();
  return { first, last: first + BLOCK_PORTS - 1 };
}

/** The next port of the own block, such that `count` ports from it on belong to the block. */
async function nextPort(count = 1): Promise<number> {
  const block = await ownBlock();
  if (block.next + count > BLOCK_PORTS - 1) block.next = 0;
  const port = block.first + block.next;
  block.next += count;
  return port;
}

/** Different ports that are free for UDP and for TCP on `address`, none of them in `except`. */
export async function freePorts(
  count: number,
  address = '127.0.0.1',
  except?: PortRange,
): Promise<number[]> {
  const found: number[] = [];
  const limit = ATTEMPTS * count + (except === undefined ? 0 : except.last - except.first + 1);
  for (let attempt = 0; found.length < count && attempt < limit; attempt += 1) {
    const port = await nextPort();
    const isExcepted = except !== undefined && port >= except.first && port <= except.last;
    if (isExcepted || found.includes(port)) continue;
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
    const first = ((await nextPort(count + 1)) + 1) & ~1;
    const range = { first, last: first + count - 1 };
    if (await isRangeFree(range, address, avoid)) return range;
    // Something stays bound in there: the next round begins anywhere else in the block.
    const block = await ownBlock();
    block.next = Math.floor(Math.random() * Math.max(1, BLOCK_PORTS - 1 - count));
  }
  // One port in the middle leaves no room for half a block: another block has it, and stays claimed as well.
  for (let spare = 0; spare < SPARE_BLOCKS; spare += 1) {
    const { first } = await claimBlock();
    const range = { first, last: first + count - 1 };
    if (await isRangeFree(range, address, avoid)) return range;
  }
  throw new Error(`no ${count} neighbouring free UDP ports on ${address}`);
}

async function isRangeFree(
  { first, last }: PortRange,
  address: string,
  avoid: readonly number[],
): Promise<boolean> {
  if (avoid.some((port) => port >= first && port <= last)) return false;
  // Not all at once: each takes a descriptor.
  for (let from = first; from <= last; from += TRIED_AT_ONCE) {
    const length = Math.min(TRIED_AT_ONCE, last + 1 - from);
    const ports = Array.from({ length }, (_, index) => from + index);
    const free = await Promise.all(ports.map((port) => isUdpFree(port, address)));
    if (!free.every(Boolean)) return false;
  }
  return true;
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
export async function isTcpFree(port: number, address: string): Promise<boolean> {
  const server = await listen(port, address);
  if (server === undefined) return false;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return true;
}

/** A server on the port, or nothing when the port is taken. */
function listen(port: number, address: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, address, () => {
      resolve(server);
    });
  });
}
