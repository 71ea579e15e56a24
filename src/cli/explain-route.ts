/** Which interface, agent and policy a call would meet, without placing it. */
import { isIP } from 'node:net';
import type { Config, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import type { LocalPolicy } from '../config/routing-config.ts';
import { parseHostPort } from '../config/address.ts';
import { LETTERS_PER_SLIP_IN_NAME, listed, nearest } from '../config/suggestion.ts';
import { AgentRegistry } from '../trunk/agent-registry.ts';
import { interfaceFor } from '../trunk/interface-choice.ts';
import type { TrunkView } from '../trunk/group-strategy.ts';
import { telUser } from '../trunk/numbering.ts';
import { type Hop, IDLE_TRUNK, type RejectReason, type RouteRequest } from '../trunk/policy.ts';
import { type RouteTrace, traceRoute } from '../trunk/route-trace.ts';
import { parseSipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import { explainMethod, type MethodExplanation } from './explain-method.ts';

export interface CallQuestion {
  /** Agent name, or IP address with an optional port and transport: `tcp/192.0.2.1:5060`. */
  readonly from: string;
  /** Called number, SIP or tel URI. */
  readonly to: string;
  /** Calling number. */
  readonly calling?: string | undefined;
  /** INVITE unless said otherwise. */
  readonly method?: string | undefined;
  /** A moment as RFC 3339 writes it; now unless said otherwise. */
  readonly at?: string | undefined;
  /** Session agents, with commas, that are to count as out of service. */
  readonly down?: string | undefined;
}

export interface Origin {
  readonly sipInterface: SipInterface;
  readonly agent: SessionAgent | undefined;
  /** Why the source is let in. */
  readonly admittedAs: 'agent' | 'network' | 'anyone';
}

export type RouteExplanation =
  | {
      readonly type: 'route';
      readonly origin: Origin;
      readonly policy: LocalPolicy;
      readonly policyIndex: number;
      readonly hops: readonly Hop[];
      readonly trace: RouteTrace;
    }
  | {
      readonly type: 'rejected';
      readonly origin: Origin;
      readonly status: number;
      readonly reason: RejectReason;
      readonly policyIndex: number | undefined;
      readonly trace: RouteTrace;
    }
  | MethodExplanation
  /** Something in the question is not what it may be. */
  | { readonly type: 'unclear'; readonly message: string }
  | { readonly type: 'refused'; readonly message: string };

/** Stands for the host of the request's URI where only a number was given. */
const ANY_HOST = 'endpoint.invalid';

export function explainRoute(config: Config, question: CallQuestion): RouteExplanation {
  const origin = findOrigin(config, question.from);
  if ('type' in origin) return origin;
  const target = readTarget(question.to);
  if (target === undefined) {
    return { type: 'unclear', message: `--to ${question.to} is neither a number nor a SIP URI` };
  }
  const { at, calling, method } = question;
  const atMs = at === undefined ? Date.now() : Date.parse(at);
  if (Number.isNaN(atMs)) {
    return { type: 'unclear', message: `--at ${at} is no time such as 2026-11-22T10:00:00Z` };
  }
  const down = (question.down ?? '').split(',').filter((name) => name !== '');
  const unknown = down.find((name) => config.sessionAgents.every((agent) => agent.name !== name));
  if (unknown !== undefined) {
    return { type: 'unclear', message: `--down ${unknown} is no session agent` };
  }
  const view = viewWithout(down);
  const asked = method?.toUpperCase();
  if (asked !== undefined && asked !== 'INVITE') {
    return explainMethod(config, origin, { method: asked, user: target.calledNumber }, view);
  }
  const { agent, sipInterface } = origin;
  const request: RouteRequest = {
    fromRealm: sipInterface.realm,
    fromAgent: agent,
    sipInterface,
    callingNumber: calling,
    method: asked,
    atMs,
    ...target,
  };
  return explanationOf(origin, traceRoute(config, request, view));
}

function viewWithout(down: readonly string[]): TrunkView {
  return {
    ...IDLE_TRUNK,
    isUsable: (name) => !down.includes(name),
    obstacle: (name) =>
      down.includes(name) ? { state: 'out-of-service', reason: 'assumed' } : undefined,
  };
}

function explanationOf(origin: Origin, trace: RouteTrace): RouteExplanation {
  const { result } = trace;
  if (result.type === 'reject') {
    const { status, reason, policy } = result;
    const policyIndex = policy?.place;
    return { type: 'rejected', origin, status, reason, policyIndex, trace };
  }
  const { policy, hops } = result;
  const policyIndex = policy.place;
  return { type: 'route', origin, policy, policyIndex, hops, trace };
}

type Unknown = Extract<RouteExplanation, { type: 'unclear' | 'refused' }>;

function findOrigin(config: Config, from: string): Origin | Unknown {
  const { sessionAgents } = config;
  const named =
    sessionAgents.find((agent) => agent.name === from) ??
    sessionAgents.find((agent) => agent.host === from && isIP(agent.host) === 0);
  if (named !== undefined) return agentOrigin(config, named);
  const [, transportName = '', place = ''] = /^(?:(udp|tcp|tls)\/)?(.*)$/s.exec(from) ?? [];
  const source = parseHostPort(place);
  if (source === undefined || isIP(source.host) === 0) return unknownOrigin(config, from);
  const registry = new AgentRegistry(config);
  const doors = config.sipInterfaces.flatMap((sipInterface) =>
    transportsOf(sipInterface, transportName, source.port).map((transport) => {
      const port = source.port ?? agentPort(config, sipInterface.realm, source.host) ?? 5060;
      const admission = registry.admit(sipInterface, { address: source.host, port, transport });
      return { sipInterface, admission };
    }),
  );
  for (const { sipInterface, admission } of doors) {
    if (admission.type === 'agent') {
      return { sipInterface, agent: admission.agent, admittedAs: 'agent' };
    }
  }
  for (const { sipInterface, admission } of doors) {
    if (admission.type === 'stranger') {
      return { sipInterface, agent: undefined, admittedAs: admission.by };
    }
  }
  const denials = config.sipInterfaces.flatMap((sipInterface) => {
    const network = registry.deniedBy(sipInterface, source.host);
    return network === undefined ? [] : [`deny ${network} of sip-interface ${sipInterface.name}`];
  });
  const why =
    denials.length === 0
      ? 'is no session agent, and no interface admits it (admit, allow)'
      : `is kept out by ${denials.join(', ')}`;
  return { type: 'refused', message: `${from} ${why}: 403` };
}

/** What the source may send by: a port says something of UDP peers only, so with one UDP is meant where it is served. */
function transportsOf(
  { sipPorts }: SipInterface,
  named: string,
  port: number | undefined,
): readonly Transport[] {
  const served = sipPorts.map(({ transport }) => transport);
  if (named !== '') return served.filter((transport) => transport === named);
  return port !== undefined && served.includes('udp') ? ['udp'] : served;
}

function unknownOrigin(config: Config, from: string): Unknown {
  const names = config.sessionAgents.map((agent) => agent.name);
  const near = nearest(from, names, LETTERS_PER_SLIP_IN_NAME);
  const hint = near === undefined ? `session agents: ${listed(names)}` : `did you mean "${near}"?`;
  const message = `--from ${from} is neither a session agent nor an IP address (${hint})`;
  return { type: 'unclear', message };
}

/** Without a port in the question, any port that would make the address an agent is meant. */
function agentPort(config: Config, realm: string, host: string): number | undefined {
  return config.sessionAgents.find((agent) => agent.realm === realm && agent.host === host)?.port;
}

function agentOrigin(config: Config, agent: SessionAgent): Origin | Unknown {
  const sipInterface = interfaceFor(config, agent.realm, agent);
  if (sipInterface === undefined) {
    return { type: 'refused', message: `no interface serves session agent "${agent.name}"` };
  }
  return { sipInterface, agent, admittedAs: 'agent' };
}

function readTarget(to: string): { calledNumber: string; requestUri: string } | undefined {
  const tel = telUser(to);
  if (tel !== undefined) return { calledNumber: tel, requestUri: to };
  const text = /^sips?:/i.test(to) ? to : `sip:${to}${to.includes('@') ? '' : `@${ANY_HOST}`}`;
  try {
    const uri = parseSipUri(text);
    return { calledNumber: uri.user ?? '', requestUri: text };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
