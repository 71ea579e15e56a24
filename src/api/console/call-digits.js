/** The digits of one call, oldest first: where each came from, where it went, how long that took, or why it was lost. */
import { hrefOf } from './address.js';
import { Badge, Problem, Time } from './components.js';
import { DIRECTIONS, dropWords, fateOf, outputSteps, sourceWords } from './digit-words.js';
import { useFollowing } from './follow.js';
import { html } from './html.js';
import { Table } from './table.js';

const TONES = { delivered: 'good', dropped: 'bad', pending: 'busy' };

export function CallDigits({ call, reads }) {
  const { data, problem } = useFollowing(`/digits?call=${encodeURIComponent(call.id)}`, reads);
  return html`
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${
      data === undefined
        ? null
        : html`<${Table}
            label="Digits of this call"
            columns=${COLUMNS}
            rows=${data}
            keyOf=${({ pressId }) => pressId}
            empty="No key has been pressed in this call."
          />`
    }
    <p class="foot quiet">
      <a href=${hrefOf('digits', undefined, { call: call.id })}>These in the ledger of all calls</a>
    </p>
  `;
}

function Outputs({ outputs }) {
  if (outputs.length === 0) return '–';
  return html`<ul class="outputs">
    ${outputs.map((output, index) => html`<li key=${index}>${outputSteps(output)}</li>`)}
  </ul>`;
}

/** A digit may arrive in one way and be lost in another. */
function Outcome({ record }) {
  const fate = fateOf(record);
  const { dropped } = record;
  if (dropped === undefined) return html`<${Badge} tone=${TONES[fate]}>${fate}<//>`;
  const { what, help } = dropWords(dropped);
  return html`<span
    ><${Badge} tone=${TONES[fate]}>${fate}<//> ${what} <span class="quiet">${help}</span></span
  >`;
}

const COLUMNS = [
  { title: 'Time', cell: ({ atMs }) => html`<${Time} at=${atMs} withMs />`, kind: 'nowrap' },
  { title: 'Digit', cell: ({ digit }) => html`<b class="mono">${digit}</b>` },
  { title: 'Direction', cell: ({ direction }) => DIRECTIONS[direction], kind: 'nowrap' },
  { title: 'Came as', cell: ({ source }) => sourceWords(source), kind: 'nowrap' },
  {
    title: 'Went as',
    cell: ({ outputs }) => html`<${Outputs} outputs=${outputs} />`,
    kind: 'nowrap',
  },
  { title: 'Outcome', cell: (record) => html`<${Outcome} record=${record} />`, kind: 'wide' },
];
