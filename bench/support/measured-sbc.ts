/** The whole SBC in a process of its own on loopback, with what it uses of the machine. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isUdpFree, ownPortBlock, type PortRange } from '../../test/support/free-ports.ts';
import { loopbackConfig } from '../../test/support/loopback-config.ts';
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { sleep } from '../../test/support/wait-for.ts';
import { ownedFolder, startOwned } from './owned.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));
/** Linux gives out ports from 32768 on by itself. */
const FIRST_MEDIA_PORT = 10_240;
const EPHEMERAL_PORT = 32_768;
const START_LIMIT_MS = 60_000;
/** RTP and RTCP in each realm, and as many again for calls that are being set up or taken down. */
const PORTS_PER_CALL = 4;
/** Linux counts CPU time for user space in hundredths of a second, whatever the kernel's own tick. */
const MS_PER_TICK = 10;
const SAMPLE_MS = 50;

export interface MeasuredSbcOptions {
  readonly address: string;
  readonly carrier: SipTarget;
  /** Calls at a time that it must have media ports for. */
  readonly concurrentCalls: number;
  /** Words for node itself. */
  readonly nodeArguments?: readonly string[];
  /** Changes the configuration. */
  readonly edit?: (yaml: string) => string;
}

export interface MeasuredSbc {
  readonly pid: number;
  /** Where callers send their INVITEs. */
  readonly access: SipTarget;
  readonly api: SipTarget;
  /** Of all threads since the start. */
  cpuMs(): number;
  residentBytes(): number;
  /** Runs `task` and gives the largest resident size seen meanwhile. */
  peakDuring<T>(task: Promise<T>): Promise<{ result: T; peakBytes: number }>;
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

/** Resolves when it takes calls. */
export async function startMeasuredSbc(options: MeasuredSbcOptions): Promise<MeasuredSbc> {
  const folder = ownedFolder();
  const { yaml, access, api } = await loopbackConfig({
    carrier: options.carrier,
    host: options.address,
    mediaRange: await mediaRange(2 * options.concurrentCalls * PORTS_PER_CALL, options.address),
    cdrFile: join(folder, 'cdr.jsonl'),
    logLevel: 'warn',
  });
  const config = join(folder, 'sbc.yaml');
  writeFileSync(config, options.edit?.(yaml) ?? yaml);
  const args = [...(options.nodeArguments ?? []), PROGRAM, 'run', '--config', config];
  const sbc = startOwned(process.execPath, args, folder);
  await ready(`http://${api.address}:${api.port}/readyz`, sbc.output);
  const residentBytes = (): number => readResidentBytes(sbc.pid);
  const peakDuring = async <T>(task: Promise<T>): Promise<{ result: T; peakBytes: number }> => {
    let peakBytes = residentBytes();
    const sampling = setInterval(() => {
      peakBytes = Math.max(peakBytes, residentBytes());
    }, SAMPLE_MS);
    try {
      const result = await task;
      return { result, peakBytes };
    } finally {
      clearInterval(sampling);
    }
  };
  const cpuMs = (): number => readCpuMs(sbc.pid);
  const { pid, output, stop } = sbc;
  return { pid, access, api, cpuMs, residentBytes, peakDuring, output, stop };
}

/** Free ports below those that the system gives out; `count` is a multiple of 4. */
async function mediaRange(count: number, address: string): Promise<PortRange> {
  const block = await ownPortBlock();
  for (let first = FIRST_MEDIA_PORT; first + count <= EPHEMERAL_PORT; first += count) {
    if (first <= block.last && first + count > block.first) continue;
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map((port) => isUdpFree(port, address)));
    if (free.every(Boolean)) return { first, last: first + count - 1 };
  }
  throw new Error(`no ${count} free media ports on ${address}`);
}

async function ready(url: string, output: () => string): Promise<void> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadlineMs) throw new Error(`the SBC did not start\n${output()}`);
    await sleep(SAMPLE_MS);
  }
}

function readCpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold anything; the fields after it are numbered from 3 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks] = fields.slice(14 - 3);
  return (Number(userTicks) + Number(systemTicks)) * MS_PER_TICK;
}

function readResidentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
