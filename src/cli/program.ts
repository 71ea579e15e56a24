/** The command tree; each command lives in a file of its own. */
import { Command, CommanderError } from 'commander';
import { addAgentsCommand } from './agents.ts';
import { addApplyCommands } from './apply.ts';
import { addCheckCommand } from './check.ts';
import { addCompletionCommand } from './completion.ts';
import { addControlCommands } from './control.ts';
import { addDemoCommand } from './demo.ts';
import { addDemoFeaturesCommand } from './demo-features.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEngineCommand } from './engine.ts';
import { addExamples } from './examples.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { addExplainCommand } from './explain.ts';
import { addFeaturesCommand } from './features.ts';
import { addImportAcmeCommand } from './import-acme.ts';
import { addPlanCommand } from './plan.ts';
import { addRunCommand } from './run.ts';
import { addShowCommand } from './show.ts';
import { addSimulateCommand } from './simulate.ts';
import { addTraceCommand } from './trace.ts';
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
  addPlanCommand(program);
  addApplyCommands(program);
  addExplainCommand(program);
  addSimulateCommand(program);
  addDoctorCommand(program);
  addShowCommand(program);
  addTraceCommand(program);
  addControlCommands(program);
  addAgentsCommand(program);
  addFeaturesCommand(program);
  addImportAcmeCommand(program);
  addDemoCommand(program);
  addDemoFeaturesCommand(program);
  addEngineCommand(program);
  addCompletionCommand(program);
  addExamples(program);
  return program;
}

/**
 * Runs one command line (without node and script); usage errors set exit status 2 and do not throw. With --json whatever
 * happens is one JSON value on standard output.
 */
export async function runProgram(
  words: readonly string[],
  program = buildProgram(),
): Promise<void> {
  const options = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  const said = options.includes('--json') ? captured(program) : undefined;
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      if (said === undefined) throw error;
      process.exitCode = EXIT_CODES.findings;
      const message = error instanceof Error ? error.message : String(error);
      printJson({ error: 'failed', message });
      return;
    }
    // Help and version leave with 0; commander gives 1 to everything else.
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.good : EXIT_CODES.usage;
    if (said !== undefined) printJson(saidJson(error, said()));
  }
}

/** Keeps what commander itself would print; gives what was meant for standard output. */
function captured(program: Command): () => string {
  let text = '';
  const writeOut = (part: string): void => {
    text += part;
  };
  for (const command of withAll(program)) {
    command.configureOutput({ writeOut, writeErr: () => undefined });
  }
  return () => text;
}

function saidJson({ code, exitCode, message }: CommanderError, text: string): unknown {
  if (code === 'commander.version') return { version: text.trim() };
  if (exitCode === 0) return { help: text };
  const isHelp = code === 'commander.help';
  return { error: 'usage', message: isHelp ? 'no command' : message.replace(/^error: /, '') };
}

/** `command` and every command below it. */
export function withAll(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((inner) => withAll(inner))];
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
