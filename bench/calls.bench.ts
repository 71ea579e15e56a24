/**
 * Calls through the whole SBC, a process of its own, with SIPp on both sides: INVITE, 180, 200, ACK,
 * a pause, BYE, no media. The same calls from SIPp to SIPp directly are the floor of the set-up delay.
 *
 *   node bench/calls.bench.ts [--rates 50,100,150,200] [--seconds 4] [--hold 2000] [--profile FOLDER]
 *   node bench/calls.bench.ts --calls 100000 [--rate 150] [--hold 500]
 *
 * With --profile the SBC writes a CPU profile of each of its threads. With --calls so many calls go through one SBC,
 * and what its heaps hold is read before the first and after each quarter (soak.ts). Times are ms.
 */
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep } from '../test/support/wait-for.ts';
import { HeapProbe } from './support/heap-probe.ts';
import { startMeasuredSbc, type MeasuredSbc } from './support/measured-sbc.ts';
import { soak } from './support/soak.ts';
import { endWithin } from './support/owned.ts';
import {
  hasSipp,
  percentile,
  placeCalls,
  startCallee,
  type LoadResult,
} from './support/sipp-load.ts';

/** Loopback addresses of their own keep the large media ranges away from everybody's ports. */
const SBC_ADDRESS = '127.77.0.1';
const PEER_ADDRESS = '127.77.0.2';
/** The floor hardly depends on either, so it is measured shortly. */
const FLOOR = { seconds: 2, holdMs: 200 };
const WARM_UP = { callsPerSecond: 50, calls: 100, holdMs: 100 };
/** As many calls as are counted then, so that nothing of the code is new to them. */
const HEAP_WARM_UP = { callsPerSecond: 100, calls: 300, holdMs: 100 };
const HEAP_LOAD = { callsPerSecond: 100, calls: 300, holdMs: 5000 };
/** For the last answers and call records. */
const SETTLE_MS = 300;
const LIMIT_FACTOR = 3;
const LIMIT_BASE_MS = 120_000;

interface Plan {
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly holdMs: number;
  /** Words for the SBC's node. */
  readonly nodeArguments: readonly string[];
  /** Calls of a soak in place of the steps. */
  readonly soak: { readonly calls: number; readonly callsPerSecond: number } | undefined;
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      rates: { type: 'string', default: '50,100,150,200' },
      seconds: { type: 'string', default: '4' },
      hold: { type: 'string', default: '2000' },
      profile: { type: 'string' },
      calls: { type: 'string' },
      rate: { type: 'string', default: '150' },
    },
  });
  const { calls, profile } = values;
  const plan = {
    rates: values.rates.split(',').map(Number),
    seconds: Number(values.seconds),
    holdMs: Number(values.hold),
    nodeArguments:
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
    soak:
      calls === undefined
        ? undefined
        : { calls: Number(calls), callsPerSecond: Number(values.rate) },
  };
  const numbers = [...plan.rates, plan.seconds, plan.holdMs, ...Object.values(plan.soak ?? {})];
  if (!numbers.every((value) => value > 0)) throw new Error('options take numbers above 0');
  return plan;
}

interface Step {
  readonly asked: number;
  readonly floor: LoadResult;
  readonly load: LoadResult;
  readonly cpuMs: number;
  /** Resident size before, largest and after. */
  readonly residentBytes: readonly [number, number, number];
}

async function measureSteps(plan: Plan): Promise<{ steps: Step[]; restBytes: number }> {
  const callee = await startCallee(PEER_ADDRESS);
  const sbc = await startMeasuredSbc({
    address: SBC_ADDRESS,
    carrier: callee.at,
    concurrentCalls: Math.ceil(Math.max(...plan.rates) * (plan.holdMs / 1000 + 1)),
    nodeArguments: plan.nodeArguments,
  });
  const restBytes = sbc.residentBytes();
  await placeCalls({ ...WARM_UP, to: sbc.access }, PEER_ADDRESS);
  const steps: Step[] = [];
  for (const asked of plan.rates) {
    const calls = Math.ceil(asked * FLOOR.seconds);
    const direct = { callsPerSecond: asked, calls, holdMs: FLOOR.holdMs, to: callee.at };
    const floor = await placeCalls(direct, PEER_ADDRESS);
    steps.push({ asked, floor, ...(await measureStep(sbc, asked, plan)) });
  }
  await sbc.stop();
  await callee.process.stop();
  return { steps, restBytes };
}

async function measureStep(
  sbc: MeasuredSbc,
  asked: number,
  plan: Plan,
): Promise<Omit<Step, 'asked' | 'floor'>> {
  const restBytes = sbc.residentBytes();
  const beforeMs = sbc.cpuMs();
  const calls = Math.ceil(asked * plan.seconds);
  const load = { callsPerSecond: asked, calls, holdMs: plan.holdMs, to: sbc.access };
  const { result, peakBytes } = await sbc.peakDuring(placeCalls(load, PEER_ADDRESS));
  await sleep(SETTLE_MS);
  return {
    load: result,
    cpuMs: sbc.cpuMs() - beforeMs,
    residentBytes: [restBytes, peakBytes, sbc.residentBytes()],
  };
}

/** What `HEAP_LOAD.calls` established calls keep, on a second SBC: the inspector costs time. */
async function measureHeap(): Promise<string> {
  const callee = await startCallee(PEER_ADDRESS);
  const sbc = await startMeasuredSbc({
    address: SBC_ADDRESS,
    carrier: callee.at,
    concurrentCalls: HEAP_LOAD.calls,
    nodeArguments: ['--inspect=127.0.0.1:0'],
  });
  await placeCalls({ ...HEAP_WARM_UP, to: sbc.access }, PEER_ADDRESS);
  const probe = await HeapProbe.open(sbc.output());
  const restBytes = await probe.usedBytes();
  const restResidentBytes = sbc.residentBytes();
  const placing = placeCalls({ ...HEAP_LOAD, to: sbc.access }, PEER_ADDRESS);
  await sleep((HEAP_LOAD.calls / HEAP_LOAD.callsPerSecond) * 1000 + 3 * SETTLE_MS);
  const residentBytes = sbc.residentBytes();
  const establishedBytes = await probe.usedBytes();
  const { failed } = await placing;
  await sleep(SETTLE_MS);
  const endedBytes = await probe.usedBytes();
  probe.close();
  await sbc.stop();
  await callee.process.stop();
  const perCall = (bytes: number): string => `${(bytes / HEAP_LOAD.calls / 1000).toFixed(1)} kB`;
  return [
    `Heap growth per established call (${HEAP_LOAD.calls} of them, ${failed} failed, all threads,`,
    `after collection): ${perCall(establishedBytes - restBytes)}; just after their end`,
    `${perCall(endedBytes - restBytes)}; resident growth ${perCall(residentBytes - restResidentBytes)}.`,
  ].join(' ');
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function row({ asked, floor, load, cpuMs, residentBytes }: Step): Record<string, string | number> {
  const delay = (share: number): string => {
    const direct = percentile(floor.setupMs, share);
    const through = percentile(load.setupMs, share);
    return `${(through - direct).toFixed(1)} (${through.toFixed(1)} - ${direct.toFixed(1)})`;
  };
  return {
    'calls/s asked': asked,
    'begun/s': Math.round(load.callsPerSecond),
    calls: load.calls,
    failed: load.failed,
    repeats: load.retransmissions,
    'added p50 ms': delay(0.5),
    'added p99 ms': delay(0.99),
    'CPU ms/call': (cpuMs / Math.max(1, load.calls)).toFixed(2),
    'RSS MB': residentBytes.map(megabytes).join(' / '),
  };
}

async function main(): Promise<void> {
  if (!hasSipp()) {
    console.log('Not measured: SIPp (Debian package sip-tester) is not installed.');
    return;
  }
  const plan = readPlan();
  if (plan.soak !== undefined) {
    const addresses = { sbc: SBC_ADDRESS, peer: PEER_ADDRESS };
    await soak({ ...plan.soak, holdMs: plan.holdMs }, addresses);
    return;
  }
  const stepMs = plan.seconds * 1000 + plan.holdMs;
  endWithin(LIMIT_BASE_MS + LIMIT_FACTOR * plan.rates.length * stepMs);
  const [load = 0] = loadavg();
  const { steps, restBytes } = await measureSteps(plan);
  const heap = await measureHeap();
  console.log(
    [
      `${plan.seconds} s each, ${plan.holdMs} ms hold; ${cpus().length} CPUs shared by the SBC and`,
      `both SIPps, load before ${load.toFixed(1)}. Resident before the first call ${megabytes(restBytes)} MB.`,
    ].join(' '),
  );
  console.log(
    'Set-up delay INVITE to 200: added (through the SBC - direct). RSS: before / peak / after.',
  );
  console.table(steps.map(row));
  console.log(heap);
}

await main();
process.exit();
