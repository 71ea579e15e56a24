/** From which sip-interface a place is reached, and which session agent is there. */
import type { Config, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import { reachingInterface } from '../config/reaching-interface.ts';
import type { LocalPolicy } from '../config/routing-config.ts';
import { defaultPort } from './hop-uri.ts';

/** The interface of `realm` from which `target` is reached, if there is one. */
export function interfaceFor(
  config: Config,
  realm: string,
  target: { readonly transport: Transport; readonly host: string },
): SipInterface | undefined {
  return reachingInterface(
    config.sipInterfaces.filter((candidate) => candidate.realm === realm),
    target,
  );
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
  return reachingInterface(others.length === 0 ? config.sipInterfaces : others, target);
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
