/** One nft that stays: commands in, what it says to them out, one after the other. */

import { type ChildProcess, spawn } from 'node:child_process';

/** What nft says to a command that asks nothing of the kernel: it is through with those before. */
const MARKER = 'describe meta mark';
const MARKED = /^meta expression, datatype mark.*\n/mu;

/** Errors come on the same pipe as answers: so they stay in order. */
const START = 'exec nft -i 2>&1';

/** The kernel's last word on a process takes no longer. */
const EXIT_MS = 2000;

export class NftProcess {
  readonly #child: ChildProcess;
  readonly #onExit: (said: string) => void;
  readonly #exited = Promise.withResolvers<undefined>();
  #said = '';
  #answer: ((answer: string | undefined) => void) | undefined;
  #isOver = false;
  #killedFor: string | undefined;

  /**
   * @param onExit called once when it is gone, with why it was killed or the last it said
   * @param start another program in its place, in tests
   */
  constructor(onExit: (said: string) => void, start = START) {
    this.#onExit = onExit;
    this.#child = spawn('sh', ['-c', start], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    // Written to a process that has just died.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', () => this.#end(this.#said));
  }

  /** Runs commands, one or more lines; what nft says, `undefined` when it dies before it is through. */
  run(commands: string): Promise<string | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#child.stdin?.write(`${commands}\n${MARKER}\n`);
    });
  }

  /** Ends it, and with it the tables that it owns. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.kill(), EXIT_MS);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  /** Ends it at once, and with it the tables that it owns. */
  kill(reason?: string): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  #receive(text: string): void {
    this.#said += text;
    // Looking for the marker in all that came before again and again would cost more than reading it.
    const found = MARKED.exec(this.#said.slice(-text.length - MARKER_BYTES));
    if (found === null) return;
    const answer = this.#said.slice(0, this.#said.lastIndexOf(found[0]));
    this.#said = '';
    const resolve = this.#answer;
    this.#answer = undefined;
    resolve?.(answer);
  }

  #end(said: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer?.(undefined);
    this.#exited.resolve(undefined);
    this.#onExit(this.#killedFor ?? said.trim());
  }
}

/** Longer than the line that marks the end. */
const MARKER_BYTES = 200;
