/** Where calls to an account go, and calls that it forwards: those take the way of a call that it would place itself. */
import type { Config } from '../../config/config.ts';
import { policyText } from '../../config/routing-config.ts';
import type { AgentRegistry } from '../../trunk/agent-registry.ts';
import { telUser, translationAt } from '../../trunk/numbering.ts';
import {
  type Hop,
  IDLE_TRUNK,
  route,
  type RouteReject,
  type RouteRequest,
  type RouteResult,
  type SkippedAgent,
} from '../../trunk/policy.ts';
import { userOf } from '../headers/header-policy.ts';
import { deviceRoute } from '../outside/device-route.ts';
import type { Registrations } from '../outside/registrations.ts';
import { routeRefusal } from '../route-refusal.ts';
import type { Refusal } from '../room-for-calls.ts';

/** Who places the call: the caller, or the account that forwards it. */
export type CallOrigin = Pick<
  RouteRequest,
  'fromRealm' | 'fromAgent' | 'sipInterface' | 'callingNumber'
>;

export type Routed =
  | {
      readonly type: 'route';
      readonly hops: readonly Hop[];
      /** `undefined` until the feature keys have chosen the way. */
      readonly policy: string | undefined;
      readonly skipped: readonly SkippedAgent[];
    }
  | {
      readonly type: 'refused';
      readonly refusal: Refusal;
      /** Nobody is there to ring. */
      readonly isUnreachable: boolean;
      /** The dial plan leads somewhere, and nobody there takes calls now. */
      readonly hasRoute: boolean;
    };

/** The feature keys have not chosen yet. */
export const UNDECIDED: Routed = { type: 'route', hops: [], policy: undefined, skipped: [] };

/** The ways of one call. */
export interface ForwardRoutes {
  readonly caller: CallOrigin;
  to(uri: string, origin: CallOrigin): Routed;
  /** Where `account` is, which is reached at `uri` from `origin`. */
  originOf(account: string, uri: string, origin: CallOrigin): CallOrigin;
}

export interface RouteParts {
  readonly config: Config;
  /** Of the INVITE as it came. */
  readonly request: RouteRequest;
  readonly agents: AgentRegistry;
  readonly registrations: Registrations;
}

export function forwardRoutes({
  config,
  request,
  agents,
  registrations,
}: RouteParts): ForwardRoutes {
  const asked = (uri: string, origin: CallOrigin): RouteRequest => ({
    ...request,
    ...origin,
    requestUri: uri,
    calledNumber: telUser(uri) ?? userOf(uri) ?? '',
  });
  const find = (uri: string, origin: CallOrigin): RouteResult => {
    const query = asked(uri, origin);
    return deviceRoute(config, query, registrations, agents) ?? route(config, query, agents);
  };
  return {
    caller: request,
    to: (uri, origin) => {
      const found = find(uri, origin);
      if (found.type === 'reject') return refusedRoute(found);
      const hops = found.hops.map((hop) => withCallerNumbers(config, hop, [request, origin]));
      return { type: 'route', hops, policy: policyText(found.policy), skipped: found.skipped };
    },
    originOf: (account, uri, origin) => {
      const query = asked(uri, origin);
      // Agents that are out of service have their place all the same.
      const found =
        deviceRoute(config, query, registrations, agents) ?? route(config, query, IDLE_TRUNK);
      const [hop] = found.type === 'route' ? found.hops : [];
      const callingNumber = userOf(account) ?? '';
      if (hop === undefined) return { ...origin, callingNumber };
      const { sipInterface, agent } = hop;
      return { fromRealm: sipInterface.realm, fromAgent: agent, sipInterface, callingNumber };
    },
  };
}

const UNREACHABLE: ReadonlySet<RouteReject['reason']> = new Set(['no-agent-available', 'no-route']);

function refusedRoute(rejected: RouteReject): Routed {
  const isUnreachable = UNREACHABLE.has(rejected.reason);
  const hasRoute = rejected.reason === 'no-agent-available';
  return { type: 'refused', refusal: routeRefusal(rejected), isUnreachable, hasRoute };
}

/** Who calls is still the caller, in whose numbers the INVITE came, and not the account whose dial plan counts. */
function withCallerNumbers(
  config: Config,
  hop: Hop,
  [caller, origin]: readonly [CallOrigin, CallOrigin],
): Hop {
  if (caller === origin) return hop;
  const endOf = ({
    fromAgent: agent,
    sipInterface,
  }: CallOrigin): Parameters<typeof translationAt>[1] => ({ agent, sipInterface });
  const own = translationAt(config, endOf(caller), 'in');
  const others = translationAt(config, endOf(origin), 'in');
  if (own.length + others.length === 0) return hop;
  const { before = [], leaving = [] } = hop.translations ?? {};
  const translations = { before: [...own, ...before.slice(others.length)], leaving };
  return { ...hop, translations };
}
