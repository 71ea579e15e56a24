/** What became of the lines of a text: kept, gone or new. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** Lines of `after` and those of `before` that are gone, in order; the longest common row of lines is kept. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const common = commonLengths(before, after);
  const lines: DiffLine[] = [];
  let left = 0;
  let right = 0;
  while (left < before.length || right < after.length) {
    const old = before[left];
    const fresh = after[right];
    if (old !== undefined && old === fresh) {
      lines.push({ mark: ' ', line: old });
      left += 1;
      right += 1;
    } else if (
      old !== undefined &&
      lengthAt(common, left + 1, right) >= lengthAt(common, left, right + 1)
    ) {
      lines.push({ mark: '-', line: old });
      left += 1;
    } else if (fresh !== undefined) {
      lines.push({ mark: '+', line: fresh });
      right += 1;
    } else {
      lines.push({ mark: '-', line: old ?? '' });
      left += 1;
    }
  }
  return lines;
}

/** For each pair of places how long the longest common row behind it is. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = before.map(() => after.map(() => 0));
  for (let left = before.length - 1; left >= 0; left -= 1) {
    for (let right = after.length - 1; right >= 0; right -= 1) {
      const row = lengths[left];
      if (row === undefined) continue;
      row[right] =
        before[left] === after[right]
          ? lengthAt(lengths, left + 1, right + 1) + 1
          : Math.max(lengthAt(lengths, left + 1, right), lengthAt(lengths, left, right + 1));
    }
  }
  return lengths;
}

function lengthAt(lengths: readonly (readonly number[])[], left: number, right: number): number {
  return lengths[left]?.[right] ?? 0;
}
