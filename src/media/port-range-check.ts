/** Looks at a media port range before the first call does: can it be bound, and does the kernel hand out the same ports? */

import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { LegPorts } from './media-engine.ts';

/** What is wrong with a range. Ports are counted among the few that were tried. */
export type RangeFinding =
  | { readonly type: 'address-unavailable'; readonly code: string }
  | { readonly type: 'ports-taken'; readonly taken: number; readonly tried: number }
  | { readonly type: 'overlaps-local-ports'; readonly first: number; readonly last: number };

export type PortRange = Pick<LegPorts, 'address' | 'portMin' | 'portMax'>;

/** Ports tried, spread over the range. */
const SAMPLES = 16;

const LOCAL_PORTS_FILE = '/proc/sys/net/ipv4/ip_local_port_range';
const RESERVED_PORTS_FILE = '/proc/sys/net/ipv4/ip_local_reserved_ports';

/** Binds some ports of the range, one at a time, and lets them go again. */
export async function checkPortRange(range: PortRange): Promise<readonly RangeFinding[]> {
  const findings: RangeFinding[] = [];
  const ports = samplePorts(range);
  let taken = 0;
  for (const port of ports) {
    const code = await tryPort(range.address, port);
    if (code === undefined) continue;
    if (code === 'EADDRINUSE' || code === 'EACCES') taken += 1;
    else {
      findings.push({ type: 'address-unavailable', code });
      break;
    }
  }
  if (taken > 0) findings.push({ type: 'ports-taken', taken, tried: ports.length });
  const [local, reserved] = await Promise.all([
    readText(LOCAL_PORTS_FILE),
    readText(RESERVED_PORTS_FILE),
  ]);
  const overlap = localOverlap(range, local, reserved);
  if (overlap !== undefined) findings.push({ type: 'overlaps-local-ports', ...overlap });
  return findings;
}

/** Even ports of the range, the first and the last among them. */
export function samplePorts({ portMin, portMax }: PortRange): readonly number[] {
  const first = portMin + (portMin % 2);
  const pairs = Math.floor((portMax - first + 1) / 2);
  const count = Math.min(SAMPLES, pairs);
  return Array.from({ length: count }, (_, index) => {
    const pair = count === 1 ? 0 : Math.round((index * (pairs - 1)) / (count - 1));
    return first + 2 * pair;
  });
}

/**
 * The ports of the range that the kernel may give to any program: within `local`, such as `32768 60999`, and not
 * all within one part of `reserved`, such as `40000-49999,8080`.
 */
export function localOverlap(
  { portMin, portMax }: Omit<PortRange, 'address'>,
  local: string,
  reserved: string,
): { readonly first: number; readonly last: number } | undefined {
  const [, localFirst, localLast] = /^\s*(\d+)\s+(\d+)/.exec(local) ?? [];
  if (localFirst === undefined || localLast === undefined) return undefined;
  const first = Math.max(portMin, Number(localFirst));
  const last = Math.min(portMax, Number(localLast));
  if (first > last) return undefined;
  const isReserved = reserved.split(',').some((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    return from <= first && last <= to;
  });
  return isReserved ? undefined : { first, last };
}

function readText(file: string): Promise<string> {
  // Where there is no such file there is nothing to warn of.
  return readFile(file, 'utf8').catch(() => '');
}

/** The error code of binding, `undefined` when the port could be had. */
function tryPort(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const isV6 = isIPv6(address);
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    const done = (code: string | undefined): void => {
      socket.close(() => resolve(code));
    };
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'unknown'));
    socket.bind({ address, port, exclusive: true }, () => done(undefined));
  });
}
