/** A program of the tests in a process of its own, in a network namespace: one command a line in, one answer a line out. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { within } from './wait-for.ts';

const EXIT_MS = 5000;

export class JsonProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #exited: Promise<unknown>;
  #text = '';

  /** Starts `program`, a file of test/support, in `namespace`. */
  constructor(namespace: string, program: string, ...words: readonly string[]) {
    const file = fileURLToPath(new URL(program, import.meta.url));
    const command = ['netns', 'exec', namespace, process.execPath, file, ...words];
    this.#child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'close');
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
  }

  /** The process id: `ip` has become the program. */
  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the program did not start');
    return pid;
  }

  /** Sends a command; its answer. */
  ask<Answer = null>(command: object): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      this.#waiting.push((line) => resolve(JSON.parse(line)));
    });
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return within(`answer to ${JSON.stringify(command)}`, answer);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Lets it end by itself. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.#waiting.shift()?.(line);
  }
}

interface JsonServer {
  carryOut(command: Record<string, unknown>): unknown;
}

/** The other end: answers each command of the line with what `carryOut` gives. */
export function serveJson(carryOut: JsonServer['carryOut'], onEnd: () => void): void {
  let text = '';
  let last: Promise<void> = Promise.resolve();
  const answer = async (line: string): Promise<void> => {
    const command: Record<string, unknown> = JSON.parse(line);
    const result: unknown = await carryOut(command);
    process.stdout.write(`${JSON.stringify(result ?? null)}\n`);
  };
  process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) last = last.then(() => answer(line));
  });
  process.stdin.on('end', onEnd);
}
