/** Live calls and those that ended a while ago. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { Duration } from './call-head.js';
import { interworkingWords, isUp, stateOf } from './call-words.js';
import { Badge, Choice, Filter, PageTitle, Problem, Time } from './components.js';
import { EndButton } from './end-call.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useResource } from './resource.js';
import { Table } from './table.js';
import { visibleText } from './words.js';

const LIMIT = 200;
/** Several events in a row are one reading of the list; one that is long costs the SBC more. */
const RELOAD_MS = 400;
const LONG_RELOAD_MS = 2_000;
const STATES = [
  ['active', 'Active'],
  ['ended', 'Ended'],
];

export function CallsPage({ params }) {
  const [state, setState] = useState(params.get('state') === 'ended' ? 'ended' : 'active');
  const [filter, setFilter] = useState(params.get('filter') ?? '');
  const { data, problem, isCut } = useCalls(state, filter.trim());
  const calls = useMemo(() => matching(data ?? [], filter), [data, filter]);
  const choose = (chosen) => {
    setState(chosen);
    const kept = chosen === 'active' ? {} : { state: chosen };
    history.replaceState(null, '', hrefOf('calls', undefined, kept));
  };
  return html`
    <${PageTitle} title="Calls" count=${data === undefined ? undefined : calls.length}>
      <${Choice} label="Which calls" options=${STATES} value=${state} onChange=${choose} />
      <${Filter} value=${filter} onInput=${setFilter} label="Filter calls" />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${data === undefined ? null : html`<${CallTable} ...${{ calls, state, filter }} />`}
    ${
      isCut
        ? html`<p class="foot quiet">
            There are more calls than the ${LIMIT} shown. A filter by number looks through all of
            them.
          </p>`
        : null
    }
  `;
}

/** The list, kept true by events; what they do not bring is read anew. Where it is cut, the SBC looks for the number. */
function useCalls(state, filter) {
  const [number, setNumber] = useState('');
  const query = new URLSearchParams({ state, limit: String(LIMIT), ...(number && { number }) });
  const list = useResource(`/calls?${query}`);
  const [isStale, setStale] = useState(false);
  const isCut = (list.data?.length ?? 0) >= LIMIT;
  useLive(['calls'], (name, data) => {
    if (name === 'refresh') void list.reload();
    else if (name !== 'calls') return;
    else if (state === 'ended' || data.isPartial || number !== '') setStale(true);
    else list.change((calls) => merged(calls, data));
  });
  useEffect(() => {
    if (!isStale) return undefined;
    const timer = setTimeout(
      () => {
        setStale(false);
        void list.reload();
      },
      isCut ? LONG_RELOAD_MS : RELOAD_MS,
    );
    return () => clearTimeout(timer);
  }, [isStale]);
  useEffect(() => {
    // A list that is whole is filtered here.
    if (number === filter || (!isCut && number === '')) return undefined;
    const timer = setTimeout(() => setNumber(filter), RELOAD_MS);
    return () => clearTimeout(timer);
  }, [filter, isCut, number]);
  return { ...list, isCut };
}

/** Calls keep their order, new ones come last; one that is over and still being cleared away is gone. */
function merged(calls, { changed, ended }) {
  const gone = new Set(ended);
  for (const call of changed) if (!isUp(call)) gone.add(call.id);
  const news = new Map(changed.map((call) => [call.id, call]));
  const kept = calls.filter(({ id }) => !gone.has(id)).map((call) => news.get(call.id) ?? call);
  const known = new Set(calls.map(({ id }) => id));
  const added = [...news.values()].filter(({ id }) => !known.has(id) && !gone.has(id));
  return [...kept, ...added].slice(0, LIMIT);
}

function matching(calls, filter) {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return calls;
  return calls.filter((call) => textOf(call).includes(wanted));
}

function textOf({ id, state, from, to, legs, end }) {
  const { caller, callee } = legs;
  const parts = [id, state, from, to, end?.text, end?.code];
  for (const leg of [caller, callee])
    parts.push(leg?.agent, leg?.interface, leg?.realm, leg?.remote);
  return parts.join(' ').toLowerCase();
}

function CallTable({ calls, state, filter }) {
  const columns = state === 'active' ? ACTIVE_COLUMNS : ENDED_COLUMNS;
  const words = state === 'active' ? 'No call is up.' : 'No call has ended yet.';
  return html`<${Table}
    label=${state === 'active' ? 'Active calls' : 'Ended calls'}
    columns=${columns}
    rows=${calls}
    keyOf=${({ id }) => id}
    hrefOf=${({ id }) => hrefOf('calls', id)}
    empty=${filter.trim() === '' ? words : 'No call matches the filter.'}
  />`;
}

function State({ call }) {
  const { words, tone } = stateOf(call);
  return html`<${Badge} tone=${tone}>${words}<//>`;
}

function nameOf(leg) {
  return leg?.agent ?? leg?.interface ?? '–';
}

function Agents({ legs }) {
  return html`<span class="pair"
    ><span>${nameOf(legs.caller)}</span><span>${nameOf(legs.callee)}</span></span
  >`;
}

function Digits({ digits }) {
  const { delivered, dropped, pending } = digits;
  const lost = dropped === 0 ? null : html` <span class="bad">${dropped} dropped</span>`;
  const open = pending === 0 ? null : html` <span class="quiet">${pending} pending</span>`;
  return html`<span>${delivered}${lost}${open}</span>`;
}

const FROM = { title: 'From', cell: (call) => visibleText(call.from || '–'), kind: 'main' };
const TO = { title: 'To', cell: (call) => visibleText(call.to || '–'), kind: 'main' };
const STATE = { title: 'State', cell: (call) => html`<${State} call=${call} />` };
const AGENTS = { title: 'Agents', cell: (call) => html`<${Agents} legs=${call.legs} />` };
const DURATION = {
  title: 'Duration',
  cell: (call) => html`<${Duration} call=${call} />`,
  isNumeric: true,
};
const DIGITS = { title: 'Digits', cell: (call) => html`<${Digits} digits=${call.digits} />` };
const WAYS = {
  title: 'Interworking',
  cell: ({ plan }) => (plan === undefined ? '–' : interworkingWords(plan)),
  kind: 'nowrap',
};
const END = { title: 'End', cell: (call) => html`<${EndButton} call=${call} />`, kind: 'tools' };
const WHY = {
  title: 'Ended by',
  cell: ({ end }) => (end === undefined ? '–' : `${end.side}: ${end.text}`),
};
const STARTED = { title: 'Started', cell: (call) => html`<${Time} at=${call.startedAt} />` };

const ACTIVE_COLUMNS = [FROM, TO, STATE, AGENTS, DURATION, DIGITS, WAYS, END];
const ENDED_COLUMNS = [FROM, TO, STATE, AGENTS, STARTED, DURATION, DIGITS, WAYS, WHY];
