/** What the other end of standard output or standard error can show. */
import { readEnvironment } from '../config/environment.ts';

export interface Terminal {
  /** A person looks at it; otherwise a file or another program. */
  readonly isTerminal: boolean;
  /** Characters in a line; `undefined` where lines may have any length. */
  readonly columns: number | undefined;
  readonly hasColour: boolean;
}

/** The part of a stream that tells. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * NO_COLOR goes before FORCE_COLOR, which goes before what the terminal is; a dumb one has neither colours nor a line that
 * can be written again.
 */
export function terminalOf(
  { isTTY, columns }: Output,
  env: Readonly<Record<string, string | undefined>> = readEnvironment(),
): Terminal {
  const isDumb = env['TERM'] === 'dumb';
  const isTerminal = isTTY === true;
  return {
    isTerminal: isTerminal && !isDumb,
    columns: isTerminal && columns !== undefined && columns > 0 ? columns : undefined,
    hasColour: hasColour(env, isTerminal && !isDumb),
  };
}

function hasColour(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const forced = env['FORCE_COLOR'];
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (forced === undefined) return isTerminal;
  return forced !== '0' && forced !== 'false';
}

const STYLES = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;
export type Style = keyof typeof STYLES;

/** `text` in `style` where there are colours. */
export function paint(text: string, style: Style, { hasColour: isOn }: Terminal): string {
  return isOn ? `\u001B[${STYLES[style]}m${text}\u001B[0m` : text;
}
