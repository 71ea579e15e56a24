/** Many calls through one SBC in four parts, and what its heaps hold before, between and after them. */

import { sleep } from '../../test/support/wait-for.ts';
import { HeapProbe } from './heap-probe.ts';
import { startMeasuredSbc } from './measured-sbc.ts';
import { endWithin } from './owned.ts';
import { percentile, placeCalls, startCallee, type LoadResult } from './sipp-load.ts';

export interface SoakPlan {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly holdMs: number;
}

const PARTS = 4;
/** Enough for every ring to be full: what they keep is not growth. */
const FIRST_CALLS = 2000;
/** Transactions and port quarantines are over 64*T1 after the last BYE (RFC 3261 §17). */
const REST_MS = 36_000;
/** Set-up and clearing of a call, for the ports that are in use at a time. */
const OVERHEAD_SECONDS = 4;
const LIMIT_FACTOR = 2;

export async function soak(
  plan: SoakPlan,
  addresses: { readonly sbc: string; readonly peer: string },
): Promise<void> {
  const { callsPerSecond, holdMs } = plan;
  const loadMs = ((plan.calls + FIRST_CALLS) / callsPerSecond) * 1000;
  endWithin(LIMIT_FACTOR * (loadMs + (PARTS + 2) * (REST_MS + holdMs)));
  const callee = await startCallee(addresses.peer);
  const sbc = await startMeasuredSbc({
    address: addresses.sbc,
    carrier: callee.at,
    concurrentCalls: Math.ceil(callsPerSecond * (holdMs / 1000 + OVERHEAD_SECONDS)),
    nodeArguments: ['--inspect=127.0.0.1:0'],
  });
  const probe = await HeapProbe.open(sbc.output());
  console.log(`${plan.calls} calls at ${callsPerSecond}/s, ${holdMs} ms hold; heap at rest:`);
  const place = async (calls: number): Promise<LoadResult> =>
    await placeCalls({ callsPerSecond, calls, holdMs, to: sbc.access }, addresses.peer);
  let done = 0;
  for (const calls of [FIRST_CALLS, ...partsOf(plan.calls)]) {
    const beforeMs = sbc.cpuMs();
    const load = await place(calls);
    const cpuMs = sbc.cpuMs() - beforeMs;
    await sleep(REST_MS);
    const heapBytes = await probe.usedBytes();
    done += load.calls;
    console.log(
      [
        `after ${done} calls ${(heapBytes / 1e6).toFixed(2)} MB, RSS ${(sbc.residentBytes() / 1e6).toFixed(0)} MB;`,
        `${load.failed} failed, ${load.retransmissions} repeats, ${load.callsPerSecond.toFixed(0)}/s,`,
        `CPU ${(cpuMs / load.calls).toFixed(2)} ms/call, set-up p50 ${percentile(load.setupMs, 0.5).toFixed(1)}`,
        `p99 ${percentile(load.setupMs, 0.99).toFixed(1)} ms`,
      ].join(' '),
    );
  }
  probe.close();
  await sbc.stop();
  await callee.process.stop();
}

function partsOf(calls: number): number[] {
  const part = Math.ceil(calls / PARTS);
  return Array.from({ length: PARTS }, (_, index) => Math.min(part, calls - index * part));
}
