/** What the threads of a process used of the CPUs, and how long they stood in line for one (Linux). */

import { readdirSync, readFileSync } from 'node:fs';

export interface ThreadTimes {
  readonly ranMs: number;
  /** Could have run, and another thread or process had the CPU. */
  readonly waitedMs: number;
}

/** By name; threads of the same name are added up. */
export type Threads = ReadonlyMap<string, ThreadTimes>;

const NS_PER_MS = 1e6;
const NONE: ThreadTimes = { ranMs: 0, waitedMs: 0 };

export class ThreadStopwatch {
  /** Between start and stop. */
  threads: Threads = new Map();
  readonly #pid: number;
  #before: Threads = new Map();

  constructor(pid: number) {
    this.#pid = pid;
  }

  start(): void {
    this.#before = readThreads(this.#pid);
  }

  stop(): void {
    const after = readThreads(this.#pid);
    this.threads = new Map(
      Array.from(after, ([name, { ranMs, waitedMs }]) => {
        const before = this.#before.get(name) ?? NONE;
        return [name, { ranMs: ranMs - before.ranMs, waitedMs: waitedMs - before.waitedMs }];
      }),
    );
  }
}

function readThreads(pid: number): Threads {
  const folder = `/proc/${pid}/task`;
  const threads = new Map<string, ThreadTimes>();
  for (const id of readdirSync(folder)) {
    const name = readFileSync(`${folder}/${id}/comm`, 'utf8').trim();
    // Time run, time in line, both in ns, and the number of turns.
    const [ranNs = 0, waitedNs = 0] = readFileSync(`${folder}/${id}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    const { ranMs, waitedMs } = threads.get(name) ?? NONE;
    threads.set(name, {
      ranMs: ranMs + ranNs / NS_PER_MS,
      waitedMs: waitedMs + waitedNs / NS_PER_MS,
    });
  }
  return threads;
}
