/** One account: its feature keys, its phones, and what has been changed. */
import { hrefOf } from './address.js';
import { Badge, PageTitle, Problem, Time } from './components.js';
import { FEATURES, accountWords, featureName, portalHref, valueWords } from './feature-words.js';
import { FeatureState } from './features.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useResource } from './resource.js';
import { Table } from './table.js';

export function FeaturePage({ id }) {
  const path = encodeURIComponent(id);
  const account = useResource(`/features/${path}`);
  const phones = useResource(`/subscriptions?account=${path}`);
  const history = useResource(`/features/${path}/history?limit=50`);
  const name = account.data?.account ?? id;
  useLive(['features'], (event, data) => {
    if (event !== 'refresh' && data.presentity !== name) return;
    void account.reload();
    void phones.reload();
    void history.reload();
  });
  const { data, problem } = account;
  return html`
    <${PageTitle} title=${accountWords(name)}>
      <a class="button" href=${hrefOf('features')}>All accounts</a>
      ${
        data === undefined
          ? null
          : html`<a class="button" href=${portalHref(name)}>Change in the portal</a>`
      }
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${data === undefined ? null : html`<${States} features=${data.features} />`}
    ${data === undefined ? null : html`<${Phones} rows=${phones.data ?? []} />`}
    ${data === undefined ? null : html`<${History} rows=${history.data ?? []} />`}
  `;
}

function States({ features }) {
  return html`<${Table}
    label="Features"
    columns=${STATE_COLUMNS}
    rows=${FEATURES.map(([feature]) => ({ feature, ...features[feature] }))}
    keyOf=${({ feature }) => feature}
    empty=""
  />`;
}

const STATE_COLUMNS = [
  { title: 'Feature', cell: ({ feature }) => featureName(feature), kind: 'main' },
  { title: 'State', cell: (state) => html`<${FeatureState} state=${state} />` },
  {
    title: 'Last change',
    cell: ({ lastChange, updatedAt }) => html`<${LastChange} ...${{ lastChange, updatedAt }} />`,
  },
];

function LastChange({ lastChange, updatedAt }) {
  if (lastChange === undefined) return updatedAt ? html`<${Time} at=${updatedAt} />` : '–';
  const { at, source, actor } = lastChange;
  return html`<span><${Time} at=${at} /> <span class="quiet">${source}, ${actor}</span></span>`;
}

function Phones({ rows }) {
  return html`<h2 class="gap">Phones</h2>
    <${Table}
      label="Phones"
      columns=${PHONE_COLUMNS}
      rows=${rows}
      keyOf=${({ id }) => id}
      empty="No phone of this account has subscribed."
    />`;
}

const PHONE_COLUMNS = [
  { title: 'Phone', cell: ({ userAgent }) => (userAgent === '' ? '–' : userAgent), kind: 'main' },
  { title: 'Address', cell: ({ remote, transport }) => `${remote}/${transport}` },
  {
    title: 'To be told',
    cell: ({ due }) => (due.length === 0 ? 'up to date' : due.map(featureName).join(', ')),
  },
];

const OUTCOMES = { applied: 'good', refused: 'warn', failed: 'bad' };

function History({ rows }) {
  return html`<h2 class="gap">Changes</h2>
    <${Table}
      label="Changes"
      columns=${HISTORY_COLUMNS}
      rows=${rows}
      keyOf=${({ id }) => id}
      empty="Nothing has been changed yet."
    />`;
}

const HISTORY_COLUMNS = [
  { title: 'Time', cell: ({ at }) => html`<${Time} at=${at} />`, kind: 'nowrap' },
  { title: 'Feature', cell: ({ feature }) => featureName(feature) },
  { title: 'Change', cell: (row) => `${valueWords(row.old)} ⇒ ${valueWords(row.new)}` },
  {
    title: 'Outcome',
    cell: ({ outcome, reason }) =>
      html`<span
        ><${Badge} tone=${OUTCOMES[outcome]}>${outcome}<//>
        ${reason === undefined ? null : html` <span class="quiet">${reason}</span>`}</span
      >`,
  },
  { title: 'By', cell: ({ source, actor }) => `${source}, ${actor}` },
];
