/** Who stands at the ends of the life lines: a call that tries several callees has several. */

/** The end of the leg of `row` when it was recorded; undefined where none is known. */
export function endAt(row, ends) {
  const own = ends.filter(({ leg }) => leg === row.leg);
  return own.findLast(({ sinceMs }) => sinceMs <= row.atMs) ?? own[0];
}

/** Rows with a note before the first one behind each change: `{ type: 'row', row }` or `{ type: 'end', end }`. */
export function withEnds(rows, ends) {
  const changes = ends.filter((end, index) => {
    const before = ends.slice(0, index).findLast(({ leg }) => leg === end.leg);
    return before !== undefined && before.name !== end.name;
  });
  const entries = [];
  let next = 0;
  for (const row of rows) {
    for (; next < changes.length && changes[next].sinceMs <= row.atMs; next += 1) {
      entries.push({ type: 'end', end: changes[next] });
    }
    entries.push({ type: 'row', row });
  }
  return entries;
}
