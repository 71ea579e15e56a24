/** The command tree; each command lives in a file of its own. */
import { Command, CommanderError } from 'commander';
import { addAgentsCommand } from './agents.ts';
import { addCheckCommand } from './check.ts';
import { addControlCommands } from './control.ts';
import { addDemoCommand } from './demo.ts';
import { addDemoFeaturesCommand } from './demo-features.ts';
import { addEngineCommand } from './engine.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { addExplainCommand } from './explain.ts';
import { addFeaturesCommand } from './features.ts';
import { addRunCommand } from './run.ts';
import { addShowCommand } from './show.ts';
import { VERSION } from '../main.ts';

export function buildProgram(): Command {
  const program = new Command('tonebridge')
    .description('Session border controller with KPML and RFC 2833 DTMF interworking')
    .option(
      '-c, --config <file>',
      'configuration file (default: SBC_CONFIG_FILE, SBC_CONFIG_BODY, config/sbc.yaml)',
    )
    .option('--json', 'print results as JSON')
    .version(VERSION, '-V, --version', 'print the version')
    .showHelpAfterError()
    .exitOverride();
  addRunCommand(program);
  addCheckCommand(program);
  addExplainCommand(program);
  addShowCommand(program);
  addControlCommands(program);
  addAgentsCommand(program);
  addFeaturesCommand(program);
  addDemoCommand(program);
  addDemoFeaturesCommand(program);
  addEngineCommand(program);
  return program;
}

/** Runs one command line (without node and script); usage errors set exit status 2 and do not throw. */
export async function runProgram(
  words: readonly string[],
  program = buildProgram(),
): Promise<void> {
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version leave with 0; commander gives 1 to everything else.
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.good : EXIT_CODES.usage;
  }
}
