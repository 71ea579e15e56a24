import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { loadConfigFile } from '../config/load-file.ts';
import { readEnvironment } from '../config/environment.ts';
import { formatProblem } from '../config/problem.ts';
import { startSbc, type Sbc } from '../main.ts';

/** What closing may take when the operator is waiting; longer than any part should need. */
const CLOSE_LIMIT_MS = 5000;

/** `tonebridge run`: starts the SBC and keeps it until it is told to go. */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('start the SBC; SIGTERM drains, a second one stops, SIGHUP reloads')
    .action(async () => {
      const { config: file } = program.opts<{ config?: string }>();
      process.exitCode = await run(file);
    });
}

/** Resolves with the exit code when the SBC has stopped. */
async function run(file: string | undefined): Promise<number> {
  const loaded = loadConfigFile(file);
  if (loaded.type === 'invalid') {
    for (const problem of loaded.problems) {
      process.stderr.write(`${formatProblem(loaded.file, problem)}\n`);
    }
    return 1;
  }
  const lost = Promise.withResolvers<string>();
  let sbc: Sbc;
  try {
    sbc = await startSbc(loaded.config, {
      readConfig: (text) => readConfig(file, text),
      onLost: lost.resolve,
    });
  } catch (error) {
    process.stderr.write(
      `cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
  const outcome = await Promise.race([stopAsked(sbc), lost.promise]);
  if (outcome !== 'asked') sbc.log.fatal({ reason: outcome }, 'cannot go on');
  // A part that does not close must not keep the process: its supervisor would have to kill it.
  const limit = setTimeout(() => process.exit(1), CLOSE_LIMIT_MS);
  await sbc.close();
  clearTimeout(limit);
  return outcome === 'asked' ? 0 : 1;
}

function readConfig(file: string | undefined, text: string | undefined): LoadedConfig {
  if (text === undefined) return loadConfigFile(file);
  return loadConfig({ text, file: 'request', env: readEnvironment() });
}

/** Handles the signals; resolves when a drain is over, or at once on the second signal. */
function stopAsked(sbc: Sbc): Promise<'asked'> {
  return new Promise((resolve) => {
    let isDraining = false;
    const onSignal = (): void => {
      if (isDraining) {
        resolve('asked');
        return;
      }
      isDraining = true;
      sbc.log.info({ activeCalls: sbc.calls.size }, 'draining');
      void sbc.drain().then(() => resolve('asked'));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('SIGHUP', () => {
      sbc.reload().catch((error: unknown) => sbc.log.error({ err: error }, 'reload failed'));
    });
  });
}
