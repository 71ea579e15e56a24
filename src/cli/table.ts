/** Plain tables for terminals. */

/**
 * Columns as wide as their longest cell, two blanks between them, no trailing blanks.
 *
 * @returns one line for the headings and one per row, each ended by a line feed; '' without rows.
 */
export function formatTable(headings: readonly string[], rows: readonly string[][]): string {
  if (rows.length === 0) return '';
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => width(line[column] ?? ''))),
  );
  return lines.map((line) => `${formatLine(line, widths)}\n`).join('');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return widths
    .map((columnWidth, column) => {
      const cell = printable(cells[column] ?? '');
      return cell + ' '.repeat(columnWidth - width(cell));
    })
    .join('  ')
    .trimEnd();
}

/** Cells may hold what a peer sent: control characters must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '·');
}

/** Code points, which is right for all but combined and double-width characters. */
function width(text: string): number {
  return Array.from(text).length;
}
