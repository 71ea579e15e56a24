import type { AgentView as TrunkAgentView } from '../trunk/agent-registry.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { AgentView } from './backend.ts';

/** A session agent as the API shows it. */
export function agentView(view: TrunkAgentView): AgentView {
  const { agent, state, reason, sinceMs, sessions, lastPing } = view;
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
