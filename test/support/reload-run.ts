/** An SBC process under calls that is reloaded over and over, and what that left behind. */

import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { CdrRecord } from '../../src/observe/cdr.ts';
import type { KpmlPhoneCall } from './kpml-phone.ts';
import type { ReloadFile } from './reload-files.ts';
import { openReloadStage } from './reload-stage.ts';
import type { ReloadStage } from './reload-stage.ts';
import type { ReloadTraffic, TrafficCall } from './reload-traffic.ts';
import type { TrunkCall } from './rfc2833-trunk.ts';
import type { VoiceCall } from './voice-call.ts';
import { sleep, waitFor } from './wait-for.ts';

export interface ReloadRunOptions {
  readonly reloads: number;
  readonly callsPerSecond: number;
  /** Heap and the like are read so often. */
  readonly stepReloads: number;
  readonly onStep: (step: ReloadStep) => void;
}

/** What the SBC process holds, after a collection. */
export interface ReloadStep {
  readonly reloads: number;
  readonly heapBytes: number;
  readonly files: number;
  readonly activeCalls: number;
  readonly seconds: number;
}

export interface ReloadReport {
  readonly applied: number;
  readonly refused: number;
  readonly steps: readonly ReloadStep[];
  /** Without calls, before the first reload and behind the last. */
  readonly atRest: readonly [ReloadStep, ReloadStep];
  readonly traffic: ReloadTraffic['counts'];
  /** INVITEs and BYEs that were repeated. */
  readonly repeats: number;
  readonly presses: number;
  readonly reloadMs: readonly number[];
  readonly problems: readonly string[];
  /** How calls ended, as their records say: side, cause, status. */
  readonly causes: ReadonlyMap<string, number>;
}

const KEYS = '159';
const LEAST_INTERVAL_MS = 40;
const KEYS_PAUSE_MS = 200;
const MOST_PROBLEMS = 20;
/** More than the SBC remembers of calls that have ended. */
const WARM_UP_CALLS = 1100;
const WARM_UP_PER_SECOND = 60;
const WARM_UP_LIMIT_MS = 120_000;
/** Longer than a removed port stays behind its last call. */
const REST_MS = 7000;
const REST_LIMIT_MS = 60_000;

export async function runReloads(options: ReloadRunOptions): Promise<ReloadReport> {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const stage = await openReloadStage(taken);
  try {
    return await run(stage, options);
  } finally {
    stage.probe.close();
    await stage.sbc.stop();
    stage.traffic.close();
    await Promise.all([stage.phone.close(), stage.trunk.close()]);
    taken.close();
  }
}

async function run(stage: ReloadStage, options: ReloadRunOptions): Promise<ReloadReport> {
  const { traffic, config, problems } = stage;
  await warmUp(stage);
  const before = await stepOf(stage, 0);
  const calling = traffic.run(options.callsPerSecond, config.access, config.core);
  let isOver = false;
  const pressing = pressKeys(stage, () => isOver);
  const reloaded = await reloadAll(stage, options);
  isOver = true;
  const presses = await pressing;
  await traffic.stop();
  await calling;
  await rest(stage);
  const after = await stepOf(stage, options.reloads);
  if (after.activeCalls > 0) problems.push(`${after.activeCalls} calls are left`);
  return {
    ...reloaded,
    atRest: [before, after],
    traffic: traffic.counts,
    repeats: traffic.alice.repeats + traffic.bob.repeats,
    presses,
    problems: problems.slice(0, MOST_PROBLEMS),
    causes: await causesIn(stage.cdrFile),
  };
}

async function reloadAll(
  stage: ReloadStage,
  { reloads, stepReloads, onStep }: ReloadRunOptions,
): Promise<Pick<ReloadReport, 'applied' | 'refused' | 'steps' | 'reloadMs'>> {
  const steps: ReloadStep[] = [];
  const reloadMs: number[] = [];
  const counts = { applied: 0, refused: 0 };
  let extra: Promise<TrafficCall | undefined> | undefined;
  for (let n = 0; n < reloads; n += 1) {
    const file = fileAt(stage, n);
    const sinceMs = performance.now();
    const outcome = await reload(stage, file);
    const tookMs = performance.now() - sinceMs;
    reloadMs.push(tookMs);
    // What is refused or changes at once would leave no time in which files are in force.
    await sleep(Math.max(0, LEAST_INTERVAL_MS - tookMs));
    counts[outcome] += 1;
    // Begun while its port is there, ended when that has gone.
    if (file.extra !== undefined && extra === undefined) extra = stage.traffic.call(file.extra);
    if (file.extra === undefined && file.outcome === 'applied') {
      await endExtra(stage, extra);
      extra = undefined;
    }
    if ((n + 1) % stepReloads !== 0) continue;
    const step = await stepOf(stage, n + 1);
    steps.push(step);
    onStep(step);
  }
  await endExtra(stage, extra);
  return { ...counts, steps, reloadMs };
}

/** A call on a port or interface that is gone can still be renegotiated and hung up. */
async function endExtra(
  { problems }: ReloadStage,
  extra: Promise<TrafficCall | undefined> | undefined,
): Promise<void> {
  const call = await extra;
  if (call === undefined) return;
  const status = await call.reinvite();
  if (status !== 200) problems.push(`re-INVITE on a port that is gone: ${status}`);
  await call.end();
}

async function reload(
  { config, file, problems }: ReloadStage,
  next: ReloadFile,
): Promise<'applied' | 'refused'> {
  await writeFile(file, next.text);
  const { address, port } = config.api;
  const url = `http://${address}:${port}/api/v1/config/reload`;
  const response = await fetch(url, { method: 'POST' });
  const text = await response.text();
  const outcome = response.ok ? 'applied' : 'refused';
  if (outcome !== next.outcome) problems.push(`${next.name}: ${outcome} ${text}`);
  return outcome;
}

/** Keys of a KPML phone to a telephone-event trunk, one call after the other. */
async function pressKeys(
  { phone, trunk, config, problems }: ReloadStage,
  isOver: () => boolean,
): Promise<number> {
  let presses = 0;
  while (!isOver()) {
    const [calling, answering] = await Promise.allSettled([
      phone.call({ to: '8000', via: config.access }),
      trunk.answer(),
    ]);
    if (calling.status === 'fulfilled' && answering.status === 'fulfilled') {
      const heard = await keysHeard(calling.value, answering.value);
      if (heard !== KEYS) problems.push(`keys ${KEYS} were heard as ${heard}`);
      presses += KEYS.length;
    } else {
      problems.push(`call with keys: caller ${calling.status}, callee ${answering.status}`);
    }
    await Promise.all([endOf(calling), endOf(answering)]);
    await sleep(KEYS_PAUSE_MS);
  }
  return presses;
}

async function keysHeard(caller: KpmlPhoneCall, callee: TrunkCall): Promise<string> {
  try {
    await caller.press(KEYS);
    return await callee.waitForDigits(KEYS.length);
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** Whatever came of it, the call is not left up. */
async function endOf(end: PromiseSettledResult<VoiceCall>): Promise<void> {
  if (end.status === 'rejected' || end.value.dialog.isEnded) return;
  await end.value.hangUp().catch(() => undefined);
}

/** Every file once, and many calls, so that nothing of the code is new to what is measured. */
async function warmUp(stage: ReloadStage): Promise<void> {
  const { config, traffic } = stage;
  let isOver = false;
  const pressing = pressKeys(stage, () => isOver);
  const calling = traffic.run(WARM_UP_PER_SECOND, config.access, config.core);
  for (const file of stage.files) await reload(stage, file);
  await waitFor('warm-up calls', () => traffic.counts.ended >= WARM_UP_CALLS, {
    timeoutMs: WARM_UP_LIMIT_MS,
  });
  isOver = true;
  await Promise.all([traffic.stop(), calling, pressing]);
  await rest(stage);
}

/** The last file again, and nothing under way. */
async function rest(stage: ReloadStage): Promise<void> {
  await reload(stage, lastOf(stage));
  const deadlineMs = performance.now() + REST_LIMIT_MS;
  while ((await activeCalls(stage)) > 0 && performance.now() < deadlineMs) await sleep(REST_MS);
  await sleep(REST_MS);
}

async function activeCalls({ config }: ReloadStage): Promise<number> {
  const { address, port } = config.api;
  const calls: unknown = await (await fetch(`http://${address}:${port}/api/v1/calls`)).json();
  return Array.isArray(calls) ? calls.length : 0;
}

async function stepOf(stage: ReloadStage, reloads: number): Promise<ReloadStep> {
  const { sbc, probe, startedMs } = stage;
  return {
    reloads,
    heapBytes: await probe.usedBytes(),
    files: readdirSync(`/proc/${sbc.pid}/fd`).length,
    activeCalls: await activeCalls(stage),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

async function causesIn(cdrFile: string): Promise<ReadonlyMap<string, number>> {
  const causes = new Map<string, number>();
  const text = await readFile(cdrFile, 'utf8');
  for (const line of text.split('\n').slice(0, -1)) {
    const { release }: CdrRecord = JSON.parse(line);
    const cause = `${release.side} ${release.internalCode} ${release.sipCode}`;
    causes.set(cause, (causes.get(cause) ?? 0) + 1);
  }
  return causes;
}

function fileAt({ files }: ReloadStage, n: number): ReloadFile {
  const file = files[n % files.length];
  if (file === undefined) throw new Error('there are no files');
  return file;
}

function lastOf({ files }: ReloadStage): ReloadFile {
  const file = files.findLast(({ outcome }) => outcome === 'applied');
  if (file === undefined) throw new Error('there is no file to end with');
  return file;
}
