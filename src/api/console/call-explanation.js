/** Why digits cross a call the way they do, in words: what runs, what led to it, and every parameter with its origin. */
import { useState } from 'preact/hooks';
import {
  HOLD_WORDS,
  parameterName,
  parameterValue,
  translationWords,
  translatorWords,
} from './call-words.js';
import { Badge, Empty, Problem } from './components.js';
import { useFollowing } from './follow.js';
import { html } from './html.js';
import { Table } from './table.js';

const DIRECTIONS = [
  ['callerToCallee', 'From the caller to the callee'],
  ['calleeToCaller', 'From the callee to the caller'],
];

export function CallExplanation({ call, reads }) {
  const path = `/calls/${encodeURIComponent(call.id)}/explanation`;
  const { data, problem } = useFollowing(path, reads);
  if (problem !== undefined && data === undefined) return html`<${Problem}>${problem}<//>`;
  if (data === undefined) return null;
  return html`<div class="explanation">
    <${Plan} plan=${data.plan} />
    <${Decisions} decisions=${data.decisions} />
    <${Routing} explanation=${data} />
    <${Parameters} settings=${data.settings} />
  </div>`;
}

function Plan({ plan }) {
  return html`<section aria-labelledby="plan">
    <h2 id="plan">How digits cross now</h2>
    ${
      plan === undefined
        ? html`<${Empty}>Nothing is decided before offer and answer are complete.<//>`
        : html`<div class="legs">
            ${DIRECTIONS.map(
              ([key, title]) => html`<${Direction} key=${key} title=${title} plan=${plan[key]} />`,
            )}
          </div>`
    }
  </section>`;
}

function Direction({ title, plan }) {
  const isLost = plan.translator === 'none';
  const isOnHold = plan.isOnHold === true;
  return html`<article class="card pad">
    <h3>
      ${title} <${Badge} tone=${isLost ? 'bad' : 'good'}>${translatorWords(plan)}<//>
      ${isOnHold ? html` <${Badge} tone="warn">on hold<//>` : null}
    </h3>
    ${isOnHold ? html`<p class="advice">${HOLD_WORDS}</p>` : null}
    <p>${translationWords(plan)}</p>
    <p>Because ${plan.reason}.</p>
    ${
      plan.wouldCross === undefined
        ? null
        : html`<p class="advice"><b>For digits to cross:</b> ${plan.wouldCross}</p>`
    }
    <p class="quiet">${ruleWords(plan)}</p>
  </article>`;
}

/** Which row of the decision table a step is, and the rules behind it. */
function ruleWords({ row, rule }) {
  const rowWords =
    row === '-' ? 'No row of the decision table fits' : `Row ${row} of the decision table`;
  return rule === '' ? rowWords : `${rowWords}; rules ${rule}`;
}

function Decisions({ decisions }) {
  return html`<section aria-labelledby="decisions">
    <h2 id="decisions">What was decided, in order</h2>
    ${
      decisions.length === 0
        ? html`<${Empty}>Nothing yet.<//>`
        : html`<ol class="card steps">
            ${decisions.map((step, index) => html`<${Step} key=${index} step=${step} />`)}
          </ol>`
    }
  </section>`;
}

function Step({ step }) {
  if (step.type === 'plan') {
    const { callerToCallee, calleeToCaller } = step.plan;
    return html`<li>
      <b>Offer and answer are complete.</b> Caller to callee: ${translatorWords(callerToCallee)};
      callee to caller: ${translatorWords(calleeToCaller)}.${' '}
      <span class="quiet">Rows ${callerToCallee.row} and ${calleeToCaller.row}.</span>
    </li>`;
  }
  const { type, from, decision } = step;
  return html`<li>
    <b>The ${type} of the ${from}:</b> ${decision.reason}.${' '}
    <span class="quiet">${ruleWords(decision)}.</span>
  </li>`;
}

function Routing({ explanation: { policy, skipped = [], forwarding } }) {
  return html`<section aria-labelledby="routing">
    <h2 id="routing">How the call was routed</h2>
    <ul class="card steps">
      <li>${policy === undefined ? 'No local policy is recorded.' : `Local policy: ${policy}.`}</li>
      ${skipped.map(
        ({ agent, reason }) =>
          html`<li key=${agent}><b>${agent}</b> could take no call then: ${reason}.</li>`,
      )}
      ${(forwarding?.steps ?? []).map(
        ({ feature, from, to }, index) =>
          html`<li key=${index}>
            ${feature}:
            ${to === undefined ? `the call to ${from} was refused.` : `from ${from} to ${to}.`}
          </li>`,
      )}
    </ul>
  </section>`;
}

function Parameters({ settings }) {
  const [isWhole, setWhole] = useState(false);
  const { caller = {}, callee = {} } = settings;
  const keys = [...new Set([...Object.keys(caller), ...Object.keys(callee)])];
  const isSet = (key) =>
    [caller[key], callee[key]].some((each) => each && each.origin !== 'default');
  const rows = keys
    .filter((key) => isWhole || isSet(key))
    .map((key) => ({ key, caller: caller[key], callee: callee[key] }));
  return html`<section aria-labelledby="parameters">
    <div class="section-head">
      <h2 id="parameters">Parameters in force</h2>
      <label class="check">
        <input type="checkbox" checked=${isWhole} onChange=${() => setWhole(!isWhole)} />
        with defaults
      </label>
    </div>
    <${Table}
      label="Parameters in force"
      columns=${PARAMETER_COLUMNS}
      rows=${rows}
      keyOf=${({ key }) => key}
      empty="All parameters have their defaults."
    />
  </section>`;
}

function Setting({ setting }) {
  if (setting === undefined) return '–';
  return html`<span
    >${parameterValue(setting.value)} <span class="quiet">${setting.origin}</span></span
  >`;
}

const PARAMETER_COLUMNS = [
  { title: 'Parameter', cell: ({ key }) => html`<span class="mono">${parameterName(key)}</span>` },
  { title: 'Caller', cell: ({ caller }) => html`<${Setting} setting=${caller} />` },
  { title: 'Callee', cell: ({ callee }) => html`<${Setting} setting=${callee} />` },
];
