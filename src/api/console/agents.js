/** Session agents: who takes calls, who does not, and why. */
import { useMemo, useState } from 'preact/hooks';
import { hrefOf } from './address.js';
import { AgentState, LockButton, Sessions, useAgents } from './agent-parts.js';
import { agentReason, agentState, pingText } from './agent-words.js';
import { Filter, PageTitle, Problem, Time } from './components.js';
import { html } from './html.js';
import { Table } from './table.js';

export function AgentsPage() {
  const [filter, setFilter] = useState('');
  const { data, problem, change } = useAgents();
  const agents = useMemo(() => matching(data ?? [], filter), [data, filter]);
  return html`
    <${PageTitle} title="Agents" count=${data === undefined ? undefined : agents.length}>
      <${Filter} value=${filter} onInput=${setFilter} label="Filter agents" />
    <//>
    ${problem === undefined ? null : html`<${Problem}>${problem}<//>`}
    ${data === undefined ? null : html`<${AgentTable} ...${{ agents, filter, change }} />`}
  `;
}

function matching(agents, filter) {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return agents;
  return agents.filter((agent) => textOf(agent).includes(wanted));
}

function textOf({ name, realm, address, transport, state, reason, groups }) {
  const parts = [name, realm, address, transport, agentState(state).text, agentReason(reason)];
  return [...parts, ...groups].join(' ').toLowerCase();
}

function AgentTable({ agents, filter, change }) {
  const columns = [
    ...COLUMNS,
    {
      title: 'New calls',
      cell: (agent) => html`<${LockButton} ...${{ agent, change }} />`,
      kind: 'tools',
    },
  ];
  return html`<${Table}
    label="Session agents"
    columns=${columns}
    rows=${agents}
    keyOf=${({ name }) => name}
    hrefOf=${({ name }) => hrefOf('agents', name)}
    empty=${
      filter.trim() === ''
        ? 'No session agent is configured: add some under session-agents.'
        : 'No session agent matches the filter.'
    }
  />`;
}

const COLUMNS = [
  { title: 'Agent', cell: ({ name }) => name, kind: 'main' },
  {
    title: 'Address',
    cell: ({ address, transport, realm }) =>
      html`<span>${address}/${transport} <span class="quiet">${realm}</span></span>`,
  },
  { title: 'Groups', cell: ({ groups }) => (groups.length === 0 ? '–' : groups.join(', ')) },
  { title: 'State', cell: (agent) => html`<${AgentState} agent=${agent} />` },
  { title: 'Since', cell: ({ since }) => html`<${Time} at=${since} />`, kind: 'nowrap' },
  { title: 'Calls', cell: (agent) => html`<${Sessions} agent=${agent} />`, isNumeric: true },
  {
    title: 'Last OPTIONS',
    cell: ({ lastPing }) => (lastPing === undefined ? '–' : pingText(lastPing)),
    kind: 'nowrap',
  },
];
