/** The digit ledger of all calls, newest first. */
import { useMemo, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { Badge, Choice, Filter, PageTitle, Problem, Time } from './components.js';
import { DIRECTIONS, dropWords, fateOf, outputWords, sourceWords } from './digit-words.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useSoon } from './polled.js';
import { useResource } from './resource.js';
import { Table } from './table.js';
import { countWords, millisecondWords } from './words.js';

/** Kept for the filter. */
const LIMIT = 500;
/** More rows than anybody reads make the page slow while many digits come. */
const SHOWN = 150;
/** More digits than fit into events are read at this pace. */
const RELOAD_MS = 2_000;

const FATES = [
  ['all', 'All'],
  ['dropped', 'Dropped'],
];
const WAYS = [
  ['all', 'Both ways'],
  ['caller-to-callee', 'To callee'],
  ['callee-to-caller', 'To caller'],
];

export function DigitsPage({ params }) {
  const call = params.get('call') ?? undefined;
  const [fate, setFate] = useState(params.get('dropped') === 'true' ? 'dropped' : 'all');
  const [direction, setDirection] = useState('all');
  const [filter, setFilter] = useState('');
  const { data, problem } = useLedger({ call, isDropped: fate === 'dropped' });
  const records = useMemo(
    () =>
      (data ?? []).filter((record) => isShown(record, { fate, direction, filter })).toReversed(),
    [data, fate, direction, filter],
  );
  const isFiltered = filter.trim() !== '' || fate !== 'all' || direction !== 'all';
  return html`
    <${PageTitle} title="Digits" count=${data === undefined ? undefined : records.length}>
      <${Choice} label="Which digits" options=${FATES} value=${fate} onChange=${setFate} />
      <${Choice} label="Direction" options=${WAYS} value=${direction} onChange=${setDirection} />
      <${Filter} value=${filter} onInput=${setFilter} label="Filter digits" />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${call === undefined ? null : html`<${OneCall} call=${call} />`}
    <${Losses} records=${records} />
    ${data === undefined ? null : html`<${DigitTable} ...${{ records, isFiltered }} />`}
    ${
      records.length > SHOWN
        ? html`<p class="note">
            The newest ${SHOWN} are shown; the filter looks through ${LIMIT}.
          </p>`
        : null
    }
  `;
}

/** The newest records, oldest first, kept true by events. */
function useLedger({ call, isDropped }) {
  const query = new URLSearchParams({
    limit: String(LIMIT),
    ...(call === undefined ? {} : { call }),
    ...(isDropped ? { dropped: 'true' } : {}),
  });
  const ledger = useResource(`/digits?${query}`);
  const reloadSoon = useSoon(ledger.reload, RELOAD_MS);
  useLive(['digits'], (name, data) => {
    if (name === 'refresh') void ledger.reload();
    if (name !== 'digits') return;
    if (data.isPartial) reloadSoon();
    const own = data.records.filter(
      ({ callId, dropped }) =>
        (call === undefined || callId === call) && (!isDropped || dropped !== undefined),
    );
    if (own.length > 0) ledger.change((records) => merged(records, own));
  });
  return ledger;
}

function merged(records, changed) {
  const news = new Map(changed.map((record) => [record.pressId, record]));
  const kept = records.map((record) => {
    const newer = news.get(record.pressId);
    news.delete(record.pressId);
    return newer ?? record;
  });
  return [...kept, ...news.values()].slice(-LIMIT);
}

function isShown(record, { fate, direction, filter }) {
  if (fate === 'dropped' && record.dropped === undefined) return false;
  if (direction !== 'all' && record.direction !== direction) return false;
  const wanted = filter.trim().toLowerCase();
  return wanted === '' || textOf(record).includes(wanted);
}

function textOf({ callId, digit, source, outputs, dropped }) {
  const ways = [sourceWords(source), ...outputs.map((output) => outputWords(output))];
  const loss = dropped === undefined ? [] : [dropped, dropWords(dropped).what];
  return [callId, digit, ...ways, ...loss].join(' ').toLowerCase();
}

function OneCall({ call }) {
  return html`<p class="note">
    Digits of <a href=${hrefOf('calls', call)}>one call</a>.${' '}
    <a href=${hrefOf('digits')}>Show those of all calls</a>
  </p>`;
}

/** Every reason among the records, the most frequent first, with what helps against it. */
function Losses({ records }) {
  const counts = new Map();
  for (const { dropped } of records) {
    if (dropped !== undefined) counts.set(dropped, (counts.get(dropped) ?? 0) + 1);
  }
  if (counts.size === 0) return null;
  const sorted = [...counts].toSorted((one, other) => other[1] - one[1]);
  return html`<section class="card pad losses" aria-label="Why digits were dropped">
    <h2>Why digits were dropped</h2>
    <dl>
      ${sorted.map(([reason, count]) => {
        const { what, help } = dropWords(reason);
        return html`<div key=${reason}>
          <dt>
            <${Badge} tone="bad">${reason}<//>
            <span class="quiet">${countWords(count, 'digit')}</span>
          </dt>
          <dd>${what} <span class="quiet">${help}</span></dd>
        </div>`;
      })}
    </dl>
  </section>`;
}

function DigitTable({ records, isFiltered }) {
  return html`<${Table}
    label="Digit ledger"
    columns=${COLUMNS}
    rows=${records.slice(0, SHOWN)}
    keyOf=${({ pressId }) => pressId}
    hrefOf=${({ callId }) => hrefOf('calls', callId)}
    empty=${isFiltered ? 'No digit matches the filter.' : 'No key has been pressed yet.'}
  />`;
}

function Outputs({ outputs }) {
  if (outputs.length === 0) return '–';
  return html`<ul class="plain-list">
    ${outputs.map((output, index) => html`<li key=${index}>${outputWords(output)}</li>`)}
  </ul>`;
}

function Latencies({ outputs }) {
  const known = outputs.filter(({ latencyMs }) => latencyMs !== undefined);
  if (known.length === 0) return '–';
  return html`<ul class="plain-list">
    ${known.map(
      ({ latencyMs }, index) => html`<li key=${index}>${millisecondWords(latencyMs)}</li>`,
    )}
  </ul>`;
}

const TONES = { delivered: 'good', dropped: 'bad', pending: 'busy' };

/** A hairpin may deliver a digit in one way and lose it in another. */
function Fate({ record }) {
  const fate = fateOf(record);
  const { dropped } = record;
  return html`<span>
    <${Badge} tone=${TONES[fate]}>${fate}<//>
    ${
      dropped === undefined
        ? null
        : html` <span class=${fate === 'delivered' ? 'quiet' : ''}
            >${fate === 'delivered' ? 'one output dropped: ' : ''}${dropWords(dropped).what}</span
          >`
    }
  </span>`;
}

const COLUMNS = [
  { title: 'Time', cell: ({ atMs }) => html`<${Time} at=${atMs} />`, kind: 'nowrap' },
  { title: 'Digit', cell: ({ digit }) => html`<b class="mono">${digit}</b>` },
  { title: 'Direction', cell: ({ direction }) => DIRECTIONS[direction], kind: 'nowrap' },
  { title: 'Came as', cell: ({ source }) => sourceWords(source) },
  { title: 'Went as', cell: ({ outputs }) => html`<${Outputs} outputs=${outputs} />` },
  {
    title: 'Sent after',
    cell: ({ outputs }) => html`<${Latencies} outputs=${outputs} />`,
    isNumeric: true,
  },
  { title: 'Outcome', cell: (record) => html`<${Fate} record=${record} />` },
  {
    title: 'Call',
    cell: ({ callId }) => html`<a href=${hrefOf('calls', callId)} class="mono">${callId}</a>`,
    kind: 'nowrap',
  },
];
