/** Finds what the writer probably meant. */

/** Number of inserted, deleted, replaced or swapped neighbouring characters between two words. */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let distance = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && isSwap) {
        distance = Math.min(distance, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** One slip of the pen for so many letters, at most. */
const LETTERS_PER_SLIP = 3;
/** The same of names, which are few in a file. */
export const LETTERS_PER_SLIP_IN_NAME = 2.5;

/** The candidate nearest to `word`, unless all are too far to be a slip of the pen. */
export function nearest(
  word: string,
  candidates: readonly string[],
  lettersPerSlip = LETTERS_PER_SLIP,
): string | undefined {
  const wanted = plain(word);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const known = plain(candidate);
    const distance = known === wanted ? 0 : editDistance(wanted, known);
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, known.length) / lettersPerSlip));
    if (distance > limit) continue;
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}

/** So many names are listed where any of them would do. */
const MAX_LISTED = 8;

/** `names` with commas, each once; the last ones give way to an ellipsis when there are many. */
export function listed(names: readonly string[]): string {
  const each = [...new Set(names)];
  const shown = each.slice(0, MAX_LISTED);
  return [...shown, ...(each.length > shown.length ? ['…'] : [])].join(', ');
}

/** Spelling without case and word separators, so that `sip_ports` and `sipPorts` meet `sip-ports`. */
function plain(word: string): string {
  return word.slice(0, 80).toLowerCase().replaceAll(/[-_ ]/g, '');
}
