/** Tables for terminals: aligned whatever characters they hold, cut rather than wrapped where they are too wide. */
import { type Terminal, terminalOf } from './terminal.ts';
import { cutText, textWidth } from './text-width.ts';

const GAP = '  ';
/** Columns get no narrower than this before whole lines are cut. */
const NARROWEST = 6;

/**
 * Columns as wide as their longest cell, two blanks between them, no trailing blanks. On a narrow terminal the widest
 * columns are cut first; the first column, which holds what other commands ask for, last. Only a terminal is narrow:
 * files and other programs get whole lines.
 *
 * @returns one line for the headings and one per row, each ended by a line feed; '' without rows.
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { columns }: Pick<Terminal, 'columns'> = terminalOf(process.stdout),
): string {
  if (rows.length === 0) return '';
  const lines = [headings, ...rows].map((line) =>
    headings.map((_, column) => printable(line[column] ?? '')),
  );
  const natural = headings.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, textWidth(line[column] ?? '')), 0),
  );
  const widths = fitted(natural, columns);
  return lines
    .map((line) => {
      const text = formatLine(line, widths);
      return `${columns === undefined ? text : cutText(text, columns)}\n`;
    })
    .join('');
}

/** `widths` made to fit into `columns`, as far as that goes. */
function fitted(widths: readonly number[], columns: number | undefined): readonly number[] {
  if (columns === undefined) return widths;
  const room = columns - GAP.length * (widths.length - 1);
  const others = widths.slice(1);
  const [first = 0] = widths;
  const limit = limitFor(others, room - first);
  const cut = others.map((width) => Math.min(width, limit));
  const left = room - cut.reduce((sum, width) => sum + width, 0);
  return [Math.min(first, Math.max(left, NARROWEST)), ...cut];
}

/** The greatest width that lets all of `widths` fit into `room` when none is wider. */
function limitFor(widths: readonly number[], room: number): number {
  let limit = Math.max(0, ...widths);
  while (
    limit > NARROWEST &&
    widths.reduce((sum, width) => sum + Math.min(width, limit), 0) > room
  ) {
    limit -= 1;
  }
  return limit;
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      const text = cutText(cell, width);
      return text + ' '.repeat(Math.max(0, width - textWidth(text)));
    })
    .join(GAP)
    .trimEnd();
}

/** Cells may hold what a peer sent: control characters, and those that turn the line around, must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, '·');
}
