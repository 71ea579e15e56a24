/** Parts that every page uses. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { timeWords } from './words.js';

const SECOND_MS = 1_000;

/** `tone`: good, bad, warn, busy or none. */
export function Badge({ tone = 'none', children }) {
  return html`<span class="badge ${tone}">${children}</span>`;
}

/** Said in place of a list without rows. */
export function Empty({ children }) {
  return html`<p class="empty">${children}</p>`;
}

/** A moment as time of day; the whole date when it is pointed at. `at` is RFC 3339 or ms since 1970. */
export function Time({ at, withMs = false }) {
  if (at === undefined) return '–';
  const date = new Date(at);
  const exact = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  const rest = withMs ? exact.slice(19, 23) : '';
  return html`<time datetime=${exact} title=${exact}>${timeWords(at)}${rest}</time>`;
}

/** Head of a page; takes the focus when the page opens, so that the keyboard and screen readers begin there. */
export function PageTitle({ title, count, children }) {
  useLayoutEffect(() => {
    document.title = `${title} – Tonebridge`;
  }, [title]);
  return html`<div class="page-head">
    <h1 tabindex="-1">
      ${title}${count === undefined ? null : html` <span class="count">${count}</span>`}
    </h1>
    <div class="page-tools">${children}</div>
  </div>`;
}

/** What could not be read, above what was read before. */
export function Problem({ children }) {
  return html`<p class="problem" role="alert">${children}</p>`;
}

/** Names and values below each other: `rows` is `[name, value][]`; rows without value are left out. */
export function Facts({ rows }) {
  const shown = rows.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl class="facts">
    ${shown.map(
      ([name, value]) =>
        html`<div key=${name}>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A field to filter a list; `/` goes to it. */
export function Filter({ value, onInput, label = 'Filter' }) {
  return html`<input
    type="search"
    class="filter"
    data-filter
    aria-label=${label}
    aria-keyshortcuts="/"
    placeholder=${label}
    value=${value}
    onInput=${(event) => onInput(event.currentTarget.value)}
  />`;
}

/** One of several: `options` is `[value, label][]`. */
export function Choice({ label, options, value, onChange }) {
  return html`<div class="choice" role="group" aria-label=${label}>
    ${options.map(
      ([each, words]) =>
        html`<button
          type="button"
          key=${each}
          aria-pressed=${String(each === value)}
          onClick=${() => onChange(each)}
        >
          ${words}
        </button>`,
    )}
  </div>`;
}

const clockListeners = new Set();
let clock;

/** Milliseconds since 1970, anew each second; one clock for all parts of the page. */
export function useNow() {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    clockListeners.add(setNowMs);
    clock ??= setInterval(tick, SECOND_MS);
    return () => {
      clockListeners.delete(setNowMs);
      if (clockListeners.size > 0) return;
      clearInterval(clock);
      clock = undefined;
    };
  }, []);
  return nowMs;
}

function tick() {
  for (const listener of clockListeners) listener(Date.now());
}
