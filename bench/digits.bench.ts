/**
 * How long a key takes through the whole SBC, a process of its own, between KPML phones and a telephone-event trunk
 * that share the process of this benchmark, on real UDP sockets. In every established call both ends press random keys
 * at random times: --gap ms apart on average and 300 ms at least, so that no key waits for the tone before it.
 *
 *   node bench/digits.bench.ts [--calls 1,100,500] [--seconds 20] [--gap 1000] [--audio 20] [--media 0,100,500]
 *                              [--profile FOLDER]
 *
 * Delays are taken at the peers' sockets, first event packet sent to NOTIFY received (rtp -> notify) and NOTIFY sent to
 * first event packet received (notify -> rtp), each p50 / p99 / max. A NOTIFY waits for the answer to the one before;
 * that counts too. The ledger's are the SBC's own (/api/v1/digits, the newest 10 000): packet taken to NOTIFY handed
 * to the engine, NOTIFY taken to packet sent. The floor is a datagram from socket to socket of this process meanwhile:
 * what the measurement itself costs. Delays say something of the SBC only where its threads seldom stood in line for
 * a core (second table).
 * Audio in both directions runs on --audio of these calls at most; more is beyond peers in JavaScript. With --media each
 * step is repeated beside so many further calls through the same SBC that carry audio both ways, sent and read by
 * media/rtp-load.c (needs root, nft and a C compiler). A lone call presses every 400 ms. With --profile the SBC writes a CPU profile of each of its threads. Fails when a key is lost, doubled or
 * out of order.
 */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { sleep } from '../test/support/wait-for.ts';
import { EventTrunk } from './support/event-trunk.ts';
import type { KeyBook } from './support/key-book.ts';
import { KeyLoad, LEAST_GAP_MS } from './support/key-load.ts';
import { LightSip } from '../test/support/light-sip.ts';
import { LoopbackFloor } from './support/loopback-floor.ts';
import { percentileUs } from './media/latency-histogram.ts';
import type { LoadResult } from './media/load-run.ts';
import { MediaLoad } from './support/media-load.ts';
import { startMeasuredSbc, type MeasuredSbc } from './support/measured-sbc.ts';
import { endWithin } from './support/owned.ts';
import { percentile } from './support/sipp-load.ts';
import { ThreadStopwatch, type Threads, type ThreadTimes } from './support/thread-times.ts';

/** Loopback addresses of their own keep the large media ranges away from everybody's ports. */
const SBC_ADDRESS = '127.78.0.1';
const PEER_ADDRESS = '127.78.0.2';
const MEDIA_CALLERS = '127.78.0.3';
const MEDIA_CALLEES = '127.78.0.4';
/** One call would give too few keys for a percentile. */
const LONE_MEAN_GAP_MS = 400;
/** Said by this program to itself. */
const OWN_NETWORK = '--own-network';
const WARM_UP_MS = 5000;
/** Before the first step, so that nothing of the code is new to it. */
const FIRST_WARM_UP = { calls: 50, audioCalls: 10, meanGapMs: 500 };
/** As node names it. */
const MAIN_THREAD = 'node-MainThread';
/** After the calls of a step have ended. */
const SETTLE_MS = 3000;
const LIMIT_BASE_MS = 60_000;
const LIMIT_FACTOR = 3;

interface Plan {
  readonly calls: readonly number[];
  readonly seconds: number;
  readonly meanGapMs: number;
  readonly audioCalls: number;
  /** Further calls with audio, one figure per repetition of all steps. */
  readonly mediaCalls: readonly number[];
  /** Words for the SBC's node. */
  readonly nodeArguments: readonly string[];
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '1,100,500' },
      seconds: { type: 'string', default: '20' },
      gap: { type: 'string', default: '1000' },
      audio: { type: 'string', default: '20' },
      media: { type: 'string', default: '0' },
      profile: { type: 'string' },
      'own-network': { type: 'boolean' },
    },
  });
  const { profile } = values;
  const plan = {
    calls: values.calls.split(',').map(Number),
    seconds: Number(values.seconds),
    meanGapMs: Number(values.gap),
    audioCalls: Number(values.audio),
    mediaCalls: values.media.split(',').map(Number),
    nodeArguments:
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
  };
  const { calls, seconds, audioCalls, meanGapMs, mediaCalls } = plan;
  const isUsable = [...calls, seconds, meanGapMs - LEAST_GAP_MS].every((value) => value > 0);
  if (!isUsable || ![audioCalls, ...mediaCalls].every((value) => value >= 0)) {
    throw new Error(
      `calls and seconds are above 0, gap above ${LEAST_GAP_MS}, audio and media 0 or more`,
    );
  }
  return plan;
}

interface Way {
  readonly name: 'rtp -> notify' | 'notify -> rtp';
  readonly book: KeyBook;
  /** The SBC's own figures of the newest keys. */
  readonly ledgerMs: readonly number[];
}

interface Step {
  readonly calls: number;
  readonly mediaCalls: number;
  /** What became of their packets. */
  readonly media: LoadResult | undefined;
  readonly ways: readonly Way[];
  readonly floorMs: readonly number[];
  readonly elapsedMs: number;
  readonly sbcThreads: Threads;
  readonly loadThreads: Threads;
  /** NOTIFYs not answered 200, and requests sent again. */
  readonly refused: number;
  readonly repeats: number;
}

const ledgerSchema = z.array(
  z.object({
    atMs: z.number(),
    source: z.object({ type: z.string() }),
    outputs: z.array(z.object({ type: z.string(), latencyMs: z.number().optional() })),
  }),
);

/** Delays in the ledger of keys since `sinceMs` (wall clock), by source. */
async function readLedger(sbc: MeasuredSbc, sinceMs: number): Promise<Map<string, number[]>> {
  const answer = await fetch(`http://${sbc.api.address}:${sbc.api.port}/api/v1/digits`);
  const delaysMs = new Map<string, number[]>();
  for (const { atMs, source, outputs } of ledgerSchema.parse(await answer.json())) {
    const [output] = outputs;
    if (atMs < sinceMs || output?.latencyMs === undefined) continue;
    delaysMs.set(source.type, [...(delaysMs.get(source.type) ?? []), output.latencyMs]);
  }
  return delaysMs;
}

interface Ends {
  readonly phones: LightSip;
  readonly trunk: EventTrunk;
  readonly sbc: MeasuredSbc;
}

async function measureStep(
  ends: Ends,
  calls: number,
  mediaCalls: number,
  plan: Plan,
): Promise<Step> {
  const { sbc, phones, trunk } = ends;
  const beside = mediaCalls === 0 ? undefined : await openMedia(ends, mediaCalls);
  const meanGapMs = calls === 1 ? LONE_MEAN_GAP_MS : plan.meanGapMs;
  const audioCalls = Math.min(plan.audioCalls, calls);
  const load = await KeyLoad.open(
    { phones, trunk, access: sbc.access },
    { calls, audioCalls, meanGapMs },
  );
  const floor = await LoopbackFloor.open(PEER_ADDRESS);
  const repeatsBefore = phones.repeats;
  const stopwatches = [sbc.pid, process.pid].map((pid) => new ThreadStopwatch(pid));
  const mediaRun = beside?.run(WARM_UP_MS, plan.seconds * 1000);
  const { startedAtMs, elapsedMs } = await load.run({
    warmUpMs: WARM_UP_MS,
    measuredMs: plan.seconds * 1000,
    onMeasuring: () => {
      for (const stopwatch of stopwatches) stopwatch.start();
      floor.delaysMs = [];
    },
    onMeasured: () => {
      for (const stopwatch of stopwatches) stopwatch.stop();
    },
  });
  floor.close();
  const [sbcThreads = new Map(), loadThreads = new Map()] = stopwatches.map(
    ({ threads }) => threads,
  );
  const ledger = await readLedger(sbc, performance.timeOrigin + startedAtMs);
  const media = await mediaRun;
  await load.hangUp();
  await beside?.hangUp();
  await sleep(SETTLE_MS);
  return {
    calls,
    mediaCalls,
    media,
    ways: [
      { name: 'rtp -> notify', book: load.toNotify, ledgerMs: ascending(ledger.get('rtp') ?? []) },
      { name: 'notify -> rtp', book: load.toRtp, ledgerMs: ascending(ledger.get('notify') ?? []) },
    ],
    floorMs: ascending(floor.delaysMs),
    elapsedMs,
    sbcThreads,
    loadThreads,
    refused: load.refused,
    repeats: phones.repeats - repeatsBefore,
  };
}

function openMedia({ phones, trunk, sbc }: Ends, calls: number): Promise<MediaLoad> {
  return MediaLoad.open(
    { phones, trunk, access: sbc.access },
    {
      calls,
      sbcAddress: SBC_ADDRESS,
      sbcPid: sbc.pid,
      callerAddress: MEDIA_CALLERS,
      calleeAddress: MEDIA_CALLEES,
    },
  );
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function text(values: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => percentile(values, share).toFixed(2)).join(' / ');
}

function rows(step: Step): Record<string, string | number>[] {
  return step.ways.map(({ name, book, ledgerMs }) => ({
    calls: step.calls,
    media: step.mediaCalls,
    way: name,
    keys: book.delaysMs.length,
    'p50 / p99 / max ms': text(ascending(book.delaysMs)),
    'ledger ms': text(ledgerMs),
    'floor ms': text(step.floorMs),
    lost: book.missing,
    doubled: book.doubled,
    'out of order': book.overtaking,
  }));
}

/** One line per step: share of a core used, and in brackets the time stood in line for one. */
function processors({
  calls,
  mediaCalls,
  media,
  elapsedMs,
  sbcThreads,
  loadThreads,
}: Step): Record<string, string | number> {
  const share = (ms: number): string => `${((100 * ms) / elapsedMs).toFixed(0)} %`;
  const cell = ({ ranMs, waitedMs }: ThreadTimes): string => `${share(ranMs)} (${share(waitedMs)})`;
  const thread = (threads: Threads, name: string): string =>
    cell(threads.get(name) ?? { ranMs: 0, waitedMs: 0 });
  return {
    calls,
    'SBC, all threads': cell(sum(sbcThreads)),
    main: thread(sbcThreads, MAIN_THREAD),
    engine: thread(sbcThreads, 'engine'),
    relay: thread(sbcThreads, 'relay'),
    peers: cell(sum(loadThreads)),
    media: mediaCalls,
    ...(media !== undefined && { 'media load': share(media.loadBusy * elapsedMs) }),
    ...(media !== undefined && { 'media p50 / p99 µs, lost': mediaText(media) }),
  };
}

function mediaText({ latency, loss }: LoadResult): string {
  const [p50 = 0, p99 = 0] = [percentileUs(latency, 0.5), percentileUs(latency, 0.99)];
  return `${p50.toFixed(0)} / ${p99.toFixed(0)}, ${(100 * loss).toFixed(2)} %`;
}

function sum(threads: Threads): ThreadTimes {
  let [ranMs, waitedMs] = [0, 0];
  for (const times of threads.values()) {
    ranMs += times.ranMs;
    waitedMs += times.waitedMs;
  }
  return { ranMs, waitedMs };
}

async function measureSteps(plan: Plan): Promise<Step[]> {
  const trunk = await EventTrunk.open(PEER_ADDRESS);
  const phones = await LightSip.open(PEER_ADDRESS);
  const sbc = await startMeasuredSbc({
    address: SBC_ADDRESS,
    carrier: trunk.sip,
    concurrentCalls: Math.max(FIRST_WARM_UP.calls, ...plan.calls) + Math.max(...plan.mediaCalls),
    nodeArguments: plan.nodeArguments,
  });
  const warmUp = await KeyLoad.open({ phones, trunk, access: sbc.access }, FIRST_WARM_UP);
  await warmUp.run({ warmUpMs: 0, measuredMs: WARM_UP_MS });
  await warmUp.hangUp();
  const steps: Step[] = [];
  for (const mediaCalls of plan.mediaCalls) {
    for (const calls of plan.calls) {
      steps.push(await measureStep({ sbc, phones, trunk }, calls, mediaCalls, plan));
    }
  }
  await sbc.stop();
  phones.close();
  trunk.close();
  return steps;
}

/** Everything that must not be. */
function faults({ calls, ways, refused }: Step): string[] {
  const faulty = ways.filter(({ book }) => book.missing + book.doubled + book.overtaking > 0);
  return [
    ...faulty.map(({ name }) => `${calls} calls, ${name}: keys lost, doubled or out of order`),
    ...(refused === 0 ? [] : [`${calls} calls: ${refused} NOTIFYs refused`]),
  ];
}

/** Runs this in a network of its own, where frames may be put on the loopback device for its addresses. */
function runInOwnNetwork(): number {
  const prepare = 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/conf/lo/route_localnet';
  const own = [process.execPath, ...process.argv.slice(1), OWN_NETWORK];
  const words = ['--net', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', ...own];
  return spawnSync('unshare', words, { stdio: 'inherit' }).status ?? 1;
}

async function main(): Promise<number> {
  const plan = readPlan();
  const isBeside = plan.mediaCalls.some((calls) => calls > 0);
  if (isBeside && !process.argv.includes(OWN_NETWORK)) return runInOwnNetwork();
  const steps = plan.calls.length * plan.mediaCalls.length;
  endWithin(LIMIT_BASE_MS + LIMIT_FACTOR * steps * (plan.seconds * 1000 + WARM_UP_MS));
  const [load = 0] = loadavg();
  const measured = await measureSteps(plan);
  const repeats = measured.reduce((count, step) => count + step.repeats, 0);
  console.log(
    [
      `${plan.seconds} s each, a key every ${plan.meanGapMs} ms, audio on ${plan.audioCalls} calls at most; ${cpus().length} CPUs shared by the SBC and`,
      `the peers, load before ${load.toFixed(1)}; ${repeats} requests of the phones repeated.`,
    ].join(' '),
  );
  console.table(measured.flatMap(rows));
  console.log(
    'Share of a core; in brackets: the same of time in line for a core that others used.',
  );
  console.table(measured.map(processors));
  const bad = measured.flatMap(faults);
  for (const fault of bad) console.error(fault);
  return bad.length === 0 ? 0 : 1;
}

process.exit(await main());
