/**
 * Where a request goes: the local policy that matches and, from it, the hops to try in order.
 *
 *   from-realm equal or "*", then longest `to` prefix, then the policy that names the realm, then the first in the file
 *
 *   next-hop agent        one hop
 *   next-hop group        the usable members in the order of the group's strategy, as if there were no others
 *   next-hop request-uri  the request's own URI, sent from the first fitting interface of another realm
 *                         (`to-realm` names the realm; the same realm only when there is no other);
 *                         an agent that the URI happens to name counts as the hop's agent
 *
 * Pure: what is counted or known about agents comes in as `TrunkView`.
 */
import { isIP } from 'node:net';
import type {
  Config,
  LocalPolicy,
  SessionAgent,
  SessionGroup,
  SipInterface,
  Transport,
} from '../config/config.ts';
import { formatSipUri, type SipUri, uriScheme } from '../wire/sip-uri.ts';
import { orderMembers, type TrunkView } from './group-strategy.ts';
import {
  defaultPort,
  isOwnAddress,
  nextHopOfAgent,
  nextHopOfUri,
  readUri,
  transportOf,
} from './hop-uri.ts';

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
  /** Final answers after which the next hop is tried, besides 408 and 5xx. */
  readonly failoverCodes?: readonly number[];
}

/** An agent that the policy names and that gets no calls now. */
export interface SkippedAgent {
  readonly agent: string;
  /** Such as `out-of-service (no-answer)`. */
  readonly reason: string;
}

/** Why nothing can be tried; each reason has one SIP status. */
export const REJECT_STATUSES = {
  'no-route': 404,
  /** A longer number may have a route (RFC 3261 §21.4.22). */
  'address-incomplete': 484,
  'own-address': 404,
  'bad-request-uri': 400,
  'unsupported-scheme': 416,
  'no-interface': 503,
  'no-agent-available': 503,
} as const;
export type RejectReason = keyof typeof REJECT_STATUSES;

export type RouteResult =
  | {
      readonly type: 'route';
      readonly policy: LocalPolicy;
      readonly hops: readonly Hop[];
      readonly skipped: readonly SkippedAgent[];
    }
  | RouteReject;

export interface RouteReject {
  readonly type: 'reject';
  readonly status: number;
  readonly reason: RejectReason;
  readonly policy: LocalPolicy | undefined;
  readonly skipped: readonly SkippedAgent[];
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
  if (policy === undefined) return reject(whyNoPolicy(config, request), undefined);
  if (policy.nextHop === 'request-uri') return routeByUri(config, request, policy, view);
  const group = config.sessionGroups.find((candidate) => candidate.name === policy.nextHop);
  const { usable, skipped } = agentsOf(config, group ?? policy.nextHop, view);
  if (usable.length === 0) return reject('no-agent-available', policy, skipped);
  const hops = usable
    .flatMap((agent) => agentHop(config, agent, request))
    .map((hop) => (group === undefined ? hop : { ...hop, failoverCodes: group.failoverCodes }));
  return hops.length === 0
    ? reject('no-interface', policy, skipped)
    : { type: 'route', policy, hops, skipped };
}

function skippedAgent({ name }: SessionAgent, view: TrunkView): SkippedAgent {
  const { state, reason } = view.obstacle?.(name) ?? { state: 'not usable', reason: 'unknown' };
  return { agent: name, reason: `${state} (${reason})` };
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

/** Whether more digits could find a policy: the number so far is the beginning of a prefix. */
function whyNoPolicy(config: Config, request: RouteRequest): RejectReason {
  const { fromRealm, calledNumber } = request;
  const isBeginning = config.localPolicies.some(
    (policy) =>
      (policy.fromRealm === '*' || policy.fromRealm === fromRealm) &&
      policy.to.startsWith(calledNumber),
  );
  return isBeginning && calledNumber !== '' ? 'address-incomplete' : 'no-route';
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

/** The agents that can take the call, in order: the shares of a group go to those alone. */
function agentsOf(
  config: Config,
  nextHop: SessionGroup | string,
  view: TrunkView,
): { readonly usable: readonly SessionAgent[]; readonly skipped: readonly SkippedAgent[] } {
  const named = (names: readonly string[]): SessionAgent[] =>
    names.flatMap((name) => config.sessionAgents.find((agent) => agent.name === name) ?? []);
  const all = named(typeof nextHop === 'string' ? [nextHop] : nextHop.members);
  const usable = all.filter(({ name }) => view.isUsable(name));
  const others = all.filter((agent) => !usable.includes(agent));
  const skipped = others.map((agent) => skippedAgent(agent, view));
  if (typeof nextHop === 'string') return { usable, skipped };
  const members = usable.map(({ name }) => name);
  return { usable: named(orderMembers({ ...nextHop, members }, view)), skipped };
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
  const nextHop = nextHopOfAgent(agent);
  return [{ agent, sipInterface, requestUri: formatSipUri(uri), nextHop }];
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
  if (isOwnAddress(config, uri)) return reject('own-address', policy);
  const sipInterface = outboundInterface(config, request.fromRealm, policy, { ...uri, transport });
  if (sipInterface === undefined) return reject('no-interface', policy);
  const agent = agentAt(config, sipInterface.realm, { ...uri, transport });
  if (agent !== undefined && !view.isUsable(agent.name)) {
    return reject('no-agent-available', policy, [skippedAgent(agent, view)]);
  }
  const { requestUri } = request;
  const hop: Hop = { agent, sipInterface, requestUri, nextHop: nextHopOfUri(uri) };
  return { type: 'route', policy, hops: [hop], skipped: [] };
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

/** A number may come from a tel URI or a header, so what would end the user part is escaped. */
function escapeUser(number: string): string {
  return number.replaceAll(/[\s\p{Cc}@<>":]/gu, (character) => encodeURIComponent(character));
}

function reject(
  reason: RejectReason,
  policy: LocalPolicy | undefined,
  skipped: readonly SkippedAgent[] = [],
): RouteReject {
  return { type: 'reject', status: REJECT_STATUSES[reason], reason, policy, skipped };
}
