/** The frame of the console: navigation, what is wrong with the connection, the page, and what stands above it. */
import { render } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { mayAskForToken } from './client.js';
import { Dialog, Dialogs } from './dialogs.js';
import { html } from './html.js';
import { KEYS, listenForKeys } from './keys.js';
import { connection, retryNow, useLive } from './live.js';
import { usePolled } from './polled.js';
import { pages, useRoute } from './router.js';
import { useStore } from './store.js';
import { countWords } from './words.js';

const STATUS_MS = 5_000;

const CONNECTION_WORDS = {
  connecting: 'connecting',
  live: 'live',
  asking: 'asking',
  lost: 'connection lost',
  refused: 'token required',
};

function App() {
  const route = useRoute();
  const [isHelping, setHelping] = useState(false);
  useEffect(
    () =>
      listenForKeys({
        onPage: (index) => {
          if (pages[index] !== undefined) location.hash = hrefOf(pages[index].name);
        },
        onHelp: () => setHelping(true),
      }),
    [],
  );
  const { page, id, params } = route;
  const place = `${page.name}/${id ?? ''}`;
  const Shown = id !== undefined && page.Detail !== undefined ? page.Detail : page.Page;
  useFocusOnTitle(place);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
    <header>
      <a class="brand" href="#/calls">
        <img src="/console/icon.svg" alt="" width="22" height="22" />Tonebridge
      </a>
      <nav aria-label="Pages">
        ${pages.map(
          ({ name, title }) =>
            html`<a
              key=${name}
              href=${hrefOf(name)}
              aria-current=${name === page.name ? 'page' : undefined}
              >${title}</a
            >`,
        )}
      </nav>
      <${Connection} />
      <button type="button" class="bare" aria-label="Keys" onClick=${() => setHelping(true)}>
        ?
      </button>
    </header>
    <${LostBar} />
    <${DrainBar} />
    <main id="main"><${Shown} key=${place} id=${id} params=${params} /></main>
    ${isHelping ? html`<${Help} onClose=${() => setHelping(false)} />` : null}
    <${Dialogs} />
  `;
}

/** A link to a part of the page would be taken for an address of the console. */
function skip(event) {
  event.preventDefault();
  document.querySelector('main h1')?.focus();
}

/** Another page begins at its title; the page that is opened first leaves the focus alone. */
function useFocusOnTitle(place) {
  const [first] = useState(place);
  const [isFirst, setFirst] = useState(true);
  // Before anything is painted: keys that come behind it go on from there.
  useLayoutEffect(() => {
    if (isFirst && place === first) return;
    setFirst(false);
    scrollTo(0, 0);
    document.querySelector('main h1')?.focus({ preventScroll: true });
  }, [place]);
  // On a small screen the names of the pages are wider than the screen.
  useEffect(() => {
    document
      .querySelector('nav [aria-current]')
      ?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [place]);
}

function Connection() {
  const state = useStore(connection);
  return html`<span class="connection ${state}" role="status">${CONNECTION_WORDS[state]}</span>`;
}

function enterToken() {
  mayAskForToken();
  retryNow();
}

function LostBar() {
  const state = useStore(connection);
  if (state === 'lost') {
    return html`<div class="bar warn" role="alert">
      <span>Connection lost. What is shown may be old.</span>
      <button type="button" onClick=${retryNow}>Try now</button>
    </div>`;
  }
  if (state === 'refused') {
    return html`<div class="bar warn" role="alert">
      <span>The SBC shows nothing without the token.</span>
      <button type="button" onClick=${enterToken}>Enter it</button>
    </div>`;
  }
  if (state !== 'asking') return null;
  return html`<div class="bar" role="status">
    Too many pages listen to the SBC; this one is read anew every few seconds.
  </div>`;
}

function DrainBar() {
  const { data, reload } = usePolled('/status', STATUS_MS);
  // Also on a page that hears nothing: it is this stream that knows whether the SBC is there.
  useLive(['agents'], (name) => name === 'refresh' && void reload());
  if (data?.isDraining !== true) return null;
  return html`<div class="bar" role="status">
    The SBC is draining: it takes no new calls, ${countWords(data.activeCalls, 'call')} still up.
  </div>`;
}

function Help({ onClose }) {
  return html`<${Dialog} label="Keys" onClose=${onClose}>
    <h2>Keys</h2>
    <dl class="keys">
      ${KEYS.map(
        ([key, words]) =>
          html`<div key=${key}>
            <dt><kbd>${key}</kbd></dt>
            <dd>${words}</dd>
          </div>`,
      )}
    </dl>
    <div class="dialog-foot"><button type="button" onClick=${onClose}>Close</button></div>
  <//>`;
}

render(html`<${App} />`, document.getElementById('app'));
