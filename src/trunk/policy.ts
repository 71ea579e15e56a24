/**
 * Where a request goes: the local policy for it and, from that, the hops to try in order.
 *
 *   translate-in -> the policies for the request, as config/policy-index.ts orders them -> translate -> translate-out
 *
 *   next-hop agent        one hop
 *   next-hop group        the usable members in the order of the group's strategy, as if there were no others
 *   next-hop request-uri  the request's own URI, sent from the first fitting interface of another realm
 *                         (`to-realm` names the realm; the same realm only when there is no other);
 *                         an agent that the URI happens to name counts as the hop's agent
 *   next-hop reject       none: the request ends here, unless an alternative before has a hop
 *
 * Alternatives (policies for the same requests) lend their hops in turn: those of the second follow those of the first.
 * A less specific policy is never fallen back on: who wants that names its next hop as an alternative.
 *
 * Pure: the time and what is counted or known about agents are arguments.
 */
import type { Config, SessionAgent, SessionGroup, SipInterface } from '../config/config.ts';
import type { NumberTranslation } from '../config/number-translation.ts';
import { isAlternative, policyIndex, type PolicyQuery } from '../config/policy-index.ts';
import type { LocalPolicy } from '../config/routing-config.ts';
import { formatSipUri, type SipUri, uriScheme } from '../wire/sip-uri.ts';
import { orderMembers, type TrunkView } from './group-strategy.ts';
import { isOwnAddress, nextHopOfAgent, nextHopOfUri, readUri, transportOf } from './hop-uri.ts';
import { agentAt, interfaceFor, outboundInterface } from './interface-choice.ts';
import {
  numberOf,
  plainUser,
  translateUser,
  translationAt,
  translationNamed,
} from './numbering.ts';
import { isOpen } from './time-of-day.ts';

export interface RouteRequest {
  readonly fromRealm: string;
  /** The agent that sent the request, if it is one. */
  readonly fromAgent?: SessionAgent | undefined;
  /** Where it came in, for translate-in. */
  readonly sipInterface?: SipInterface | undefined;
  /** User part of the request's URI as it stands there; a prefix of it selects the policy. */
  readonly calledNumber: string;
  /** User part of who calls. */
  readonly callingNumber?: string | undefined;
  readonly requestUri: string;
  /** INVITE unless said otherwise. */
  readonly method?: string | undefined;
  /** Milliseconds since the epoch; without it policies with `time` are for no request. */
  readonly atMs?: number | undefined;
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
  /** What becomes of the calling numbers on the way to this hop; absent: nothing. */
  readonly translations?: HopTranslations;
}

/** In this order. */
export interface HopTranslations {
  /** Of the sender and of the policy. */
  readonly before: readonly NumberTranslation[];
  /** Of the hop. */
  readonly leaving: readonly NumberTranslation[];
}

/** An agent that the policy names and that gets no calls now. */
export interface SkippedAgent {
  readonly agent: string;
  /** Such as `out-of-service (no-answer)`. */
  readonly reason: string;
}

/** Why nothing can be tried; each reason has one SIP status, but for a policy that brings its own. */
export const REJECT_STATUSES = {
  'no-route': 404,
  /** A longer number may have a route (RFC 3261 §21.4.22). */
  'address-incomplete': 484,
  'own-address': 404,
  'bad-request-uri': 400,
  'unsupported-scheme': 416,
  'no-interface': 503,
  'no-agent-available': 503,
  'rejected-by-policy': 403,
} as const;
export type RejectReason = keyof typeof REJECT_STATUSES;

/** A policy that was taken into account, and what it gave. */
export interface PolicyStep {
  readonly policy: LocalPolicy;
  readonly hops: readonly Hop[];
  readonly skipped: readonly SkippedAgent[];
  /** Why it gave no hop. */
  readonly reason?: RejectReason;
}

export type RouteResult =
  | {
      readonly type: 'route';
      /** The policy of the first hop. */
      readonly policy: LocalPolicy;
      readonly hops: readonly Hop[];
      readonly skipped: readonly SkippedAgent[];
      /** The alternatives, in order. */
      readonly steps: readonly PolicyStep[];
    }
  | RouteReject;

export interface RouteReject {
  readonly type: 'reject';
  readonly status: number;
  readonly reason: RejectReason;
  /** Reason phrase that the policy wants told. */
  readonly phrase?: string;
  readonly policy: LocalPolicy | undefined;
  readonly skipped: readonly SkippedAgent[];
  readonly steps: readonly PolicyStep[];
}

/** The numbers by which policies are chosen. */
export interface ArrivedNumbers {
  /** User parts in plain, as translate-in leaves them. */
  readonly called: string;
  readonly calling: string;
  readonly translations: readonly NumberTranslation[];
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
  const numbers = arrivedNumbers(config, request);
  const query = policyQuery(request, numbers);
  const index = policyIndex(config.localPolicies);
  const open = index.candidates(query).filter(({ time }) => isOpen(time, request.atMs));
  const [best] = open;
  if (best === undefined) {
    return reject(index.isIncomplete(query) ? 'address-incomplete' : 'no-route', []);
  }
  const steps: PolicyStep[] = [];
  for (const policy of open) {
    if (!isAlternative(policy, best)) break;
    const isFirst = steps.every(({ hops }) => hops.length === 0);
    const step = stepOf(config, { request, numbers, policy }, isFirst ? view : withoutTurns(view));
    steps.push(step);
    if (step.reason === 'rejected-by-policy') break;
  }
  return outcomeOf(steps);
}

/** For hops that are a second choice: the call may never need them, so it takes no turn of their group. */
function withoutTurns(view: TrunkView): TrunkView {
  return {
    obstacle: (name) => view.obstacle?.(name),
    isUsable: (name) => view.isUsable(name),
    sessions: (name) => view.sessions(name),
    random: () => view.random(),
    nextTurn: () => 0,
  };
}

/** Makes now what the first request would have to wait for. */
export function prepareRoutes({ localPolicies }: Config): void {
  policyIndex(localPolicies);
}

/** The numbers of a request as translate-in of the sender leaves them. */
export function arrivedNumbers(config: Config, request: RouteRequest): ArrivedNumbers {
  const { fromAgent: agent, sipInterface, calledNumber, callingNumber = '' } = request;
  const translations = translationAt(config, { agent, sipInterface }, 'in');
  const called = plainUser(calledNumber, isPhoneNumber(request.requestUri));
  return {
    called: translateUser(translations, 'called', called),
    calling: translateUser(translations, 'calling', plainUser(callingNumber)),
    translations,
  };
}

/** Whether a URI says of its user part that it is a number. */
function isPhoneNumber(uri: string): boolean {
  return (
    uriScheme(uri) === 'tel' || readUri(uri)?.parameters.get('user')?.toLowerCase() === 'phone'
  );
}

/** What of a request selects policies. */
export function policyQuery(request: RouteRequest, numbers: ArrivedNumbers): PolicyQuery {
  return {
    method: request.method ?? 'INVITE',
    fromRealm: request.fromRealm,
    fromAgent: request.fromAgent?.name,
    called: numberOf(numbers.called),
    calling: numberOf(numbers.calling),
  };
}

function outcomeOf(steps: readonly PolicyStep[]): RouteResult {
  const hops = steps.flatMap((step) => step.hops);
  const first = steps.find((step) => step.hops.length > 0);
  if (first === undefined) {
    // A rejection that an operator wrote says more than what stood against the policies before it.
    const last = steps.at(-1);
    const telling = last?.reason === 'rejected-by-policy' ? last : steps[0];
    return reject(telling?.reason ?? 'no-route', steps, telling?.policy);
  }
  const skipped = steps.flatMap((step) => step.skipped);
  return { type: 'route', policy: first.policy, hops, skipped, steps };
}

/** A request with one policy for it. */
interface Choice {
  readonly request: RouteRequest;
  readonly numbers: ArrivedNumbers;
  readonly policy: LocalPolicy;
}

function stepOf(config: Config, choice: Choice, view: TrunkView): PolicyStep {
  const { policy } = choice;
  if (policy.rejection !== undefined) return failedStep(policy, 'rejected-by-policy');
  if (policy.nextHop === 'request-uri') return routeByUri(config, choice, view);
  const group = config.sessionGroups.find((candidate) => candidate.name === policy.nextHop);
  const { usable, skipped } = agentsOf(config, group ?? policy.nextHop, view);
  if (usable.length === 0) return failedStep(policy, 'no-agent-available', skipped);
  const hops = usable
    .flatMap((agent) => agentHop(config, agent, choice))
    .map((hop) => (group === undefined ? hop : { ...hop, failoverCodes: group.failoverCodes }));
  return hops.length === 0
    ? failedStep(policy, 'no-interface', skipped)
    : { policy, hops, skipped };
}

function failedStep(
  policy: LocalPolicy,
  reason: RejectReason,
  skipped: readonly SkippedAgent[] = [],
): PolicyStep {
  return { policy, hops: [], skipped, reason };
}

function skippedAgent({ name }: SessionAgent, view: TrunkView): SkippedAgent {
  const { state, reason } = view.obstacle?.(name) ?? { state: 'not usable', reason: 'unknown' };
  return { agent: name, reason: `${state} (${reason})` };
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

function agentHop(config: Config, agent: SessionAgent, choice: Choice): Hop[] {
  const sipInterface = interfaceFor(config, agent.realm, agent);
  if (sipInterface === undefined) return [];
  const target =
    agent.port === undefined ? { host: agent.host } : { host: agent.host, port: agent.port };
  const { requestUri } = choice.request;
  const { called, translations } = leavingNumbers(config, choice, { agent, sipInterface });
  const user = escapeUser(called);
  const uri: SipUri = {
    scheme: 'sip',
    ...(user === '' ? {} : { user }),
    ...target,
    // It says how the user part is to be read, so it travels with it.
    parameters: new Map(isPhoneNumber(requestUri) ? [['user', 'phone']] : []),
  };
  const nextHop = nextHopOfAgent(agent);
  return [{ agent, sipInterface, requestUri: formatSipUri(uri), nextHop, ...translations }];
}

/** The called number for a hop, and what is to be done to the calling ones. */
function leavingNumbers(
  config: Config,
  { numbers, policy }: Choice,
  hop: Pick<Hop, 'agent' | 'sipInterface'>,
): { readonly called: string; readonly translations: Pick<Hop, 'translations'> } {
  const ofPolicy = translationNamed(config, policy.translate);
  const leaving = translationAt(config, hop, 'out');
  const before = [...numbers.translations, ...ofPolicy];
  const isNone = before.length + leaving.length === 0;
  return {
    called: translateUser([...ofPolicy, ...leaving], 'called', numbers.called),
    translations: isNone ? {} : { translations: { before, leaving } },
  };
}

function routeByUri(config: Config, choice: Choice, view: TrunkView): PolicyStep {
  const { request, policy } = choice;
  const uri = readUri(request.requestUri);
  if (uri === undefined) {
    const scheme = uriScheme(request.requestUri);
    const isSip = scheme === 'sip' || scheme === 'sips';
    return failedStep(policy, isSip ? 'bad-request-uri' : 'unsupported-scheme');
  }
  const transport = transportOf(uri);
  // A request that names ourselves would come straight back.
  if (isOwnAddress(config, uri)) return failedStep(policy, 'own-address');
  const sipInterface = outboundInterface(config, request.fromRealm, policy, { ...uri, transport });
  if (sipInterface === undefined) return failedStep(policy, 'no-interface');
  const agent = agentAt(config, sipInterface.realm, { ...uri, transport });
  if (agent !== undefined && !view.isUsable(agent.name)) {
    return failedStep(policy, 'no-agent-available', [skippedAgent(agent, view)]);
  }
  const { called, translations } = leavingNumbers(config, choice, { agent, sipInterface });
  const isSame = called === request.calledNumber;
  const requestUri = isSame
    ? request.requestUri
    : formatSipUri({ ...uri, user: escapeUser(called) });
  const hop: Hop = { agent, sipInterface, requestUri, nextHop: nextHopOfUri(uri), ...translations };
  return { policy, hops: [hop], skipped: [] };
}

/** A number may come from a tel URI or a header, so what would end the user part is escaped. */
function escapeUser(number: string): string {
  return number.replaceAll(/[\s\p{Cc}@<>":]/gu, (character) => encodeURIComponent(character));
}

function reject(
  reason: RejectReason,
  steps: readonly PolicyStep[],
  policy?: LocalPolicy,
): RouteReject {
  const rejection = reason === 'rejected-by-policy' ? policy?.rejection : undefined;
  return {
    type: 'reject',
    status: rejection?.status ?? REJECT_STATUSES[reason],
    reason,
    ...(rejection?.phrase === undefined ? {} : { phrase: rejection.phrase }),
    policy,
    skipped: steps.flatMap((step) => step.skipped),
    steps,
  };
}
