/**
 * Feature keys of many accounts through the whole SBC, a process of its own: phones subscribe, then the HTTP API changes
 * Do Not Disturb of every account, once at a steady rate and once for all at the same time.
 *
 *   node bench/features.bench.ts [--accounts 1000] [--phones 3] [--rates 50,100,200] [--paces 500,5000] [--profile FOLDER]
 *
 * A change counts from the PUT leaving this process to the NOTIFY coming out of each phone's socket. Every phone must be
 * told each change exactly once: `lost` and `doubled` count the phones for which that is not so. `--paces` are values of
 * `notify.per-second`; at 500, its default, 3000 NOTIFYs cannot take less than 6 s. With --profile the SBC writes a CPU
 * profile of each of its threads. Fails when a phone was not told, or told twice.
 */
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { endWithin } from './support/owned.ts';
import {
  changeAll,
  changeSteadily,
  FeatureLoad,
  heapPerSubscription,
  type ChangeResult,
  type SubscribeResult,
} from './support/feature-load.ts';
import { percentile } from './support/sipp-load.ts';

const LIMIT_MS = 600_000;

interface Plan {
  readonly accounts: number;
  readonly phones: number;
  readonly rates: readonly number[];
  readonly paces: readonly number[];
  readonly nodeArguments: readonly string[];
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      accounts: { type: 'string', default: '1000' },
      phones: { type: 'string', default: '3' },
      rates: { type: 'string', default: '50,100,200' },
      paces: { type: 'string', default: '500,5000' },
      profile: { type: 'string' },
    },
  });
  const { profile } = values;
  return {
    accounts: Number(values.accounts),
    phones: Number(values.phones),
    rates: values.rates.split(',').map(Number),
    paces: values.paces.split(',').map(Number),
    nodeArguments:
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
  };
}

function subscribeRow(pace: number, result: SubscribeResult): Record<string, string | number> {
  return {
    'per-second': pace,
    subscriptions: result.subscriptions,
    refused: result.refused,
    'per s': Math.round(result.subscriptions / (result.tookMs / 1000)),
    'first NOTIFY p50 / p99 ms': delays(result.toldMs),
    'RSS MB': `${megabytes(result.residentBefore)} / ${megabytes(result.residentAfter)}`,
  };
}

function changeRow(pace: number, result: ChangeResult): Record<string, string | number> {
  const share = (name: string): string =>
    `${(((result.threads.get(name)?.ranMs ?? 0) / result.tookMs) * 100).toFixed(0)} %`;
  const total = [...result.threads.values()].reduce((sum, { ranMs }) => sum + ranMs, 0);
  return {
    'per-second': pace,
    changes: result.name,
    'PUTs / NOTIFYs': `${result.changes} / ${result.told}`,
    'took s': (result.tookMs / 1000).toFixed(1),
    'PUT p50 / p99 ms': delays(result.answerMs),
    'told p50 / p99 / max ms': `${delays(result.toldMs)} / ${percentile(result.toldMs, 1).toFixed(0)}`,
    'lost / doubled': `${result.lost} / ${result.doubled}`,
    repeats: result.repeats,
    'CPU ms/NOTIFY': (total / Math.max(1, result.told)).toFixed(2),
    'main / all': `${share('node-MainThread')} / ${((total / result.tookMs) * 100).toFixed(0)} %`,
  };
}

function delays(values: readonly number[]): string {
  return `${percentile(values, 0.5).toFixed(1)} / ${percentile(values, 0.99).toFixed(1)}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

async function main(): Promise<void> {
  endWithin(LIMIT_MS);
  const plan = readPlan();
  const [before = 0] = loadavg();
  const subscribed: Record<string, string | number>[] = [];
  const changed: Record<string, string | number>[] = [];
  let isRight = true;
  for (const pace of plan.paces) {
    const load = await FeatureLoad.open({ ...plan, perSecond: pace });
    const subscription = await load.subscribeAll();
    subscribed.push(subscribeRow(pace, subscription));
    const results: ChangeResult[] = [];
    for (const rate of plan.rates) results.push(await changeSteadily(load, rate));
    results.push(await changeAll(load));
    changed.push(...results.map((result) => changeRow(pace, result)));
    isRight &&= subscription.refused === 0;
    isRight &&= results.every(({ lost, doubled }) => lost === 0 && doubled === 0);
    await load.close();
  }
  const heap = await heapPerSubscription(plan);
  console.log(
    `${plan.accounts} accounts with ${plan.phones} phones each; ${cpus().length} CPUs shared with the phones, load before ${before.toFixed(1)}.`,
  );
  console.table(subscribed);
  console.table(changed);
  console.log(`Heap growth per subscription, all threads, after collection: ${heap}.`);
  if (!isRight) process.exitCode = 1;
}

await main();
process.exit();
