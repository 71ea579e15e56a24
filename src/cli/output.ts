/** What all commands share: the global options, and how results leave the program. */
import type { Command } from 'commander';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

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
  /** For people, on standard output; ends with a line feed. */
  readonly text: string;
  /** Why there is no result, or no good one; for people, on standard error; ends with a line feed. */
  readonly errorText?: string;
  /** For machines, printed with --json. */
  readonly json: unknown;
}

/**
 * Prints `result` the way the caller asked for and sets the exit status. JSON is one value on standard output, of
 * failures too.
 */
export function finish(command: Command, result: CommandResult): void {
  const isJson = globalOptions(command).json === true;
  const { json, text, errorText = '' } = result;
  const printed = isJson ? `${JSON.stringify(json, undefined, 2)}\n` : text;
  if (printed !== '') process.stdout.write(printed);
  if (!isJson && errorText !== '') process.stderr.write(errorText);
  process.exitCode = result.exitCode;
}

/** A configuration that cannot be used. */
export function badConfig(file: string, problems: readonly ConfigProblem[]): CommandResult {
  const lines = problems.map((problem) => `${formatProblem(file, problem)}\n`);
  const json = { error: 'bad-config', problems };
  return { exitCode: EXIT_CODES.findings, text: '', errorText: lines.join(''), json };
}

/** A command that did not come to its end; `error` is a stable name. */
export function failed(error: string, message: string): CommandResult {
  return {
    exitCode: EXIT_CODES.findings,
    text: '',
    errorText: `${message}\n`,
    json: { error, message },
  };
}
