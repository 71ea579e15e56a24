import type { SessionGroup } from '../config/config.ts';
import type { AgentView as TrunkAgentView } from '../trunk/agent-registry.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { AgentChangeView, AgentView } from './backend.ts';

type AgentChange = TrunkAgentView['changes'][number];
type GroupNames = ReadonlyMap<string, readonly string[]>;

/** A view and all that it was made of; the changes of an agent only ever grow at their end. */
interface Shown {
  readonly of: TrunkAgentView;
  readonly groups: readonly SessionGroup[];
  readonly lastChange: AgentChange | undefined;
  readonly view: AgentView;
}

/** All agents are looked at each second: what does not change is made once. */
const shownAgents = new WeakMap<TrunkAgentView['agent'], Shown>();
const shownChanges = new WeakMap<AgentChange, AgentChangeView>();
const groupNames = new WeakMap<readonly SessionGroup[], GroupNames>();

/** A session agent as the API shows it; the same object as before while nothing has changed. */
export function agentView(of: TrunkAgentView, groups: readonly SessionGroup[]): AgentView {
  const known = shownAgents.get(of.agent);
  const lastChange = of.changes.at(-1);
  if (
    known !== undefined &&
    known.groups === groups &&
    known.lastChange === lastChange &&
    isSame(known.of, of)
  ) {
    return known.view;
  }
  const view = newView(of, groups);
  shownAgents.set(of.agent, { of, groups, lastChange, view });
  return view;
}

function isSame(one: TrunkAgentView, other: TrunkAgentView): boolean {
  return (
    one.state === other.state &&
    one.reason === other.reason &&
    one.sinceMs === other.sinceMs &&
    one.sessions === other.sessions &&
    one.lastPing === other.lastPing
  );
}

function newView(of: TrunkAgentView, groups: readonly SessionGroup[]): AgentView {
  const { agent, state, reason, sinceMs, sessions, lastPing, changes } = of;
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
