/**
 * Sockets made of system calls under random traffic: `node test/long/ffi-fuzz.ts [--seconds 60] [--seed 1]`. Streams
 * come and go, datagrams of any length arrive, receivers close and throw. Exit code 0 only if nothing of a stream reached
 * another, nothing was handed to a closed one, no descriptor was left and memory did not grow.
 */
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type FuzzAction, FUZZ_KINDS, fuzzIo } from '../support/io-fuzz.ts';

const ACTIONS = 400;
const WARM_UP_ROUNDS = 20;
const MOST_GROWTH_MB = 96;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let state = Number(values.seed);
function pick(limit: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return (state >> 8) % limit;
}

function randomAction(): FuzzAction {
  const kind = FUZZ_KINDS[pick(FUZZ_KINDS.length)] ?? 'wait';
  const length = pick(20) === 0 ? pick(65_508) : pick(2001);
  return { kind, stream: pick(6), peer: pick(3), port: pick(4), length };
}

/** What is really held: garbage is collected before, with what is only given back behind that. */
async function residentMb(): Promise<number> {
  for (let pass = 0; pass < 2; pass++) {
    collectGarbage();
    await sleep(10);
  }
  return process.memoryUsage().rss / 1024 / 1024;
}

const endMs = performance.now() + Number(values.seconds) * 1000;
let rounds = 0;
let before = { descriptors: 0, mb: 0 };
const problems: string[] = [];
while (problems.length === 0 && (performance.now() < endMs || rounds <= WARM_UP_ROUNDS)) {
  const seed = state;
  const found = await fuzzIo(Array.from({ length: ACTIONS }, () => randomAction()));
  problems.push(...found.map((problem) => `seed ${seed}: ${problem}`));
  rounds += 1;
  if (rounds === WARM_UP_ROUNDS) {
    before = { descriptors: readdirSync('/proc/self/fd').length, mb: await residentMb() };
  }
  // No thread has so many: each round takes the memory of one.
  if (rounds % WARM_UP_ROUNDS === 0) await residentMb();
}
const descriptors = readdirSync('/proc/self/fd').length - before.descriptors;
const grownMb = (await residentMb()) - before.mb;
if (descriptors > 1) problems.push(`${descriptors} descriptors are left`);
if (grownMb > MOST_GROWTH_MB) problems.push(`memory grew by ${grownMb.toFixed(0)} MB`);
for (const problem of problems) console.log(`FAIL ${problem}`);
console.log(`${rounds} rounds of ${ACTIONS} actions, memory ${grownMb.toFixed(1)} MB more`);
console.log(problems.length === 0 ? 'PASS' : 'FAIL');
process.exit(problems.length === 0 ? 0 : 1);
