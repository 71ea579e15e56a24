/**
 * Where a request goes: the local policy that matches and, from it, the hops to try in order.
 *
 *   from-realm equal or "*", then longest `to` prefix, then the policy that names the realm, then the first in the file
 *
 *   next-hop agent        one hop
 *   next-hop group        the usable members in the order of the group's strategy
 *   next-hop request-uri  the request's own URI, sent from the first fitting interface of another realm
 *                         (`to-realm` names the realm; the same realm only when there is no other);
 *                         an agent that the URI happens to name counts as the hop's agent
 *
 * Pure: what is counted or known about agents comes in as `TrunkView`.
 */
import { isIP } from 'node:net';
import { isLoopback, isWildcard } from '../config/address.ts';
import type {
  Config,
  LocalPolicy,
  SessionAgent,
  SipInterface,
  SipPort,
  Transport,
} from '../config/config.ts';
import { formatSipUri, parseSipUri, type SipUri, uriScheme } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import { orderMembers, type TrunkView } from './group-strategy.ts';

export interface RouteRequest {
  readonly fromRealm: string;
  /** The agent that sent the request, if it is one. */
  readonly fromAgent?: SessionAgent | undefined;
  /** User part of the request's URI as it stands there; a prefix of it selects the policy. */
  readonly calledNumber: string;
  readonly requestUri: string;
}

export interface Hop {
  /** `undefined` when the next hop is no session agent. */
  readonly agent: SessionAgent | undefined;
  readonly sipInterface: SipInterface;
  readonly requestUri: string;
  /** `sip:host:port;transport=udp`; no port where none is known, so that SRV records count. */
  readonly nextHop: string;
}

/** Why nothing can be tried; each reason has one SIP status. */
export const REJECT_STATUSES = {
  'no-route': 404,
  'own-address': 404,
  'bad-request-uri': 400,
  'unsupported-scheme': 416,
  'no-interface': 503,
  'no-agent-available': 503,
} as const;
export type RejectReason = keyof typeof REJECT_STATUSES;

export type RouteResult =
  | { readonly type: 'route'; readonly policy: LocalPolicy; readonly hops: readonly Hop[] }
  | RouteReject;

export interface RouteReject {
  readonly type: 'reject';
  readonly status: number;
  readonly reason: RejectReason;
  readonly policy: LocalPolicy | undefined;
}

/** Every agent usable, nothing counted: what `explain` and tests look at. */
export const IDLE_TRUNK: TrunkView = {
  isUsable: () => true,
  sessions: () => 0,
  nextTurn: () => 0,
  random: () => 0,
};

export function route(
  config: Config,
  request: RouteRequest,
  view: TrunkView = IDLE_TRUNK,
): RouteResult {
  const policy = findPolicy(config, request.fromRealm, request.calledNumber);
  if (policy === undefined) return reject('no-route', undefined);
  if (policy.nextHop === 'request-uri') return routeByUri(config, request, policy, view);
  const agents = agentsOf(config, policy.nextHop, view);
  const usable = agents.filter((agent) => view.isUsable(agent.name));
  if (usable.length === 0) return reject('no-agent-available', policy);
  const hops = usable.flatMap((agent) => agentHop(config, agent, request));
  return hops.length === 0 ? reject('no-interface', policy) : { type: 'route', policy, hops };
}

/** The policy for a called number from a realm, or `undefined`. */
export function findPolicy(
  config: Config,
  fromRealm: string,
  calledNumber: string,
): LocalPolicy | undefined {
  let best: LocalPolicy | undefined;
  for (const policy of config.localPolicies) {
    if (policy.fromRealm !== '*' && policy.fromRealm !== fromRealm) continue;
    if (policy.to !== '*' && !calledNumber.startsWith(policy.to)) continue;
    if (best === undefined || weight(policy) > weight(best)) best = policy;
  }
  return best;
}

/** Longer prefixes first; at equal length a named realm counts more than "*". */
function weight(policy: LocalPolicy): number {
  const prefixLength = policy.to === '*' ? 0 : policy.to.length;
  return prefixLength * 2 + (policy.fromRealm === '*' ? 0 : 1);
}

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

function agentsOf(config: Config, nextHop: string, view: TrunkView): readonly SessionAgent[] {
  const group = config.sessionGroups.find((candidate) => candidate.name === nextHop);
  const names = group === undefined ? [nextHop] : orderMembers(group, view);
  return names.flatMap((name) => config.sessionAgents.find((agent) => agent.name === name) ?? []);
}

function agentHop(config: Config, agent: SessionAgent, request: RouteRequest): Hop[] {
  const sipInterface = interfaceFor(config, agent.realm, agent);
  if (sipInterface === undefined) return [];
  const target =
    agent.port === undefined ? { host: agent.host } : { host: agent.host, port: agent.port };
  const user = escapeUser(request.calledNumber);
  // `user=phone` says how the user part is to be read, so it travels with it.
  const isPhone = readUri(request.requestUri)?.parameters.get('user') === 'phone';
  const uri: SipUri = {
    scheme: 'sip',
    ...(user === '' ? {} : { user }),
    ...target,
    parameters: new Map(isPhone ? [['user', 'phone']] : []),
  };
  const nextHop: SipUri = {
    scheme: 'sip',
    ...target,
    parameters: new Map(agent.isTransportFixed ? [['transport', agent.transport]] : []),
  };
  return [{ agent, sipInterface, requestUri: formatSipUri(uri), nextHop: formatSipUri(nextHop) }];
}

function routeByUri(
  config: Config,
  request: RouteRequest,
  policy: LocalPolicy,
  view: TrunkView,
): RouteResult {
  const uri = readUri(request.requestUri);
  if (uri === undefined) {
    const scheme = uriScheme(request.requestUri);
    const isSip = scheme === 'sip' || scheme === 'sips';
    return reject(isSip ? 'bad-request-uri' : 'unsupported-scheme', policy);
  }
  const transport = transportOf(uri);
  // A request that names ourselves would come straight back.
  if (config.sipInterfaces.some((own) => own.sipPorts.some((port) => isAddressOf(uri, port)))) {
    return reject('own-address', policy);
  }
  const sipInterface = outboundInterface(config, request.fromRealm, policy, { ...uri, transport });
  if (sipInterface === undefined) return reject('no-interface', policy);
  const agent = agentAt(config, sipInterface.realm, { ...uri, transport });
  if (agent !== undefined && !view.isUsable(agent.name)) {
    return reject('no-agent-available', policy);
  }
  const nextHop: SipUri = {
    scheme: 'sip',
    host: uri.host,
    ...(uri.port === undefined ? {} : { port: uri.port }),
    // What the URI leaves open is left to DNS and to the size of the request (RFC 3263 §4.1).
    parameters: new Map(isTransportNamed(uri) ? [['transport', transport]] : []),
  };
  const hop: Hop = {
    agent,
    sipInterface,
    requestUri: request.requestUri,
    nextHop: formatSipUri(nextHop),
  };
  return { type: 'route', policy, hops: [hop] };
}

function outboundInterface(
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
function agentAt(
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

function defaultPort(transport: Transport): number {
  return transport === 'tls' ? 5061 : 5060;
}

function transportOf(uri: SipUri): Transport {
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips' || named === 'tls') return 'tls';
  return named === 'tcp' ? 'tcp' : 'udp';
}

function isTransportNamed(uri: SipUri): boolean {
  return uri.scheme === 'sips' || uri.parameters.has('transport');
}

function isAddressOf(uri: SipUri, port: SipPort): boolean {
  if ((uri.port ?? defaultPort(port.transport)) !== port.port) return false;
  return uri.host === port.address || (isWildcard(port.address) && isLoopback(uri.host));
}

function readUri(text: string): SipUri | undefined {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** A number may come from a tel URI or a header, so what would end the user part is escaped. */
function escapeUser(number: string): string {
  return number.replaceAll(/[\s\p{Cc}@<>":]/gu, (character) => encodeURIComponent(character));
}

function reject(reason: RejectReason, policy: LocalPolicy | undefined): RouteReject {
  return { type: 'reject', status: REJECT_STATUSES[reason], reason, policy };
}
