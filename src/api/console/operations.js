/** Check, plan, reload and drain, and what the SBC answered to each. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { problemOf, request } from './client.js';
import { confirmed } from './dialogs.js';
import { Findings, Problems } from './findings.js';
import { html } from './html.js';
import { PlanView, verdictOf } from './plan-view.js';
import { countWords } from './words.js';

/** An answer is `{ title, tone, text?, problems?, findings?, plan? }`. */
const CHECK = {
  label: 'Check file',
  path: '/config/check',
  question: undefined,
  answerOf: ({ data }) => {
    const { isValid, problems, findings } = data;
    if (!isValid) return { title: 'The file would be refused', tone: 'bad', problems };
    const isSerious = findings.some(({ severity }) => severity !== 'info');
    if (isSerious) return { title: 'The file is valid, with findings', tone: 'warn', findings };
    const text = 'Nothing was changed by checking it.';
    return { title: 'The file is good', tone: 'good', text, findings };
  },
};

const PLAN = {
  label: 'What would change',
  path: '/config/plan',
  question: undefined,
  answerOf: ({ data }) => ({ ...verdictOf(data), problems: data.problems, plan: data }),
};

const RELOAD = {
  label: 'Reload',
  path: '/config/reload',
  question: {
    title: 'Reload the configuration?',
    text: 'New calls use the file as it is now; running calls keep what they began with. A bad file is refused whole.',
    action: 'Reload',
  },
  answerOf: ({ status, data }) => {
    if (status === 422) {
      const title = 'Refused: the configuration in force stays';
      return { title, tone: 'bad', problems: data.problems };
    }
    const text = data.isChanged
      ? `New calls use configuration ${data.hash}.`
      : 'Nothing in it had changed.';
    return { title: 'Reloaded', tone: 'good', text };
  },
};

const DRAIN = {
  label: 'Drain',
  path: '/drain',
  question: {
    title: 'Drain this SBC?',
    text: 'It takes no new calls from now on, and running calls go on to their end. Only a restart takes new calls again.',
    action: 'Drain',
  },
  answerOf: ({ data }) => ({
    title: 'Draining',
    tone: 'warn',
    text: `No new calls are taken; ${countWords(data.activeCalls, 'call')} still up.`,
  }),
};

const ANSWERED = new Set([200, 202, 422]);

export function Operations({ status, onAnswer }) {
  const [busy, setBusy] = useState(undefined);
  const act = async (operation) => {
    const { question, path, answerOf } = operation;
    if (question !== undefined && !(await confirmed(question))) return;
    setBusy(operation);
    const answer = await request('POST', path);
    setBusy(undefined);
    onAnswer(
      ANSWERED.has(answer.status)
        ? answerOf(answer)
        : { title: 'Not done', tone: 'bad', text: problemOf(answer) },
    );
  };
  const isDraining = status?.isDraining === true;
  return html`${[CHECK, PLAN, RELOAD, DRAIN].map(
    (operation) =>
      html`<button
        type="button"
        key=${operation.label}
        class=${operation === DRAIN ? 'danger' : ''}
        disabled=${busy !== undefined || (operation === DRAIN && isDraining)}
        onClick=${() => void act(operation)}
      >
        ${operation === busy ? `${operation.label} …` : operation.label}
      </button>`,
  )}`;
}

/** Gets the focus when it comes, so that it is read out and the keyboard goes on from it. */
export function Answer({ answer, onClose }) {
  const node = useRef();
  useEffect(() => {
    if (answer !== undefined) node.current.focus();
  }, [answer]);
  if (answer === undefined) return null;
  const { title, tone, text, problems = [], findings = [], plan } = answer;
  return html`<section
    ref=${node}
    tabindex="-1"
    class="card pad answer ${tone}"
    aria-label="Answer of the SBC"
  >
    <div class="page-head">
      <h2>${title}</h2>
      <button type="button" class="small" onClick=${onClose}>Close</button>
    </div>
    ${text === undefined ? null : html`<p>${text}</p>`}
    ${problems.length === 0 ? null : html`<${Problems} problems=${problems} />`}
    ${findings.length === 0 ? null : html`<${Findings} findings=${findings} />`}
    ${plan === undefined ? null : html`<${PlanView} view=${plan} />`}
  </section>`;
}
