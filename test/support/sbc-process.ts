/** The SBC as operators run it: `node src/cli/tonebridge.ts run` in a process of its own. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeAfterTest } from './leak-check.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));

export class SbcProcess {
  /** What it wrote so far, standard output and error together. */
  output = '';
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.#exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  }

  /** Starts it on the configuration `yaml`; it is killed after the test if it still runs. */
  static async start(yaml: string): Promise<SbcProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'sbc-process-'));
    await writeFile(join(folder, 'sbc.yaml'), yaml);
    const child = spawn(process.execPath, [PROGRAM, 'run', '--config', join(folder, 'sbc.yaml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return closeAfterTest(new SbcProcess(child, folder));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The configuration it runs on. */
  get configFile(): string {
    return join(this.#folder, 'sbc.yaml');
  }

  /** Puts another text in place of its configuration file. */
  async rewriteConfig(yaml: string): Promise<void> {
    await writeFile(join(this.#folder, 'sbc.yaml'), yaml);
  }

  /** Resolves when `text` stands in the output. */
  async waitForOutput(text: string, timeoutMs = PATIENCE_MS): Promise<void> {
    await waitFor(`"${text}"`, () => this.output.includes(text), {
      timeoutMs,
      details: () => this.output,
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; `null` when a signal ended it. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
    }
    await this.#exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
