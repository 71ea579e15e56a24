/** One row of the ladder. */
import { useMemo, useRef } from 'preact/hooks';
import { hrefOf } from './address.js';
import { html } from './html.js';
import { arrowLabel } from './sip-words.js';
import { visibleText } from './words.js';

const MS_PER_SECOND = 1_000;

/** Rows are many and most of them stay as they are: only what has changed is drawn again. */
export function Rung({ row, startMs, isTabStop, isOpen, onOpen, onFocus }) {
  const handlers = useRef({});
  handlers.current = { onOpen, onFocus };
  const { seq, kind, leg, direction, summary, text, atMs } = row;
  return useMemo(() => {
    const offset = ((atMs - startMs) / MS_PER_SECOND).toFixed(3);
    return html`<li class="rung ${kind}">
      <time datetime=${new Date(atMs).toISOString()} title=${new Date(atMs).toISOString()}>
        ${atMs < startMs ? '' : '+'}${offset}
      </time>
      <div class="lanes">
        ${
          kind === 'sip'
            ? html`<${Arrow} ...${{ row, isTabStop, isOpen, handlers }} />`
            : html`<${Box} row=${row} />`
        }
      </div>
    </li>`;
  }, [seq, kind, leg, direction, summary, text, atMs, startMs, isTabStop, isOpen]);
}

/** Right is the way from the caller to the callee. */
function wayOf({ leg, direction }) {
  return (leg === 'caller') === (direction === 'in') ? 'right' : 'left';
}

const WAYS = {
  'caller in': 'from the caller',
  'caller out': 'to the caller',
  'callee in': 'from the callee',
  'callee out': 'to the callee',
};

function Arrow({ row, isTabStop, isOpen, handlers }) {
  const { name, target, body } = arrowLabel(row);
  const isError = /^[4-6]\d\d/.test(name);
  return html`<button
    type="button"
    data-row
    data-seq=${row.seq}
    class="arrow ${row.leg} ${wayOf(row)} ${isError ? 'error' : ''}"
    tabindex=${isTabStop ? 0 : -1}
    aria-expanded=${String(isOpen)}
    aria-controls=${isOpen ? 'message' : undefined}
    title=${visibleText(row.summary)}
    onClick=${() => handlers.current.onOpen(row.seq)}
    onFocus=${() => handlers.current.onFocus(row.seq)}
  >
    <span class="label">
      <b>${visibleText(name)}</b>${' '}
      <span class="target">${visibleText(target)}</span>
      ${body === '' ? null : html`${' '}<span class="body">${body}</span>`}
      <span class="unseen"> ${WAYS[`${row.leg} ${row.direction}`]}</span>
    </span>
  </button>`;
}

const KINDS = { media: 'media', dtmf: 'DTMF', decision: 'decision' };

/** A decision is about both legs, whichever it names. */
function Box({ row: { kind, leg, summary, otherCallId } }) {
  const place = kind === 'decision' ? 'both' : (leg ?? 'both');
  return html`<p class="box ${place}">
    <span class="kind">${KINDS[kind] ?? kind}</span> ${visibleText(summary)}
    ${
      otherCallId === undefined
        ? null
        : html`${' '}<a href=${hrefOf('calls', otherCallId)}>That call</a>`
    }
  </p>`;
}

/** From here on somebody else stands at the end of a leg. */
export function NewEnd({ end: { leg, name, remote, transport } }) {
  return html`<li class="rung end">
    <span></span>
    <div class="lanes">
      <p class="box ${leg}"><b>${leg}</b> ${name}, ${transport}/${remote}</p>
    </div>
  </li>`;
}
