import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import type { LoadedConfig } from '../config/load.ts';
import { LoadThread } from '../config/load-thread.ts';
import { loadConfigFile, loadConfigText, pathOfLoaded } from '../config/load-file.ts';
import { startSbc, type Sbc } from '../main.ts';
import { badConfig, type CommandResult, failed, finish, globalOptions } from './output.ts';
import { serviceManager, type TellManager } from './service-manager.ts';

/** What closing may take when the operator is waiting; longer than any part should need. */
const CLOSE_LIMIT_MS = 5000;

/** `tonebridge run`: starts the SBC and keeps it until it is told to go. */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('start the SBC; SIGTERM drains, a second one stops, SIGHUP reloads')
    .addHelpText('after', RUN_EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      const outcome = await run(globalOptions(command).config);
      if (typeof outcome === 'number') process.exitCode = outcome;
      else finish(command, outcome);
    });
}

const RUN_EXAMPLES = `
Examples:
  tonebridge run --config config/sbc.yaml
  SBC_CONFIG_FILE=/etc/tonebridge/sbc.yaml tonebridge run`;

/** Resolves with the exit code when the SBC has stopped, or with the reason why it did not start. */
async function run(file: string | undefined): Promise<number | CommandResult> {
  const loaded = loadConfigFile(file);
  if (loaded.type === 'invalid') return badConfig(loaded.file, loaded.problems);
  const configFile = pathOfLoaded(loaded);
  const lost = Promise.withResolvers<string>();
  const thread = new LoadThread(file);
  let sbc: Sbc;
  try {
    sbc = await startSbc(loaded.config, {
      readConfig: (text) => readConfig(file, text),
      loadConfig: () => thread.load(),
      configThread: thread,
      ...(configFile === undefined ? {} : { configFile }),
      onLost: lost.resolve,
    });
  } catch (error) {
    const message = `cannot start: ${error instanceof Error ? error.message : String(error)}`;
    return failed('cannot-start', message);
  }
  const tell = serviceManager(readEnvironment(), sbc.log);
  void tell('ready');
  const outcome = await Promise.race([stopAsked(sbc, tell), lost.promise]);
  if (outcome !== 'asked') sbc.log.fatal({ reason: outcome }, 'cannot go on');
  // A part that does not close must not keep the process: its supervisor would have to kill it.
  const limit = setTimeout(() => process.exit(1), CLOSE_LIMIT_MS);
  await Promise.all([sbc.close(), thread.close()]);
  clearTimeout(limit);
  return outcome === 'asked' ? 0 : 1;
}

function readConfig(file: string | undefined, text: string | undefined): LoadedConfig {
  if (text === undefined) return loadConfigFile(file);
  return loadConfigText(text, file);
}

/** Handles the signals; resolves when a drain is over, or at once on the second signal. */
function stopAsked(sbc: Sbc, tell: TellManager): Promise<'asked'> {
  return new Promise((resolve) => {
    let isDraining = false;
    const onSignal = (): void => {
      if (isDraining) {
        resolve('asked');
        return;
      }
      isDraining = true;
      void tell('stopping');
      sbc.log.info({ activeCalls: sbc.calls.size }, 'draining');
      void sbc.drain().then(() => resolve('asked'));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('SIGHUP', () => {
      void tell('reloading');
      sbc
        .reload()
        .catch((error: unknown) => sbc.log.error({ err: error }, 'reload failed'))
        .finally(() => void tell('ready'));
    });
  });
}
