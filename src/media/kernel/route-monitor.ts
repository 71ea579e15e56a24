/** One `ip monitor` that stays: says when devices, IPv4 addresses, routes or rules of this machine change. */

import { type ChildProcess, spawn } from 'node:child_process';

/** Ends with the pipe to it, and so with this process; only the monitor itself holds the pipe that is read. */
const START = '"$@" </dev/null 2>/dev/null & exec >/dev/null; read -r end; kill $!';
const MONITOR = ['ip', '-4', '-o', 'monitor', 'link', 'address', 'route', 'rule'];

/** What ends in good order takes no longer. */
const EXIT_MS = 2000;

export interface RouteMonitorOptions {
  /** Something has changed; often many times in a row. */
  readonly onChange: () => void;
  /** Called once: it tells of no further change. */
  readonly onEnd: () => void;
  /** In place of `ip`. */
  readonly command?: readonly string[] | undefined;
}

export class RouteMonitor {
  readonly #child: ChildProcess;
  readonly #options: RouteMonitorOptions;
  readonly #exited = Promise.withResolvers<undefined>();
  #isOver = false;

  constructor(options: RouteMonitorOptions) {
    this.#options = options;
    const words = ['-c', START, 'sh', ...(options.command ?? MONITOR)];
    this.#child = spawn('sh', words, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout?.on('data', () => {
      if (!this.#isOver) options.onChange();
    });
    this.#child.stdout?.on('close', () => this.#end());
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', () => this.#exit());
    this.#child.on('exit', () => this.#exit());
  }

  async close(): Promise<void> {
    this.#end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MS);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  #exit(): void {
    // A monitor that has lost its shell ends with the next word that it cannot say.
    this.#child.stdout?.destroy();
    this.#exited.resolve(undefined);
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#child.stdin?.end();
    this.#options.onEnd();
  }
}
