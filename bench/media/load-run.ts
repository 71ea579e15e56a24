/** One run of rtp-load.c against a relay: what came back, how late, and what it cost on both CPUs. */

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { bucketNs, type Buckets, percentileUs } from './latency-histogram.ts';
import { FIRST_PORT } from './network.ts';

const run = promisify(execFile);
const OUTPUT_LIMIT_BYTES = 4_000_000;
const START_LIMIT_MS = 20_000;
/** Beyond this the load was not what it should have been, and nothing is to be read from it. */
const LATE_LIMIT_US = 5000;
const REFUSED_LIMIT = 0.0001;
const TICK_NS = 1e7;
/** No phone waits longer for a packet: with large receive buffers an overloaded relay loses nothing for seconds. */
const PLAYABLE_MS = 50;

export interface LoadPlan {
  readonly calls: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** 0: the load never sleeps and sends each packet by itself; else it wakes so often and sends what is due. */
  readonly slotUs?: number;
  /** Straight to the other peer instead of through the relay. */
  readonly isDirect?: boolean;
}

const reportSchema = z.object({
  calls: z.number(),
  elapsedNs: z.number(),
  sent: z.number(),
  received: z.number(),
  reordered: z.number(),
  refused: z.number(),
  misdirected: z.number(),
  unstamped: z.number(),
  foreign: z.number(),
  ringDrops: z.number(),
  workNs: z.number(),
  subjectCpu: z.array(z.number()),
  ownCpu: z.array(z.number()),
  threads: z.array(z.object({ name: z.string(), ranNs: z.number(), waitedNs: z.number() })),
  latency: z.array(z.tuple([z.number(), z.number()])),
  lateness: z.array(z.tuple([z.number(), z.number()])),
});

export type LoadReport = z.infer<typeof reportSchema>;

export interface LoadResult {
  readonly calls: number;
  readonly elapsedMs: number;
  readonly sent: number;
  readonly received: number;
  readonly reordered: number;
  /** Of the packets sent. */
  readonly loss: number;
  /** Of the packets sent: lost, or so late that they might as well be. */
  readonly unplayable: number;
  readonly latency: Buckets;
  /** The load's own delay in sending. */
  readonly lateness: Buckets;
  /** Share of its core that the relay's core was not idle, softirq included. */
  readonly relayCoreBusy: number;
  /** Share of its core that the load worked, what the kernel did inside its sending included. */
  readonly loadBusy: number;
  /** Share of a core per thread of the relay's process. */
  readonly threads: readonly { readonly name: string; readonly busy: number }[];
  /** Why nothing is to be read from this run. */
  readonly fault: string | undefined;
}

/** Where the load runs, and what it sends to. */
export interface LoadPlace {
  /** rtp-load.c, compiled. */
  readonly program: string;
  /** Words that put it where it belongs. */
  readonly launcher: readonly [string, ...string[]];
  readonly folder: string;
  readonly device: string;
  /** Of the relay's end of the device. */
  readonly relayMac: string;
  readonly relayAddress: string;
  readonly callerAddress: string;
  readonly calleeAddress: string;
  readonly relayCpu: number;
  /** Other end of the device, from which the floor is sent. */
  readonly farEnd?: { readonly space: string; readonly device: string; readonly nearMac: string };
}

export interface LoadTarget {
  readonly pid: number;
  /** The relay's ports of each call: where the caller sends, where the callee sends. */
  readonly ports: readonly (readonly [number, number])[];
}

/** Runs the load. The report of a load that could not keep up says so in `fault`. */
export async function runLoad(
  place: LoadPlace,
  target: LoadTarget,
  plan: LoadPlan,
): Promise<LoadResult> {
  const { folder, farEnd } = place;
  const portsFile = join(folder, 'ports');
  const lines = target.ports.slice(0, plan.calls).map((ports) => ports.join(' '));
  writeFileSync(portsFile, `${lines.join('\n')}\n`);
  const isDirect = plan.isDirect === true && farEnd !== undefined;
  const options: Record<string, string | number> = {
    i: place.device,
    m: isDirect ? farEnd.nearMac : place.relayMac,
    n: plan.calls,
    f: portsFile,
    s: place.relayAddress,
    a: place.callerAddress,
    b: place.calleeAddress,
    p: FIRST_PORT,
    w: plan.warmUpMs,
    t: plan.measuredMs,
    u: place.relayCpu,
    P: target.pid,
    S: plan.slotUs ?? 0,
    ...(isDirect && { D: `/run/netns/${farEnd.space}`, d: farEnd.device }),
  };
  const optionWords = Object.entries(options).flatMap(([name, value]) => [
    `-${name}`,
    String(value),
  ]);
  const [program, ...words] = place.launcher;
  const { stdout } = await run(program, [...words, place.program, ...optionWords], {
    maxBuffer: OUTPUT_LIMIT_BYTES,
    timeout: START_LIMIT_MS + plan.warmUpMs + plan.measuredMs,
    killSignal: 'SIGKILL',
  });
  return readReport(reportSchema.parse(JSON.parse(stdout)));
}

/** Shares and faults from counts. Pure. */
export function readReport(report: LoadReport): LoadResult {
  const { elapsedNs, sent, received } = report;
  // user, nice, system, idle, iowait, irq, softirq, steal; the idle ones are exact, the others sampled.
  const [, , , idleTicks = 0, waitTicks = 0] = report.subjectCpu;
  const idleNs = (idleTicks + waitTicks) * TICK_NS;
  return {
    calls: report.calls,
    elapsedMs: elapsedNs / 1e6,
    sent,
    received,
    reordered: report.reordered,
    loss: sent === 0 ? 1 : Math.max(0, (sent - received) / sent),
    unplayable: sent === 0 ? 1 : Math.max(0, (sent - received + lateCount(report)) / sent),
    latency: report.latency,
    lateness: report.lateness,
    relayCoreBusy: Math.max(0, 1 - idleNs / elapsedNs),
    loadBusy: report.workNs / elapsedNs,
    threads: report.threads.map(({ name, ranNs }) => ({ name, busy: ranNs / elapsedNs })),
    fault: faultOf(report),
  };
}

function lateCount({ latency }: LoadReport): number {
  const late = latency.filter(([bucket]) => bucketNs(bucket) > PLAYABLE_MS * 1e6);
  return late.reduce((sum, [, count]) => sum + count, 0);
}

function faultOf(report: LoadReport): string | undefined {
  const { sent, refused, ringDrops, misdirected, received } = report;
  const lateUs = percentileUs(report.lateness, 0.999) ?? 0;
  if (lateUs > LATE_LIMIT_US) return `the load was ${Math.round(lateUs)} µs late (p99.9)`;
  if (refused > sent * REFUSED_LIMIT) return `the load's device refused ${refused} packets`;
  if (ringDrops > 0) return `the load did not read ${ringDrops} packets`;
  if (misdirected > 0) return `${misdirected} packets came to the wrong peer`;
  if (received > sent) return `${received - sent} packets came twice`;
  return undefined;
}
