/**
 * The measurements of one series: rounds in which every relay gets its turn, each started anew.
 *
 * A turn: the points of the cost curve upwards (500 and 1 000 calls for all relays), then the search for the most calls.
 * The floor, straight from peer to peer, has a turn of its own in each round.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { sleep } from '../../test/support/wait-for.ts';
import { CapacitySearch, NEAR_STEP } from './capacity-search.ts';
import { percentileUs } from './latency-histogram.ts';
import { type LoadPlace, type LoadPlan, type LoadResult, runLoad } from './load-run.ts';
import type { Capacity, Memory, Point, Series, Stall } from './results.ts';
import {
  IO_KINDS,
  isIoKind,
  type IoKind,
  type Kind,
  startSubject,
  type SubjectPlace,
} from './subject-kinds.ts';
import { Subject, Unavailable } from './subject.ts';

/** Points at which all relays are compared. */
export const COMPARED_CALLS = [500, 1000] as const;
/** What each relay has to carry for a while before it is measured. */
const WARM_CALLS = 300;
const WARM_MS = 8000;
const SETTLING_MS = 2500;
const LOSS_LIMIT = 0.001;
const FIRST_GUESS = 900;
const MEMORY_CALLS = 1000;
const STALL_CALLS = 500;
const STALL_SLOT_US = 200;
const BUSY_MS = 50;
const RETRIES = 2;
/** So late is a load that wants more than its core. */
const OVERLOAD_US = 50_000;
/** Runs of so long in which the kernel may take over what is steady. */
const HAND_OVERS = 3;
const HAND_OVER_MS = 1000;
/** What an overloaded relay holds in its buffers takes its whole core for some seconds more: it is waited for. */
const EMPTYING_LIMIT_MS = 30_000;
const EMPTYING_LOOK_MS = 200;
/** Ticks of 10 ms in that time: less than so many are nothing but timers. */
const IDLE_TICKS = 3;

export interface SeriesPlan {
  readonly kinds: readonly Kind[];
  readonly runs: number;
  /** Of the cost curve. */
  readonly calls: readonly number[];
  readonly measuredMs: number;
  readonly warmUpMs: number;
  /** Most calls that a relay may be asked for: each takes descriptors. */
  readonly callLimit: number;
}

export interface SeriesPlace extends LoadPlace, SubjectPlace {}

export class SeriesRun {
  readonly #place: SeriesPlace;
  readonly #plan: SeriesPlan;
  readonly #points: Point[] = [];
  readonly #floor: Point[] = [];
  readonly #capacities: Capacity[] = [];
  readonly #memories: Memory[] = [];
  readonly #stalls: Stall[] = [];
  readonly #unavailable = new Map<Kind, string>();
  #voidRuns = 0;

  constructor(place: SeriesPlace, plan: SeriesPlan) {
    this.#place = place;
    this.#plan = plan;
  }

  async run(): Promise<Series> {
    for (let round = 0; round < this.#plan.runs; round += 1) {
      await this.#measureFloor(round);
      for (const kind of this.#plan.kinds) {
        await this.#turn(kind, round, (subject) => this.#measure(kind, subject, round));
      }
    }
    for (const kind of this.#plan.kinds) {
      await this.#turn(kind, 0, (subject) => this.#measureMemory(kind, subject));
    }
    for (const kind of IO_KINDS.filter((io) => this.#plan.kinds.includes(io))) {
      await this.#turn(kind, 0, (subject) => this.#measureStalls(kind, subject));
    }
    return {
      points: this.#points,
      floor: this.#floor,
      capacities: this.#capacities,
      memories: this.#memories,
      stalls: this.#stalls,
      unavailable: [...this.#unavailable],
      voidRuns: this.#voidRuns,
    };
  }

  /** One relay from its start to its end; nothing when it cannot be had here. */
  async #turn(
    kind: Kind,
    round: number,
    measure: (subject: Subject) => Promise<void>,
  ): Promise<void> {
    if (this.#unavailable.has(kind)) return;
    const subject = startSubject(kind, this.#place);
    try {
      await subject.open(1);
      await measure(subject);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`${kind}: not available here: ${error.message}`);
      this.#unavailable.set(kind, error.message);
    } finally {
      await subject.stop();
    }
    progress(`round ${round + 1}: ${kind} done`);
  }

  /** A relay that has just been started compiles its code beside its first packets: that is its first seconds, not its work. */
  async #warm(kind: Kind, subject: Subject): Promise<void> {
    const calls = Math.min(WARM_CALLS, this.#plan.callLimit);
    await this.#open(kind, subject, calls);
    await this.#load(subject, { ...this.#loadPlan(calls), warmUpMs: 0, measuredMs: WARM_MS });
  }

  async #measureFloor(round: number): Promise<void> {
    const wanted = this.#possible(merged(this.#plan.calls));
    const ports = Array.from({ length: Math.max(...wanted) }, (): [number, number] => [1, 1]);
    for (const calls of wanted) {
      const plan = { ...this.#loadPlan(calls), isDirect: true };
      const result = await this.#load({ pid: 0, ports }, plan);
      this.#floor.push({ kind: 'floor', round, result });
    }
  }

  async #measure(kind: Kind, subject: Subject, round: number): Promise<void> {
    const wanted = isIoKind(kind) ? merged(this.#plan.calls) : [...COMPARED_CALLS];
    let isWarm = false;
    for (const calls of this.#possible(wanted)) {
      if (!isWarm && calls >= WARM_CALLS) {
        await this.#warm(kind, subject);
        isWarm = true;
      }
      await this.#open(kind, subject, calls);
      const result = await this.#load(subject, this.#loadPlan(calls));
      const residentBytes = subject.residentBytes();
      const flowsCarried = kind === 'kernel' ? await subject.flowsCarried() : undefined;
      this.#points.push({ kind, round, result, residentBytes, flowsCarried });
    }
    await this.#search(kind, subject, round);
  }

  async #search(kind: Kind, subject: Subject, round: number): Promise<void> {
    const before = this.#capacities.findLast((capacity) => capacity.kind === kind);
    const limit = this.#plan.callLimit;
    const search =
      before === undefined
        ? new CapacitySearch(FIRST_GUESS, limit)
        : new CapacitySearch(before.calls, limit, NEAR_STEP);
    let isLoadBound = false;
    for (let calls = search.next(); calls !== undefined; calls = search.next()) {
      await this.#open(kind, subject, calls);
      // All calls begin in one moment here: a relay that is behind for that is not yet one that cannot carry them.
      const plan = { ...this.#loadPlan(calls), warmUpMs: SETTLING_MS };
      const { unplayable, fault } = await this.#load(subject, plan);
      const isCarried = fault === undefined && unplayable < LOSS_LIMIT;
      // Each failure is below the one before: the last one is what limits.
      if (!isCarried) isLoadBound = fault !== undefined;
      progress(
        `  ${kind} ${calls}: lost or late ${(100 * unplayable).toFixed(3)} % ${fault ?? ''}`,
      );
      search.report(isCarried);
    }
    const isBound = isLoadBound || search.isAtLimit;
    this.#capacities.push({ kind, round, calls: search.best, isBound });
  }

  async #measureMemory(kind: Kind, subject: Subject): Promise<void> {
    const calls = Math.min(MEMORY_CALLS, this.#plan.callLimit);
    const look = async (count: number): Promise<{ heap: number | undefined; resident: number }> => {
      await this.#open(kind, subject, count);
      await this.#load(subject, this.#loadPlan(count));
      const heap = isIoKind(kind) ? await subject.heapBytes() : undefined;
      return { heap, resident: subject.residentBytes() };
    };
    const before = await look(1);
    const after = await look(calls);
    const perCall = (bytes: number): number => bytes / (calls - 1);
    this.#memories.push({
      kind,
      calls,
      residentBytesPerCall: perCall(after.resident - before.resident),
      heapBytesPerCall:
        after.heap === undefined ? undefined : perCall(after.heap - (before.heap ?? 0)),
      emptyResidentBytes: before.resident,
    });
  }

  /** The main thread has the load's core, so that only what the threads share can make packets wait. */
  async #measureStalls(kind: IoKind, subject: Subject): Promise<void> {
    const calls = Math.min(STALL_CALLS, this.#plan.callLimit);
    await this.#warm(kind, subject);
    await this.#open(kind, subject, calls);
    subject.yieldToLoad();
    execFileSync('taskset', ['-p', '-c', String(this.#place.cpus.load), String(subject.pid)], {
      stdio: 'ignore',
    });
    for (const busyMs of [0, BUSY_MS]) {
      await subject.keepBusy(busyMs);
      const plan = { ...this.#loadPlan(calls), slotUs: STALL_SLOT_US };
      this.#stalls.push({ kind, busyMs, result: await this.#load(subject, plan) });
    }
  }

  /** With the kernel path: until the kernel has every direction, for some seconds at most. */
  async #open(kind: Kind, subject: Subject, calls: number): Promise<void> {
    await subject.open(calls);
    if (kind !== 'kernel') return;
    for (let attempt = 0; attempt < HAND_OVERS; attempt += 1) {
      if ((await subject.flowsCarried()) >= 2 * calls) return;
      await runLoad(this.#place, subject, { ...this.#loadPlan(calls), measuredMs: HAND_OVER_MS });
    }
    progress(`  kernel: ${await subject.flowsCarried()} of ${2 * calls} directions`);
  }

  #possible(calls: readonly number[]): number[] {
    return calls.filter((count) => count <= this.#plan.callLimit);
  }

  #loadPlan(calls: number): LoadPlan {
    return { calls, warmUpMs: this.#plan.warmUpMs, measuredMs: this.#plan.measuredMs };
  }

  /** Repeats a run of a load that could not keep up. */
  async #load(target: Pick<Subject, 'pid' | 'ports'>, plan: LoadPlan): Promise<LoadResult> {
    let result = await runLoad(this.#place, target, plan);
    for (let retry = 0; retry < RETRIES && isWorthRepeating(result); retry += 1) {
      this.#voidRuns += 1;
      progress(`  void at ${plan.calls} calls: ${result.fault}`);
      result = await runLoad(this.#place, target, plan);
    }
    if (result.unplayable >= LOSS_LIMIT) await emptied(target.pid);
    return result;
  }
}

/** Void, but not because the load has no time left at all. */
function isWorthRepeating({ fault, lateness }: LoadResult): boolean {
  return fault !== undefined && (percentileUs(lateness, 0.999) ?? 0) < OVERLOAD_US;
}

/** The points of the curve and those of the comparison, upwards. */
function merged(calls: readonly number[]): number[] {
  return [...new Set([...calls, ...COMPARED_CALLS])].toSorted((a, b) => a - b);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Waits until the process `pid` has nothing left to do. */
async function emptied(pid: number): Promise<void> {
  if (pid === 0) return;
  const untilMs = performance.now() + EMPTYING_LIMIT_MS;
  for (let before = ticksOf(pid); performance.now() < untilMs;) {
    await sleep(EMPTYING_LOOK_MS);
    const now = ticksOf(pid);
    if (now - before < IDLE_TICKS) return;
    before = now;
  }
}

/** Processor time of a process, user and system, in ticks of 10 ms. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
