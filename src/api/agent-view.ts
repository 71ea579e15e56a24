import type { SessionGroup } from '../config/config.ts';
import type { AgentView as TrunkAgentView } from '../trunk/agent-registry.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { AgentChangeView, AgentView } from './backend.ts';

type AgentChange = TrunkAgentView['changes'][number];
type GroupNames = ReadonlyMap<string, readonly string[]>;

/** All agents are looked at each second: what does not change is made once. */
const shownChanges = new WeakMap<AgentChange, AgentChangeView>();
const groupNames = new WeakMap<readonly SessionGroup[], GroupNames>();

/** A session agent as the API shows it. */
export function agentView(view: TrunkAgentView, groups: readonly SessionGroup[]): AgentView {
  const { agent, state, reason, sinceMs, sessions, lastPing, changes } = view;
  return {
    name: agent.name,
    realm: agent.realm,
    address: formatHostPort(agent.host, agent.port),
    transport: agent.transport,
    state,
    reason,
    since: new Date(sinceMs).toISOString(),
    activeSessions: sessions,
    maxSessions: agent.constraints.maxSessions,
    groups: namesByAgent(groups).get(agent.name) ?? [],
    history: changes.map((change) => changeView(change)),
    ...(lastPing === undefined
      ? {}
      : {
          lastPing: {
            at: new Date(lastPing.atMs).toISOString(),
            ...(lastPing.status === undefined ? {} : { status: lastPing.status }),
            ...(lastPing.rttMs === undefined ? {} : { rttMs: lastPing.rttMs }),
          },
        }),
  };
}

function changeView(change: AgentChange): AgentChangeView {
  const known = shownChanges.get(change);
  if (known !== undefined) return known;
  const { atMs, ...rest } = change;
  const view = { at: new Date(atMs).toISOString(), ...rest };
  shownChanges.set(change, view);
  return view;
}

/** By agent: the groups that it is a member of. */
function namesByAgent(groups: readonly SessionGroup[]): GroupNames {
  const known = groupNames.get(groups);
  if (known !== undefined) return known;
  const names = new Map<string, string[]>();
  for (const { name, members } of groups) {
    for (const member of new Set(members)) names.set(member, [...(names.get(member) ?? []), name]);
  }
  groupNames.set(groups, names);
  return names;
}
