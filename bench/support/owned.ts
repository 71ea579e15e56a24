/** Child processes and folders of one benchmark: however it ends, none of them outlives it. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STOP_LIMIT_MS = 6000;

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** Makes an end by signal, and one after `limitMs`, an ordinary exit, which takes everything along. */
export function endWithin(limitMs: number): void {
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(1));
  }
  const limit = setTimeout(() => {
    console.error(`gave up after ${limitMs} ms`);
    process.exit(1);
  }, limitMs);
  limit.unref();
}

/** A new folder, removed at the end. */
export function ownedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  folders.add(folder);
  return folder;
}

export interface OwnedProcess {
  readonly pid: number;
  /** Standard output and error so far. */
  readonly output: () => string;
  /** The exit code; `undefined` after a signal. */
  readonly exited: Promise<number | undefined>;
  /** Asks it to end, insists after some seconds, and resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/** @throws Error when the program cannot be started. */
export function startOwned(program: string, args: readonly string[], cwd: string): OwnedProcess {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${program}`);
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      // SIPp redraws its screen all the time; only the end can matter.
      output = (output + chunk.toString()).slice(-20_000);
    });
  }
  const exited = once(child, 'close').then(([code]: (number | null)[]) => {
    children.delete(child);
    return code ?? undefined;
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(insist);
  };
  return { pid, output: () => output, exited, stop };
}
