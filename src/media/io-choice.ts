/** How packets move: what the configuration asks for, met with what this machine allows. */
import { isIPv4 } from 'node:net';
import type { MediaConfig } from '../config/config.ts';
import { isLoopback } from '../config/address.ts';
import { LEAST_KERNEL_TIMEOUT_MS } from '../config/kernel-timeout.ts';
import type { RelayIo } from './relay-protocol.ts';

export interface IoProbes {
  /** Why the relay threads cannot use ffi; `undefined`: they can. */
  readonly ffiProblem: () => string | undefined;
  /** Why the kernel cannot forward for us; `undefined`: it can. */
  readonly kernelProblem: () => Promise<string | undefined>;
}

export interface IoChoice {
  /** Of the relay threads. */
  readonly sockets: RelayIo;
  /** Whether the kernel forwards beside them. */
  readonly kernel: boolean;
  /** What was asked for and cannot be had, and why; with `auto` whatever is missing of the best. */
  readonly shortfalls: readonly string[];
}

/** `auto` takes all that works; anything else falls back to the next best. Nothing is probed that does not matter. */
export async function chooseIo(wanted: MediaConfig['io'], probes: IoProbes): Promise<IoChoice> {
  if (wanted === 'dgram') return { sockets: 'dgram', kernel: false, shortfalls: [] };
  const wantsKernel = wanted !== 'ffi';
  const ffiProblem = probes.ffiProblem();
  const kernelProblem = wantsKernel ? await probes.kernelProblem() : undefined;
  const shortfalls: string[] = [];
  if (kernelProblem !== undefined) shortfalls.push(`kernel: ${withMissingRight(kernelProblem)}`);
  // Whoever asks for the kernel and has it has not asked how the rest moves.
  const isRest = wanted === 'kernel' && kernelProblem === undefined;
  if (ffiProblem !== undefined && !isRest) shortfalls.push(`ffi: ${ffiProblem}`);
  return {
    sockets: ffiProblem === undefined ? 'ffi' : 'dgram',
    kernel: wantsKernel && kernelProblem === undefined,
    shortfalls,
  };
}

/** What nft and ip say of a right they lack does not tell which. */
function withMissingRight(problem: string): string {
  const isRefused = /operation not permitted|\bEPERM\b/i.test(problem);
  return isRefused ? `${problem} (needs CAP_NET_ADMIN)` : problem;
}

/** One word of four, for people and metrics. */
export function ioName({ sockets, kernel }: Pick<IoChoice, 'sockets' | 'kernel'>): string {
  return kernel ? `${sockets}+kernel` : sockets;
}

/** Why the kernel path would see no packet at these addresses of ours; `undefined`: it may see some. */
export function kernelAddressProblem(addresses: readonly string[]): string | undefined {
  const isSeen = addresses.some((address) => isIPv4(address) && !isLoopback(address));
  return isSeen ? undefined : 'no media address is IPv4 and off loopback';
}

/** Why no stream would go by the kernel with this `inactivity-timeout`; `undefined`: it may. */
export function kernelTimeoutProblem(inactivityTimeoutMs: number): string | undefined {
  if (inactivityTimeoutMs >= LEAST_KERNEL_TIMEOUT_MS) return undefined;
  return `inactivity-timeout is below ${LEAST_KERNEL_TIMEOUT_MS / 1000}s`;
}
