/** From which sip-interface a place is reached, and which session agent is there. */
import { isIP } from 'node:net';
import type { Config, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import type { LocalPolicy } from '../config/routing-config.ts';
import { defaultPort } from './hop-uri.ts';

/** The interface of `realm` from which `target` is reached, if there is one. */
export function interfaceFor(
  config: Config,
  realm: string,
  target: { readonly transport: Transport; readonly host: string },
): SipInterface | undefined {
  return fitting(
    config.sipInterfaces.filter((candidate) => candidate.realm === realm),
    target,
  );
}

/** The first that has the transport, preferably with an address of the family of the target. */
function fitting(
  candidates: readonly SipInterface[],
  target: { readonly transport: Transport; readonly host: string },
): SipInterface | undefined {
  const { transport, host } = target;
  const family = isIP(host);
  const speakers = candidates.filter(({ sipPorts }) =>
    sipPorts.some((port) => port.transport === transport),
  );
  const sameFamily = speakers.find(({ sipPorts }) =>
    sipPorts.some((port) => port.transport === transport && isIP(port.address) === family),
  );
  return sameFamily ?? speakers[0];
}

/** For `request-uri`: an interface of the realm that the policy names, else of another realm than the sender's. */
export function outboundInterface(
  config: Config,
  fromRealm: string,
  policy: LocalPolicy,
  target: { readonly transport: Transport; readonly host: string },
): SipInterface | undefined {
  const { toRealm } = policy;
  if (toRealm !== undefined) return interfaceFor(config, toRealm, target);
  const others = config.sipInterfaces.filter((candidate) => candidate.realm !== fromRealm);
  return fitting(others.length === 0 ? config.sipInterfaces : others, target);
}

/** The agent that a URI names, so that its parameters and limits count for the call. */
export function agentAt(
  config: Config,
  realm: string,
  target: { readonly transport: Transport; readonly host: string; readonly port?: number },
): SessionAgent | undefined {
  const port = target.port ?? defaultPort(target.transport);
  return config.sessionAgents.find(
    (agent) =>
      agent.realm === realm &&
      agent.transport === target.transport &&
      agent.host.toLowerCase() === target.host &&
      (agent.port ?? defaultPort(agent.transport)) === port,
  );
}
