/** The hops of a request that goes to one session agent or group, whatever the local policies say. Pure. */
import type { Config, SessionAgent } from '../config/config.ts';
import { formatSipUri } from '../wire/sip-uri.ts';
import { orderMembers, type TrunkView } from './group-strategy.ts';
import { nextHopOfAgent } from './hop-uri.ts';
import { interfaceFor } from './interface-choice.ts';
import type { Hop } from './policy.ts';

/** In the order of trying; none when no member is usable. `user`: of the request-URI. */
export function relayHops(
  config: Config,
  target: string,
  user: string | undefined,
  view: TrunkView,
): readonly Hop[] {
  const group = config.sessionGroups.find(({ name }) => name === target);
  const names = group === undefined ? [target] : orderMembers(group, view);
  return names
    .filter((name) => view.isUsable(name))
    .flatMap((name) => config.sessionAgents.find((agent) => agent.name === name) ?? [])
    .flatMap((agent) => hopTo(config, agent, user));
}

function hopTo(config: Config, agent: SessionAgent, user: string | undefined): Hop[] {
  const sipInterface = interfaceFor(config, agent.realm, agent);
  if (sipInterface === undefined) return [];
  const { host, port } = agent;
  const requestUri = formatSipUri({
    scheme: 'sip',
    ...(user === undefined ? {} : { user }),
    host,
    ...(port === undefined ? {} : { port }),
    parameters: new Map(),
  });
  return [{ agent, sipInterface, requestUri, nextHop: nextHopOfAgent(agent) }];
}
