/** What the list of session agents and the page of one share. */
import { useState } from 'preact/hooks';
import { agentReason, agentState } from './agent-words.js';
import { problemOf, request } from './client.js';
import { Badge } from './components.js';
import { confirmed, toast } from './dialogs.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { usePolled } from './polled.js';
import { countWords } from './words.js';

/** No event tells that a reload has taken an agent away. */
const POLL_MS = 15_000;

/** The list of agents, kept true by events. */
export function useAgents() {
  const list = usePolled('/agents', POLL_MS);
  useLive(['agents'], (name, agent) => {
    if (name === 'agent') list.change((agents) => replaced(agents, agent));
    if (name === 'refresh') void list.reload();
  });
  return list;
}

function replaced(agents, agent) {
  const isKnown = agents.some(({ name }) => name === agent.name);
  if (!isKnown) return [...agents, agent];
  return agents.map((each) => (each.name === agent.name ? { ...each, ...agent } : each));
}

export function AgentState({ agent }) {
  const { text, tone } = agentState(agent.state);
  return html`<span class="agent-state">
    <${Badge} tone=${tone}>${text}<//>
    <span class="quiet">${agentReason(agent.reason)}</span>
  </span>`;
}

/** How many calls of how many; unlimited without the second. */
export function Sessions({ agent }) {
  const { activeSessions, maxSessions } = agent;
  if (maxSessions === 0) return String(activeSessions);
  const share = Math.min(100, Math.round((100 * activeSessions) / maxSessions));
  return html`<span class="sessions">
    ${activeSessions} <span class="quiet">of ${maxSessions}</span>
    <meter min="0" max="100" high="90" value=${share} aria-label="Share of max-sessions"></meter>
  </span>`;
}

/** Takes an agent out by hand, or gives it back. */
export function LockButton({ agent, change, kind = 'small' }) {
  const [isBusy, setBusy] = useState(false);
  const isLocked = agent.state === 'locked';
  const act = async () => {
    // A button that is disabled would lose the focus.
    if (isBusy || !(await confirmed(questionOf(agent, isLocked)))) return;
    setBusy(true);
    const path = `/agents/${encodeURIComponent(agent.name)}`;
    const answer = await request('PATCH', path, { locked: !isLocked });
    setBusy(false);
    if (answer.status !== 200) {
      toast(`${agent.name}: ${problemOf(answer)}`, 'bad');
      return;
    }
    change((agents) => replaced(agents, answer.data));
    toast(isLocked ? `${agent.name} is unlocked.` : `${agent.name} is locked.`);
  };
  return html`<button
    type="button"
    class=${kind}
    aria-disabled=${isBusy ? 'true' : undefined}
    aria-label=${`${isLocked ? 'Unlock' : 'Lock'} ${agent.name}`}
    onClick=${() => void act()}
  >
    ${isLocked ? 'Unlock' : 'Lock'}
  </button>`;
}

function questionOf({ name, activeSessions }, isLocked) {
  if (isLocked) {
    const text = 'It gets new calls again, as far as it answers and its limits allow.';
    return { title: `Unlock ${name}?`, text, action: 'Unlock' };
  }
  const running = activeSessions === 0 ? '' : ` ${countWords(activeSessions, 'call')} of it go on.`;
  const text = `It gets no new calls until it is unlocked; other agents of its groups take them.${running}`;
  return { title: `Lock ${name}?`, text, action: 'Lock' };
}
