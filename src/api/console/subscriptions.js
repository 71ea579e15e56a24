/** KPML subscriptions inside calls, and those of phones to feature keys. */
import { useMemo, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { Badge, Filter, PageTitle, Problem, Time, useNow } from './components.js';
import { accountWords } from './feature-words.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { usePolled } from './polled.js';
import { Table } from './table.js';
import { durationWords } from './words.js';

const POLL_MS = 2_000;
const LIMIT = 500;
const MS_PER_SECOND = 1_000;

export function SubscriptionsPage() {
  const [filter, setFilter] = useState('');
  const kpml = usePolled(`/subscriptions?event=kpml&limit=${LIMIT}`, POLL_MS);
  const features = usePolled(`/subscriptions?event=as-feature-event&limit=${LIMIT}`, POLL_MS);
  useLive(['features'], (name) => {
    if (name === 'refresh') void kpml.reload();
    if (name === 'refresh' || /^feature-(?:un)?subscribed$/.test(name)) void features.reload();
  });
  const problem = kpml.problem ?? features.problem;
  const wanted = filter.trim().toLowerCase();
  const isFiltered = wanted !== '';
  const calls = useShown(kpml.data, wanted);
  const phones = useShown(features.data, wanted);
  const isRead = calls !== undefined && phones !== undefined;
  return html`
    <${PageTitle}
      title="Subscriptions"
      count=${isRead ? calls.rows.length + phones.rows.length : undefined}
    >
      <${Filter} value=${filter} onInput=${setFilter} label="Filter subscriptions" />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${
      isRead
        ? html`
            <h2>KPML in calls</h2>
            <${KpmlTable} ...${{ ...calls, isFiltered }} />
            <${Cut} all=${kpml.data} />
            <h2 class="gap">Feature keys of phones</h2>
            <${FeatureTable} ...${{ ...phones, isFiltered }} />
            <${Cut} all=${features.data} />
          `
        : null
    }
  `;
}

/** Expiry counts down from the moment at which it was read. */
function useShown(data, wanted) {
  const readMs = useMemo(() => Date.now(), [data]);
  if (data === undefined) return undefined;
  return { rows: data.filter((each) => textOf(each).includes(wanted)), readMs };
}

function Cut({ all }) {
  if (all.length < LIMIT) return null;
  return html`<p class="note">Only the first ${LIMIT} are listed.</p>`;
}

function textOf(each) {
  return Object.values(each).join(' ').toLowerCase();
}

const NO_MATCH = 'No subscription matches the filter.';

function KpmlTable({ rows, readMs, isFiltered }) {
  const columns = [...KPML_COLUMNS, expiryColumn(readMs)];
  return html`<${Table}
    label="KPML subscriptions"
    columns=${columns}
    rows=${rows}
    keyOf=${({ callId, leg, role, kind, eventId }) => [callId, leg, role, kind, eventId].join(' ')}
    hrefOf=${({ callId }) => hrefOf('calls', callId)}
    empty=${isFiltered ? NO_MATCH : 'No call has a KPML subscription now.'}
  />`;
}

function FeatureTable({ rows, readMs, isFiltered }) {
  const columns = [...FEATURE_COLUMNS, expiryColumn(readMs)];
  return html`<${Table}
    label="Feature key subscriptions"
    columns=${columns}
    rows=${rows}
    keyOf=${({ id }) => id}
    hrefOf=${({ account }) => hrefOf('features', accountWords(account))}
    empty=${isFiltered ? NO_MATCH : 'No phone has subscribed to feature keys.'}
  />`;
}

const TONES = { active: 'good', refreshing: 'good', failed: 'bad', ended: 'none' };

function State({ state }) {
  return html`<${Badge} tone=${TONES[state] ?? 'busy'}>${state}<//>`;
}

function Expiry({ seconds, readMs }) {
  const nowMs = useNow();
  if (seconds === undefined) return '–';
  return durationWords(seconds * MS_PER_SECOND - Math.max(0, nowMs - readMs));
}

function expiryColumn(readMs) {
  return {
    title: 'Expires in',
    cell: ({ expiresInSeconds }) => html`<${Expiry} ...${{ seconds: expiresInSeconds, readMs }} />`,
    isNumeric: true,
  };
}

const KPML_COLUMNS = [
  { title: 'Call', cell: ({ callId }) => html`<span class="mono">${callId}</span>` },
  { title: 'Leg', cell: ({ leg }) => leg },
  {
    title: 'Who asks',
    cell: ({ role }) => (role === 'notifier' ? 'the peer, we notify' : 'we, the peer notifies'),
  },
  {
    title: 'Dialog',
    cell: ({ kind }) => (kind === 'separate' ? 'of its own' : 'of the call'),
  },
  { title: 'Event id', cell: ({ eventId }) => (eventId === '' ? '–' : eventId) },
  { title: 'State', cell: ({ state }) => html`<${State} state=${state} />` },
];

function LastNotify({ notify }) {
  if (notify === undefined) return '–';
  const isGood = notify.status !== undefined && notify.status < 300;
  const words = notify.status === undefined ? 'not answered yet' : String(notify.status);
  return html`<span
    ><${Time} at=${notify.at} /> <span class=${isGood ? 'quiet' : 'bad'}>${words}</span></span
  >`;
}

const FEATURE_COLUMNS = [
  { title: 'Account', cell: ({ account }) => accountWords(account), kind: 'main' },
  { title: 'Phone', cell: ({ userAgent }) => (userAgent === '' ? '–' : userAgent) },
  { title: 'Address', cell: ({ remote, transport }) => `${remote}/${transport}` },
  {
    title: 'Last NOTIFY',
    cell: ({ lastNotify }) => html`<${LastNotify} notify=${lastNotify} />`,
  },
  { title: 'To be told', cell: ({ due }) => (due.length === 0 ? '–' : due.join(', ')) },
];
