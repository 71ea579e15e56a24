/** What is wrong with a file, and what the linter says about it: each with its line. */
import { Badge } from './components.js';
import { html } from './html.js';

export function Problems({ problems }) {
  return html`<ol class="problems">
    ${problems.map(
      ({ line, column, path, message, suggestion }, index) =>
        html`<li key=${index}>
          <${Place} line=${line} column=${column} />
          <span>
            ${path === '' ? null : html`<b class="mono">${path}</b> `}${message}${
              suggestion === undefined ? null : html` <span class="quiet">${suggestion}</span>`
            }
          </span>
        </li>`,
    )}
  </ol>`;
}

const TONES = { error: 'bad', warning: 'warn', info: 'none' };

export function Findings({ findings }) {
  return html`<ol class="problems">
    ${findings.map(
      ({ line, column, code, severity, message, explanation }, index) =>
        html`<li key=${index}>
          <${Place} line=${line} column=${column} />
          <span>
            <${Badge} tone=${TONES[severity]}>${severity}<//>${' '}
            <span class="mono quiet">${code}</span> ${message}
            <p class="quiet">${explanation}</p>
          </span>
        </li>`,
    )}
  </ol>`;
}

function Place({ line, column }) {
  if (line === undefined) return html`<span class="quiet">not in the file</span>`;
  return html`<span class="mono place"
    >line ${line}${column === undefined ? '' : `:${column}`}</span
  >`;
}
