/** What a reload would change, as the plan of the SBC tells it. */
import { Findings } from './findings.js';
import { html } from './html.js';
import { Table } from './table.js';
import { countWords } from './words.js';

const VERDICTS = {
  unchanged: ['The file means what is in force', 'good'],
  live: ['A reload takes this over for new calls', 'good'],
  restart: ['A reload would refuse this; a restart takes it over', 'warn'],
  refused: ['The file would be refused', 'bad'],
};

/** What the plan says in one line: `{ title, tone }`. */
export function verdictOf({ verdict }) {
  const [title, tone] = VERDICTS[verdict] ?? [verdict, 'warn'];
  return { title, tone };
}

/** Each part that has something to tell. */
export function PlanView({ view }) {
  const { plan, calls } = view;
  if (plan === undefined) return null;
  const { elements, settings, reordered, routes, parameters, findings } = plan;
  return html`
    <${Lines} title="Elements" lines=${elements.flatMap((element) => elementLines(element))} />
    <${Lines} title="Settings" lines=${settings.map((change) => keyLine('', change))} />
    <${Lines} title="Local policies" lines=${policyLines(routes)} />
    <${Lines} title="In another order" lines=${reordered} />
    <${Routes} routes=${routes} />
    <${Parameters} parameters=${parameters} />
    <${Lines} title="Running calls" lines=${callLines(calls)} />
    <${Part} title="New findings" isShown=${findings.added.length > 0}>
      <${Findings} findings=${findings.added} />
    <//>
  `;
}

function Part({ title, isShown, children }) {
  return isShown
    ? html`<div class="part">
        <h3>${title}</h3>
        ${children}
      </div>`
    : null;
}

function Lines({ title, lines }) {
  return html`<${Part} title=${title} isShown=${lines.length > 0}>
    <ul class="plain-list mono">
      ${lines.map((line, index) => html`<li key=${index}>${line}</li>`)}
    </ul>
  <//>`;
}

const MARKS = { added: '+', removed: '−', changed: '~' };

function elementLines({ section, name, type, keys }) {
  const head = `${MARKS[type]} ${section} ${name}`;
  if (type !== 'changed') return [head];
  if (keys.length === 0) return [`${head}: a value that is kept elsewhere, such as a secret`];
  return keys.map((change) => keyLine(`${head}: `, change));
}

function keyLine(head, { key, from, to }) {
  if (from === undefined && to === undefined) return `${head}${key}: a value kept elsewhere`;
  return `${head}${key}: ${valueWords(from)} → ${valueWords(to)}`;
}

function valueWords(value) {
  if (value === undefined) return '(none)';
  return value === '' ? '""' : value;
}

function policyLines({ removed, added }) {
  return [...removed.map((text) => `− ${text}`), ...added.map((text) => `+ ${text}`)];
}

function callLines(calls) {
  if (calls === undefined || calls.active === 0) return [];
  const { active, affected } = calls;
  return [
    `${countWords(active, 'call')} up; all keep the configuration they began with until their end`,
    ...affected.map(
      ({ section, name, type, calls: count }) =>
        `${countWords(count, 'call')} with a leg on ${section} ${name}, which is ${type}`,
    ),
  ];
}

const ROUTE_COLUMNS = [
  { title: 'From', cell: ({ source }) => source },
  { title: 'Called', cell: ({ to }) => to },
  { title: 'Calling', cell: ({ from }) => from },
  { title: 'Method', cell: ({ method }) => method },
  { title: 'Before', cell: ({ before }) => before },
  { title: 'After', cell: ({ after }) => after },
];

function Routes({ routes }) {
  const { changes, isPartial } = routes;
  return html`<${Part} title="Routes" isShown=${changes.length > 0}>
    <${Table}
      label="Routes that change"
      columns=${ROUTE_COLUMNS}
      rows=${changes}
      keyOf=${({ source, to, from, method }) => [source, to, from, method].join(' ')}
    />
    ${isPartial ? html`<p class="quiet">There may be more.</p>` : null}
  <//>`;
}

const PARAMETER_COLUMNS = [
  { title: 'Leg', cell: ({ leg }) => leg },
  { title: 'Parameter', cell: ({ parameter }) => parameter },
  { title: 'Before', cell: ({ from }) => html`<${Value} ...${from} />` },
  { title: 'After', cell: ({ to }) => html`<${Value} ...${to} />` },
];

function Value({ value, origin }) {
  return html`<span>${value} <span class="quiet">${origin}</span></span>`;
}

function Parameters({ parameters }) {
  return html`<${Part} title="Parameters in force" isShown=${parameters.length > 0}>
    <${Table}
      label="Parameters that change"
      columns=${PARAMETER_COLUMNS}
      rows=${parameters}
      keyOf=${({ leg, parameter }) => `${leg} ${parameter}`}
    />
  <//>`;
}
