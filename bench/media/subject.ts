/**
 * One relay under test: a process of its own in the relay's namespace, on one CPU, that is told what to do by lines and
 * answers by lines of JSON.
 *
 *   open N    opens calls until there are N     { type: opened, ports: [[caller's, callee's], …], pid? }
 *   heap      what its heaps hold, collected    { type: heap, bytes }
 *   flows     directions in the kernel          { type: flows, carried }
 *   busy MS   main thread busy MS of each 100   { type: busy, thread }
 *   (end of input)                              it ends
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { z } from 'zod';
import { within } from '../../test/support/wait-for.ts';
import type { LoadTarget } from './load-run.ts';

const ANSWER_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5000;
const OUTPUT_CHARACTERS = 4000;

const answerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('opened'),
    ports: z.array(z.tuple([z.number(), z.number()])),
    /** The process to measure when it is not the one that answers. */
    pid: z.number().optional(),
  }),
  z.object({ type: z.literal('heap'), bytes: z.number() }),
  z.object({ type: z.literal('flows'), carried: z.number() }),
  z.object({ type: z.literal('busy') }),
  /** It cannot be had here. */
  z.object({ type: z.literal('unavailable'), reason: z.string() }),
]);

type Answer = z.infer<typeof answerSchema>;

const running = new Set<Subject>();
process.on('exit', () => {
  for (const subject of running) subject.kill();
});

export class Unavailable extends Error {}

export class Subject implements LoadTarget {
  ports: readonly (readonly [number, number])[] = [];
  pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #complaints = '';

  private constructor(child: ChildProcess, reader: Interface, pid: number) {
    this.#child = child;
    this.#reader = reader;
    this.#lines = reader[Symbol.asyncIterator]();
    this.pid = pid;
  }

  /** Starts `command`; nothing is open yet. */
  static start(command: readonly [string, ...string[]]): Subject {
    const [program, ...words] = command;
    // A session of its own: schedulers share the machine between sessions.
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const { pid, stdout, stderr } = child;
    if (pid === undefined) throw new Error(`cannot start ${program}`);
    const subject = new Subject(child, createInterface({ input: stdout }), pid);
    running.add(subject);
    child.once('close', () => running.delete(subject));
    stderr.on('data', (bytes: Buffer) => {
      subject.#complaints = (subject.#complaints + bytes.toString()).slice(-OUTPUT_CHARACTERS);
    });
    preferSession(pid);
    return subject;
  }

  /** @throws Unavailable when this kind of relay cannot be had here. */
  async open(calls: number): Promise<void> {
    if (calls <= this.ports.length) return;
    const answer = await this.#ask(`open ${calls}`, 'opened');
    this.ports = answer.ports;
    if (answer.pid !== undefined && answer.pid !== this.pid) {
      this.pid = answer.pid;
      preferSession(this.pid);
    }
  }

  async heapBytes(): Promise<number> {
    return (await this.#ask('heap', 'heap')).bytes;
  }

  /** Directions that the kernel forwards by itself now. */
  async flowsCarried(): Promise<number> {
    return (await this.#ask('flows', 'flows')).carried;
  }

  /** Keeps its main thread busy for so long of each 100 ms. */
  async keepBusy(busyMs: number): Promise<void> {
    await this.#ask(`busy ${busyMs}`, 'busy');
  }

  /** From now on the load comes before it where both want the same CPU, and it before anything else. */
  yieldToLoad(): void {
    preferSession(this.pid, -10);
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const insist = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'close');
    }
    clearTimeout(insist);
    this.#reader.close();
  }

  /** Ends it, and the process that it measures for it, at once. */
  kill(): void {
    if (this.pid !== this.#child.pid) killIfAlive(this.pid);
    this.#child.kill('SIGKILL');
  }

  async #ask<T extends Answer['type']>(
    line: string,
    expected: T,
  ): Promise<Extract<Answer, { type: T }>> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await within(`answer to ${line}`, this.#lines.next(), ANSWER_LIMIT_MS);
    if (done === true) throw new Error(`the relay ended\n${this.#complaints}`);
    const answer = answerSchema.parse(JSON.parse(value));
    if (answer.type === 'unavailable') throw new Unavailable(answer.reason);
    if (!isOf(answer, expected)) throw new Error(`${line} was answered by ${value}`);
    return answer;
  }
}

function isOf<T extends Answer['type']>(
  answer: Answer,
  type: T,
): answer is Extract<Answer, { type: T }> {
  return answer.type === type;
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

/** At -20 before whatever else runs on its CPU, where sessions can be told so. */
function preferSession(pid: number, niceness = -20): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // A kernel that does not group by session.
  }
}
