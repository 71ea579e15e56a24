/** What all commands share: the global options, and how results leave the program. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';

export interface GlobalOptions {
  /** The file named by --config, if any. */
  readonly config?: string;
  readonly json?: boolean;
}

export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** The answer of a command in both forms. */
export interface CommandResult {
  readonly exitCode: ExitCode;
  /** For people; ends with a line feed. */
  readonly text: string;
  /** For machines, printed with --json. */
  readonly json: unknown;
}

/** Prints `result` the way the caller asked for and sets the exit status. */
export function finish(command: Command, result: CommandResult): void {
  const isJson = globalOptions(command).json === true;
  process.stdout.write(isJson ? `${JSON.stringify(result.json, undefined, 2)}\n` : result.text);
  process.exitCode = result.exitCode;
}
