/** Many answered calls when their SIP engine crashes: what becomes of them, and how long it takes. */

import type { Worker } from 'node:worker_threads';
import { EngineProcess } from './engine-process.ts';
import type { PortRange } from './free-ports.ts';
import { offerOf, RaceStage } from './race-stage.ts';
import type { RaceReport } from './race-stage.ts';
import type { IncomingCall, OutgoingCall } from './sip-calls.ts';
import { sleep, waitFor } from './wait-for.ts';

export interface EngineLossOptions {
  /** `thread`: the embedded engine; `process`: one in the role of a drachtio-server, which is killed. */
  readonly engine: 'thread' | 'process';
  readonly calls: number;
  readonly mediaRange?: PortRange;
}

export interface EngineLoss {
  readonly report: RaceReport;
  /** From the crash, or from the moment the killed process was ready again, until the SBC has ended all calls. */
  readonly endedMs: number;
  /** The same until the next call was answered. */
  readonly recoveredMs: number;
}

const PATIENCE_MS = 120_000;
/** Each crash costs about so many calls: a good part of the traffic must be left for the next one. */
const TRAFFIC_AT_ONCE = 20;
const TRAFFIC_CRASHES = 3;
/** So many calls are up at the least when the engine crashes. */
const TRAFFIC_UP = 5;
const ANSWER_WAIT_MS = 2000;

/** Crashes the engine under so many calls. */
export async function loseEngine(options: EngineLossOptions): Promise<EngineLoss> {
  const { calls } = options;
  const { stage, crash, close } = await openStage(options, false);
  let answered = 0;
  const wait = { timeoutMs: PATIENCE_MS };
  const running = stage.run(calls, {
    caller: async (outgoing) => {
      const dialog = await outgoing.answered(PATIENCE_MS);
      answered += 1;
      await dialog.waitForEnd(PATIENCE_MS);
    },
    callee: async (incoming) => {
      incoming.pickUp({ body: offerOf(stage.bob) });
      // The engine may be lost between the two.
      const { dialog } = incoming;
      await waitFor('ACK or BYE', () => dialog.acks.length > 0 || dialog.isEnded, wait);
    },
  });
  await waitFor('all calls', () => answered === calls, wait);
  const sinceMs = await crash();
  const { sbc } = stage.running;
  await waitFor('end of all calls', () => sbc.calls.size === 0, wait);
  const endedMs = performance.now() - sinceMs;
  await waitFor('the engine', () => sbc.stack.isUp, wait);
  const next = stage.dial(calls);
  await next.answered();
  const recoveredMs = performance.now() - sinceMs;
  await next.dialog.bye();
  await running;
  const report = await stage.report(
    `the engine ${options.engine} is lost`,
    /^sbc engine-lost 200$|^caller hang-up 200$/,
    false,
  );
  await close();
  return { report, endedMs, recoveredMs };
}

/** Crashes the engine three times, or as often as the traffic lasts: calls in set-up, answered ones and ones that just end. */
export async function loseEngineInTraffic(options: EngineLossOptions): Promise<RaceReport> {
  const { stage, crash, close } = await openStage({ ...options, calls: TRAFFIC_AT_ONCE }, true);
  const running = stage.run(options.calls, {
    caller: (outgoing, n) => impatiently(outgoing, n).catch(() => undefined),
    callee: (incoming, n) => answerInTraffic(stage, incoming, n).catch(() => undefined),
  });
  const { sbc } = stage.running;
  const wait = { timeoutMs: PATIENCE_MS };
  const answered = (): string[] =>
    sbc.calls
      .list()
      .filter(({ state }) => state === 'answered')
      .map(({ id }) => id);
  const crashing = async (): Promise<void> => {
    for (let round = 0; round < TRAFFIC_CRASHES; round += 1) {
      await waitFor(
        'calls',
        () => isOver || (sbc.stack.isUp && answered().length >= TRAFFIC_UP),
        wait,
      );
      if (isOver) return;
      const up = answered();
      await crash();
      await waitFor('their end', () => up.every((id) => sbc.calls.get(id) === undefined), wait);
    }
  };
  let isOver = false;
  const traffic = running.finally(() => {
    isOver = true;
  });
  await Promise.all([traffic, crashing()]);
  await waitFor('the engine', () => stage.running.sbc.stack.isUp, { timeoutMs: PATIENCE_MS });
  // As before the first crash: whatever goes wrong with these is a problem of the report.
  await stage.warmUp();
  const allowed = /^sbc (?:engine-lost|ack-timeout|dialog-lost)|hang-up|caller-cancelled|no-answer/;
  const report = await stage.report(
    `the engine ${options.engine} is lost in traffic`,
    allowed,
    false,
  );
  await close();
  return report;
}

/** A caller who gives up when nothing comes. */
async function impatiently(outgoing: OutgoingCall, n: number): Promise<void> {
  await sleep(n % 100);
  const answer = await outgoing.finished(ANSWER_WAIT_MS).catch(() => undefined);
  if (answer === undefined) await outgoing.cancel();
  else if (!outgoing.dialog.isEnded) {
    await sleep((n * 7) % 300);
    await outgoing.dialog.bye();
  }
}

async function answerInTraffic(stage: RaceStage, incoming: IncomingCall, n: number): Promise<void> {
  incoming.ring();
  await sleep((n * 13) % 200);
  if (incoming.dialog.isEnded) return;
  const dialog = await incoming.answer({ body: offerOf(stage.bob) });
  await sleep((n * 11) % 400);
  if (!dialog.isEnded) await dialog.bye();
}

interface CrashStage {
  readonly stage: RaceStage;
  /** Crashes the engine; gives the time from which on the SBC could know that there is one. */
  readonly crash: () => Promise<number>;
  readonly close: () => Promise<void>;
}

async function openStage(
  { engine, calls: concurrency, mediaRange }: EngineLossOptions,
  leavesLegs: boolean,
): Promise<CrashStage> {
  const common = { concurrency, leavesLegs, ...(mediaRange === undefined ? {} : { mediaRange }) };
  return engine === 'thread' ? openWithThread(common) : openWithProcess(common);
}

type StageOptions = Parameters<typeof RaceStage.open>[0];

async function openWithThread(options: StageOptions): Promise<CrashStage> {
  const { stage, thread } = await withEngineThread(() => RaceStage.open(options));
  let current = thread;
  const crash = async (): Promise<number> => {
    const sinceMs = performance.now();
    const successor = Promise.withResolvers<Worker>();
    process.once('worker', successor.resolve);
    await current.terminate();
    current = await successor.promise;
    return sinceMs;
  };
  return { stage, crash, close: () => Promise.resolve() };
}

async function openWithProcess(options: StageOptions): Promise<CrashStage> {
  const started = Promise.withResolvers<EngineProcess>();
  const stage = await RaceStage.open({
    ...options,
    edit: async (yaml) => {
      const engine = await EngineProcess.for(yaml);
      started.resolve(engine);
      return engine.configure(yaml);
    },
  });
  const engine = await started.promise;
  const crash = async (): Promise<number> => {
    await engine.kill();
    await engine.start();
    return performance.now();
  };
  return { stage, crash, close: () => engine.close() };
}

/** What `start` opens, and the thread in which its embedded engine runs: the first one that starts. */
export async function withEngineThread<T>(
  start: () => Promise<T>,
): Promise<{ stage: T; thread: Worker }> {
  const threads: Worker[] = [];
  const note = (worker: Worker): void => void threads.push(worker);
  process.on('worker', note);
  const stage = await start();
  process.off('worker', note);
  const [thread] = threads;
  if (thread === undefined) throw new Error('no engine thread was started');
  return { stage, thread };
}
