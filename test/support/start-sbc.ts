/** Starts the real SBC in this process on loopback, for tests that call through it, and checks what it leaves behind. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReloadView } from '../../src/api/backend.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { startSbc } from '../../src/main.ts';
import type { Sbc } from '../../src/main.ts';
import { createLog } from '../../src/observe/log.ts';
import { loopbackConfig } from './loopback-config.ts';
import type { LoopbackConfig, LoopbackOptions } from './loopback-config.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

/** Levels 50 and 60, which each line begins with. */
const ERROR_LINE = /^\{"level":[56]0\b/;

export interface StartOptions extends LoopbackOptions {
  /** True: calls may still be up when the SBC is closed. */
  readonly leavesCalls?: boolean;
  /** True: lines of level error may be logged. */
  readonly logsErrors?: boolean;
  /** Gets every line of level info and above, as logged. */
  readonly logLines?: string[];
  /** Last change to the configuration text. */
  readonly edit?: (yaml: string) => string | Promise<string>;
}

export interface RunningSbc extends LoopbackConfig {
  readonly sbc: Sbc;
  /** Lines of level error and above, as logged. */
  readonly errors: readonly string[];
  /** The call records written so far, oldest first. */
  cdrs(): Promise<unknown[]>;
  /** Puts another text in place of its configuration, and reloads. */
  reload(yaml: string): Promise<ReloadView>;
  /** Takes everything down; rejects when a call was still up or an error was logged. */
  close(): Promise<void>;
}

/** @throws Error with every problem when the configuration is not valid. */
export async function startLoopbackSbc(options: StartOptions): Promise<RunningSbc> {
  const folder = await mkdtemp(join(tmpdir(), 'sbc-'));
  const cdrFile = options.cdrFile ?? join(folder, 'cdr.jsonl');
  const loopback = await loopbackConfig({ ...options, cdrFile });
  const errors: string[] = [];
  const yaml = (await options.edit?.(loopback.yaml)) ?? loopback.yaml;
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const file = { text: yaml };
  const sbc = await startFromText(file, errors, options.logLines).catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  return {
    ...loopback,
    yaml,
    sbc,
    errors,
    reload: (text) => {
      file.text = text;
      return sbc.reload();
    },
    cdrs: async () => {
      const text = await readFile(cdrFile, 'utf8').catch(() => '');
      // What stands behind the last line end is half of a line that is just being written.
      return text
        .split('\n')
        .slice(0, -1)
        .map((line): unknown => JSON.parse(line));
    },
    close: async () => {
      const isEmpty = await callsEnded(sbc);
      try {
        await sbc.close();
      } finally {
        await removeFolder();
      }
      if (!isEmpty && options.leavesCalls !== true) throw new Error('the SBC still had a call');
      if (errors.length > 0 && options.logsErrors !== true) throw new Error(errors.join('\n'));
    },
  };
}

/**
 * Starts from any configuration text; lines of level error are added to `errors`, those from info on to `logLines`.
 *
 * @param source the text, or what holds it when it is reloaded
 */
export async function startFromText(
  source: string | { readonly text: string },
  errors: string[] = [],
  logLines?: string[],
): Promise<Sbc> {
  const file = typeof source === 'string' ? { text: source } : source;
  const readConfig = (text = file.text): LoadedConfig =>
    loadConfig({ text, file: 'loopback.yaml', env: {} });
  const loaded = readConfig();
  if (loaded.type === 'invalid') {
    const problems = loaded.problems.map(
      (problem) => `${problem.line}:${problem.column} ${problem.path} ${problem.message}`,
    );
    throw new Error(`${problems.join('\n')}\n${file.text}`);
  }
  const log = createLog(logLines === undefined ? 'error' : 'info', {
    write: (line: string) => {
      logLines?.push(line);
      if (ERROR_LINE.test(line)) errors.push(line);
    },
  });
  return startSbc(loaded.config, { log, readConfig });
}

/** Whether every call is over soon; the last answers may still be under way. */
async function callsEnded(sbc: Sbc): Promise<boolean> {
  try {
    await waitFor('end of all calls', () => sbc.calls.size === 0, { timeoutMs: PATIENCE_MS });
    return true;
  } catch {
    return false;
  }
}
