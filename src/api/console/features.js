/** Accounts with feature keys: how each stands, and its phones. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { read } from './client.js';
import { Badge, Filter, PageTitle, Problem } from './components.js';
import { FEATURES, accountWords, portalHref, targetWords } from './feature-words.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { usePolled } from './polled.js';
import { Table } from './table.js';
import { countWords } from './words.js';

const POLL_MS = 30_000;
/** Of so many accounts the state is read; the others are a click away. */
const READ_LIMIT = 50;

export function FeaturesPage() {
  const [filter, setFilter] = useState('');
  const list = usePolled('/features', POLL_MS);
  const { data, problem } = list;
  const accounts = useMemo(() => matching(data?.accounts ?? [], filter), [data, filter]);
  const states = useStates(accounts);
  useLive(['features'], (name, event) => {
    if (name === 'refresh') {
      void list.reload();
      states.forget();
    } else if (event.presentity !== undefined) {
      if (name.endsWith('subscribed')) void list.reload();
      else states.forget(event.presentity);
    }
  });
  const isOff = data?.isServed === false;
  return html`
    <${PageTitle}
      title="Features"
      count=${data === undefined || isOff ? undefined : accounts.length}
    >
      ${
        isOff
          ? null
          : html`<${OpenAccount} />
              <${Filter} value=${filter} onInput=${setFilter} label="Filter accounts" />`
      }
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${isOff ? html`<${HowToEnable} />` : null}
    ${
      data === undefined || isOff
        ? null
        : html`<${AccountTable} ...${{ accounts, known: states.known, filter }} />`
    }
    ${data?.hasMore ? html`<p class="note">There are more accounts than are listed.</p>` : null}
  `;
}

function matching(accounts, filter) {
  const wanted = filter.trim().toLowerCase();
  return accounts.filter(({ account }) => account.toLowerCase().includes(wanted));
}

/** What is known of each account; each is read once, and again when an event tells of it. */
function useStates(accounts) {
  const [known, setKnown] = useState(new Map());
  const wanted = accounts.slice(0, READ_LIMIT).find(({ account }) => !known.has(account))?.account;
  useEffect(() => {
    if (wanted === undefined) return undefined;
    let isGone = false;
    const learn = async () => {
      const state = await readState(wanted);
      if (!isGone) setKnown((before) => new Map([...before, [wanted, state]]));
    };
    void learn();
    return () => {
      isGone = true;
    };
  }, [wanted, known]);
  const forget = (account) => {
    setKnown((before) =>
      account === undefined ? new Map() : new Map([...before].filter(([key]) => key !== account)),
    );
  };
  return { known, forget };
}

/** `undefined` for an account that cannot be read. */
async function readState(account) {
  const { status, data } = await read(`/features/${encodeURIComponent(account)}`);
  return status === 200 ? data.features : undefined;
}

function AccountTable({ accounts, known, filter }) {
  const columns = [
    { title: 'Account', cell: ({ account }) => accountWords(account), kind: 'main' },
    ...FEATURES.map(([feature, title]) => ({
      title,
      cell: ({ account }) => html`<${FeatureState} state=${known.get(account)?.[feature]} />`,
    })),
    {
      title: 'Phones',
      cell: ({ phones }) => countWords(phones, 'phone'),
      isNumeric: true,
    },
    {
      title: 'Change',
      cell: ({ account }) => html`<span><a href=${portalHref(account)}>Portal</a></span>`,
      kind: 'tools',
    },
  ];
  return html`<${Table}
    label="Accounts"
    columns=${columns}
    rows=${accounts}
    keyOf=${({ account }) => account}
    hrefOf=${({ account }) => hrefOf('features', accountWords(account))}
    empty=${
      filter.trim() === ''
        ? 'No account is known yet: none stands under feature-keys.users, and no phone has subscribed.'
        : 'No account matches the filter.'
    }
  />`;
}

export function FeatureState({ state }) {
  if (state === undefined) return html`<span class="quiet">–</span>`;
  if (state.assigned === false) return html`<span class="quiet">not assigned</span>`;
  const { status, locked } = state;
  const target = targetWords(state);
  return html`<span>
    <${Badge} tone=${status ? 'busy' : 'none'}>${status ? 'on' : 'off'}<//>
    ${target === '' ? null : ` ${target}`}
    ${locked === true ? html` <span class="quiet">locked</span>` : null}
  </span>`;
}

/** Any account can be opened, known or not. */
function OpenAccount() {
  const [name, setName] = useState('');
  const submit = (event) => {
    event.preventDefault();
    if (name.trim() !== '') location.hash = hrefOf('features', name.trim());
  };
  return html`<form class="inline" onSubmit=${submit}>
    <input
      aria-label="Account"
      placeholder="user@domain"
      autocapitalize="none"
      spellcheck=${false}
      value=${name}
      onInput=${(event) => setName(event.currentTarget.value)}
    />
    <button type="submit">Open</button>
  </form>`;
}

const EXAMPLE = `feature-keys:
  enabled: true
  provider: { kind: sqlite, file: data/features.db }
  domains: { pbx.example: [] }`;

function HowToEnable() {
  return html`<section class="card pad">
    <h2>Feature keys are not served</h2>
    <p>
      Do not disturb and call forwarding have one state on every phone, in the portal and here, once
      the configuration says so:
    </p>
    <pre class="code">${EXAMPLE}</pre>
    <p>
      Then reload the configuration on the <a href=${hrefOf('status')}>status page</a>; calls go on.
    </p>
  </section>`;
}
