/** What a long command is doing, in one line of standard error that is written again and again. */
import type { Command } from 'commander';
import { globalOptions } from './output.ts';
import { type Terminal, terminalOf } from './terminal.ts';
import { cutText } from './text-width.ts';

const CLEAR = '\r\u001B[2K';
const USUAL_COLUMNS = 80;

/** The stream that progress is written to. */
export interface ProgressOutput {
  write(text: string): unknown;
}

export class Progress {
  readonly #output: ProgressOutput;
  readonly #terminal: Terminal;
  #isShown = false;

  /** Says nothing unless `terminal` is one. */
  constructor(output: ProgressOutput, terminal: Terminal) {
    this.#output = output;
    this.#terminal = terminal;
  }

  /** Takes the place of what was shown before. */
  show(text: string): void {
    if (!this.#terminal.isTerminal) return;
    const columns = (this.#terminal.columns ?? USUAL_COLUMNS) - 1;
    this.#output.write(CLEAR + cutText(text.replaceAll(/\p{Cc}/gu, '·'), columns));
    this.#isShown = true;
  }

  /** Leaves the line as it was before; to be called before anything else is printed. */
  end(): void {
    if (this.#isShown) this.#output.write(CLEAR);
    this.#isShown = false;
  }
}

/** Progress for a person who waits; none for --json, for files and for other programs. */
export function progressOf(command: Command): Progress {
  const terminal = terminalOf(process.stderr);
  const isQuiet = globalOptions(command).json === true;
  return new Progress(process.stderr, { ...terminal, isTerminal: terminal.isTerminal && !isQuiet });
}
