/** The message of an arrow: its headers for reading, its body, and the whole to be copied. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { Choice } from './components.js';
import { copyText } from './download.js';
import { html } from './html.js';
import { messageParts } from './sip-words.js';
import { visibleText } from './words.js';

const SHAPES = [
  ['parts', 'Readable'],
  ['raw', 'As received'],
];

export function MessagePanel({ row, end, onClose }) {
  const [shape, setShape] = useState('parts');
  // Before the message is painted: whoever sees it may press Esc.
  useLayoutEffect(() => {
    const listen = ({ key }) => {
      if (key === 'Escape' && document.querySelector('dialog[open]') === null) onClose();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [onClose]);
  return html`<section id="message" class="card message" aria-label="Message">
    <div class="message-head">
      <span class="quiet">${wayWords(row, end)}</span>
      <button type="button" class="bare" aria-label="Close the message" onClick=${onClose}>
        ✕
      </button>
    </div>
    ${
      row.text === undefined
        ? html`<p><b>${visibleText(row.summary)}</b></p>
            <p class="quiet">
              ${
                row.summary.endsWith('(by the SIP engine)')
                  ? 'The SIP engine has sent this message by itself; its text is not known.'
                  : 'The text of this message is no longer kept.'
              }
            </p>`
        : html`<div class="tools">
              <${Choice}
                label="How to show it"
                options=${SHAPES}
                value=${shape}
                onChange=${setShape}
              />
              <button type="button" onClick=${() => void copyText(row.text)}>Copy</button>
            </div>
            ${
              row.wholeBytes === undefined
                ? null
                : html`<p class="quiet">
                    Cut: the first ${row.text.length} characters of ${row.wholeBytes} octets.
                  </p>`
            }
            ${
              shape === 'raw'
                ? html`<pre tabindex="0">${visibleText(row.text.replaceAll('\r\n', '\n'))}</pre>`
                : html`<${Parts} text=${row.text} />`
            }`
    }
  </section>`;
}

/** `remote` and `transport` stand in a row that took another way than the rest of its leg. */
function wayWords({ leg, direction, atMs, remote, transport }, end) {
  const time = `${new Date(atMs).toISOString().slice(11, 23)} UTC`;
  const way = direction === 'in' ? 'from' : 'to';
  if (end === undefined) return `${time}, ${way} the ${leg}`;
  const peer = remote ?? end.remote;
  const name = end.name === peer ? '' : `${end.name} `;
  return `${time}, ${way} the ${leg} ${name}(${transport ?? end.transport}/${peer})`;
}

function Parts({ text }) {
  const { startLine, headers, body } = messageParts(text);
  return html`
    <p class="start-line">${visibleText(startLine)}</p>
    <dl class="headers">
      ${headers.map(
        ([name, value], index) =>
          html`<div key=${index}>
            <dt>${visibleText(name)}:</dt>
            <dd>${visibleText(value)}</dd>
          </div>`,
      )}
    </dl>
    ${body.trim() === '' ? null : html`<pre tabindex="0">${visibleText(body)}</pre>`}
  `;
}
