/** One session agent: what it is, how it stands, and how it has stood. */
import { hrefOf } from './address.js';
import { AgentState, LockButton, Sessions, useAgents } from './agent-parts.js';
import { agentReason, agentState, pingText } from './agent-words.js';
import { Badge, Empty, Facts, PageTitle, Problem, Time } from './components.js';
import { html } from './html.js';
import { Table } from './table.js';

export function AgentPage({ id }) {
  const { data, problem, change } = useAgents();
  const agent = data?.find(({ name }) => name === id);
  return html`
    <${PageTitle} title=${id}>
      <a class="button" href=${hrefOf('agents')}>All agents</a>
      ${agent === undefined ? null : html`<${LockButton} ...${{ agent, change, kind: '' }} />`}
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${
      data !== undefined && agent === undefined
        ? html`<${Empty}>There is no session agent of this name now.<//>`
        : null
    }
    ${agent === undefined ? null : html`<${Shown} agent=${agent} />`}
  `;
}

function Shown({ agent }) {
  const { name, realm, address, transport, since, groups, lastPing, history } = agent;
  const facts = [
    ['State', html`<${AgentState} agent=${agent} />`],
    ['Since', html`<${Time} at=${since} />`],
    ['Calls', html`<${Sessions} agent=${agent} />`],
    ['Address', `${address}/${transport}`],
    ['Realm', realm],
    ['Groups', groups.join(', ')],
    ['Last OPTIONS', lastPing === undefined ? 'none yet' : html`<${Ping} ping=${lastPing} />`],
  ];
  return html`
    <section class="card pad"><${Facts} rows=${facts} /></section>
    <h2 class="gap">Changes of state</h2>
    <${Table}
      label=${`Changes of state of ${name}`}
      columns=${HISTORY_COLUMNS}
      rows=${(history ?? []).toReversed()}
      keyOf=${({ at, to }) => `${at} ${to}`}
      empty="None since the SBC started."
    />
  `;
}

function Ping({ ping }) {
  return html`<span
    >${pingText(ping)} <span class="quiet">at <${Time} at=${ping.at} /></span
  ></span>`;
}

function State({ name }) {
  const { text, tone } = agentState(name);
  return html`<${Badge} tone=${tone}>${text}<//>`;
}

const HISTORY_COLUMNS = [
  { title: 'Time', cell: ({ at }) => html`<${Time} at=${at} />`, kind: 'nowrap' },
  { title: 'From', cell: ({ from }) => html`<${State} name=${from} />` },
  { title: 'To', cell: ({ to }) => html`<${State} name=${to} />` },
  { title: 'Why', cell: ({ reason }) => agentReason(reason) },
];
