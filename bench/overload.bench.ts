/**
 * More calls than the SBC can take, a process of its own, with SIPp on both sides and the guard against overload as
 * it is by default: what is served of the load, what it costs to refuse the rest, and how soon all are taken again.
 *
 *   node bench/overload.bench.ts [--rated 300] [--factors 1,1.5,2,3] [--seconds 20] [--hold 100] [--profile FOLDER]
 *
 * `--rated` is the number of calls a second that this machine can take without a failure; goodput is told against it.
 * With --profile the SBC writes a CPU profile of each of its threads.
 */
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep } from '../test/support/wait-for.ts';
import { startMeasuredSbc, type MeasuredSbc } from './support/measured-sbc.ts';
import { endWithin } from './support/owned.ts';
import { placeRefusable, type HeavyResult } from './support/refused-load.ts';
import { hasSipp, percentile, startCallee } from './support/sipp-load.ts';
import { watchMetrics, type SeenMetrics } from './support/watched-metrics.ts';

const SBC_ADDRESS = '127.77.0.3';
const PEER_ADDRESS = '127.77.0.4';
const NO_RATES =
  '{ agent-per-second: 0, agent-burst: 100000, source-per-second: 0, strangers-per-second: 0 }';
const WARM_UP = { callsPerSecond: 50, seconds: 3, holdMs: 100 };
const OVERHEAD_SECONDS = 2;
const LIMIT_BASE_MS = 60_000;
const STEP_EXTRA_MS = 90_000;

interface Plan {
  readonly rated: number;
  readonly factors: readonly number[];
  readonly seconds: number;
  readonly holdMs: number;
  readonly nodeArguments: readonly string[];
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      rated: { type: 'string', default: '300' },
      factors: { type: 'string', default: '1,1.5,2,3' },
      seconds: { type: 'string', default: '20' },
      hold: { type: 'string', default: '100' },
      profile: { type: 'string' },
    },
  });
  const { profile } = values;
  return {
    rated: Number(values.rated),
    factors: values.factors.split(',').map(Number),
    seconds: Number(values.seconds),
    holdMs: Number(values.hold),
    nodeArguments:
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
  };
}

interface Step {
  readonly factor: number;
  readonly load: HeavyResult;
  readonly seen: SeenMetrics;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly recoveryMs: number | undefined;
}

/** How long after the load the SBC says that it takes all calls. */
async function recovery(sbc: MeasuredSbc): Promise<number | undefined> {
  const beganMs = performance.now();
  while (performance.now() - beganMs < STEP_EXTRA_MS / 2) {
    const url = `http://${sbc.api.address}:${sbc.api.port}/readyz`;
    if ((await fetch(url).catch(() => undefined))?.ok === true) return performance.now() - beganMs;
    await sleep(100);
  }
  return undefined;
}

async function measureStep(sbc: MeasuredSbc, plan: Plan, factor: number): Promise<Step> {
  const { seconds, holdMs, rated } = plan;
  const beforeMs = sbc.cpuMs();
  const watch = watchMetrics(sbc.api);
  const load = { callsPerSecond: rated * factor, seconds, holdMs, to: sbc.access };
  const { result, peakBytes } = await sbc.peakDuring(placeRefusable(load, PEER_ADDRESS));
  const cpuMs = sbc.cpuMs() - beforeMs;
  const recoveryMs = await recovery(sbc);
  return { factor, load: result, seen: await watch.stop(), cpuMs, peakBytes, recoveryMs };
}

function ms(values: readonly number[], share: number): string {
  return percentile(values, share).toFixed(0);
}

function row(plan: Plan, step: Step): Record<string, string | number> {
  const { load, seen, factor } = step;
  return {
    'calls/s': plan.rated * factor,
    'goodput/s': load.servedPerSecond.toFixed(0),
    '% of rated': ((load.servedPerSecond / plan.rated) * 100).toFixed(0),
    'worst s': load.leastServedPerSecond,
    refused: load.refused,
    failed: load.failed,
    'INV rep': load.inviteRepeats,
    'BYE rep': load.byeRepeats,
    'lag p99 max ms': ms(seen.lagMs, 1),
    'metrics p50/max ms': `${ms(seen.answerMs, 0.5)} / ${ms(seen.answerMs, 1)}`,
    'CPU cores': (step.cpuMs / 1000 / plan.seconds).toFixed(2),
    'RSS MB': (step.peakBytes / 1e6).toFixed(0),
    'ready after s': step.recoveryMs === undefined ? '-' : (step.recoveryMs / 1000).toFixed(1),
  };
}

/** The guard as it is by default, and no rates of single sources, which would drop calls before it. */
function withGuard(yaml: string): string {
  return yaml
    .replace(/^admission:.*\n/m, '')
    .replace('sip: { engine: embedded }', `sip: { engine: embedded, limits: ${NO_RATES} }`);
}

async function main(): Promise<void> {
  if (!hasSipp()) {
    console.log('Not measured: SIPp (Debian package sip-tester) is not installed.');
    return;
  }
  const plan = readPlan();
  endWithin(LIMIT_BASE_MS + plan.factors.length * (plan.seconds * 1000 + STEP_EXTRA_MS));
  const [before = 0] = loadavg();
  const callee = await startCallee(PEER_ADDRESS);
  const sbc = await startMeasuredSbc({
    address: SBC_ADDRESS,
    carrier: callee.at,
    concurrentCalls: Math.ceil(plan.rated * (plan.holdMs / 1000 + OVERHEAD_SECONDS)),
    nodeArguments: plan.nodeArguments,
    edit: withGuard,
  });
  await placeRefusable({ ...WARM_UP, to: sbc.access }, PEER_ADDRESS);
  const steps: Step[] = [];
  for (const factor of plan.factors) steps.push(await measureStep(sbc, plan, factor));
  await sbc.stop();
  await callee.process.stop();
  console.log(
    `${plan.seconds} s each, ${plan.holdMs} ms hold; ${cpus().length} CPUs shared with both SIPps, load before ${before.toFixed(1)}.`,
  );
  console.table(steps.map((step) => row(plan, step)));
}

await main();
process.exit();
