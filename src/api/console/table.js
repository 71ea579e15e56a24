/**
 * A list as a table; on a small screen each row becomes a card. `j` and `k` go through the rows, Enter opens one.
 *
 * A column is `{ title, cell(row), isNumeric?, kind? }`; `kind` is a class for its cells. The first column of a row with
 * an address is its link.
 */
import { useMemo } from 'preact/hooks';
import { Empty } from './components.js';
import { html } from './html.js';

/** @param props `label`, `columns`, `rows`, `keyOf(row)`, `hrefOf?(row)`, `empty` (words for no rows). */
export function Table({ label, columns, rows, keyOf, hrefOf, empty }) {
  if (rows.length === 0) return html`<${Empty}>${empty}<//>`;
  // Roles again, since a table that is drawn as cards would lose its own.
  return html`<div class="table-box">
    <table class="list" role="table" aria-label=${label}>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map(
            ({ title, isNumeric }) =>
              html`<th
                key=${title}
                role="columnheader"
                scope="col"
                class=${isNumeric ? 'number' : ''}
              >
                ${title}
              </th>`,
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((row) => html`<${Row} key=${keyOf(row)} ...${{ row, columns, hrefOf }} />`)}
      </tbody>
    </table>
  </div>`;
}

/** Drawn again only when its row or the columns are others: a cell may show nothing that it was not given by these. */
function Row({ row, columns, hrefOf }) {
  const href = hrefOf?.(row);
  return useMemo(() => drawnRow(row, columns, href), [row, columns, href]);
}

function drawnRow(row, columns, href) {
  const open = (event) => {
    // Links and buttons do what they are for, and marked text is to be copied.
    if (event.target.closest('a, button, input, summary') !== null) return;
    if (String(getSelection()) === '') location.hash = href;
  };
  return html`<tr
    role="row"
    data-row
    tabindex=${href === undefined ? -1 : undefined}
    class=${href === undefined ? '' : 'opens'}
    onClick=${href === undefined ? undefined : open}
  >
    ${columns.map((column, index) => {
      const content = column.cell(row);
      const kind = `${column.isNumeric ? 'number ' : ''}${column.kind ?? ''}`;
      return html`<td key=${column.title} role="cell" class=${kind} data-title=${column.title}>
        ${index === 0 && href !== undefined ? html`<a href=${href}>${content}</a>` : content}
      </td>`;
    })}
  </tr>`;
}
