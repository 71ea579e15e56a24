/** What the heaps of all threads hold for an established call, with SIPp on both sides. */

import { env } from 'node:process';
import { afterAll, expect, test } from 'vitest';
import { HeapProbe } from '../../bench/support/heap-probe.ts';
import { startMeasuredSbc, type MeasuredSbc } from '../../bench/support/measured-sbc.ts';
import { hasSipp, placeCalls, startCallee, startCaller } from '../../bench/support/sipp-load.ts';
import { sleep } from '../support/wait-for.ts';

// On a developer's machine the program may be missing; in CI that is a failure.
const isMissing = !hasSipp() && env['CI'] === undefined;

const SBC_ADDRESS = '127.77.1.1';
const PEER_ADDRESS = '127.77.1.2';
const CALLS = 200;
const CALLS_PER_SECOND = 100;
/** Longer than the test: the caller is ended before its calls. */
const HOLD_MS = 600_000;
/** Everything that belongs to a call. */
const LIMIT_KB = 60;
/** No call has come for so long: all are there, the last ones acknowledged. */
const SETTLE_MS = 1500;
/** Longer than the caller waits for an answer: who is not there by then never comes. */
const GIVEN_UP_MS = 12_000;
const TEST_LIMIT_MS = 240_000;

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

/** Calls of which the caller's leg is open. */
async function activeCalls({ api }: MeasuredSbc): Promise<number> {
  const answer = await fetch(`http://${api.address}:${api.port}/metrics`);
  const text = await answer.text();
  const line = /^sbc_calls_active\{[^}]*direction="inbound"[^}]*\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
}

/** Waits until all are there, or no more come; how many there are. */
async function settledCalls(sbc: MeasuredSbc): Promise<number> {
  for (let before = 0, quietMs = 0; ;) {
    await sleep(SETTLE_MS);
    const active = await activeCalls(sbc);
    quietMs = active === before ? quietMs + SETTLE_MS : 0;
    if (quietMs >= (active === CALLS ? SETTLE_MS : GIVEN_UP_MS)) return active;
    before = active;
  }
}

test.skipIf(isMissing)(
  'an established call takes less than 60 kB of all heaps together',
  { timeout: TEST_LIMIT_MS },
  async () => {
    const callee = await startCallee(PEER_ADDRESS);
    stops.push(callee.process.stop);
    const sbc = await startMeasuredSbc({
      address: SBC_ADDRESS,
      carrier: callee.at,
      concurrentCalls: CALLS,
      nodeArguments: ['--inspect=127.0.0.1:0'],
    });
    stops.push(sbc.stop);
    const load = { callsPerSecond: CALLS_PER_SECOND, calls: CALLS, to: sbc.access };
    // As many as are counted then, so that nothing of the code is new to them.
    await placeCalls({ ...load, holdMs: 100 }, PEER_ADDRESS);
    const probe = await HeapProbe.open(sbc.output());
    const restBytes = await probe.usedBytes();
    const caller = await startCaller({ ...load, holdMs: HOLD_MS }, PEER_ADDRESS);
    stops.push(caller.stop);
    const calls = await settledCalls(sbc);
    const takenBytes = (await probe.usedBytes()) - restBytes;
    expect(await activeCalls(sbc)).toBe(calls);
    probe.close();
    const takenKb = takenBytes / calls / 1000;
    expect(takenKb).toBeLessThan(LIMIT_KB);
    // Less would mean that it is not the calls that were measured.
    expect(takenKb).toBeGreaterThan(LIMIT_KB / 4);
  },
);
