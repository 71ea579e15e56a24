/**
 * Whether the dial plan has a way for what an account would forward, before there is any call: asked from every place
 * that a call to the account may come from, with every agent in service and every time window open.
 */
import type { Config, SessionAgent } from '../../config/config.ts';
import type { LocalPolicy } from '../../config/routing-config.ts';
import type { AgentRegistry } from '../../trunk/agent-registry.ts';
import { telUser } from '../../trunk/numbering.ts';
import { IDLE_TRUNK, route } from '../../trunk/policy.ts';
import { userOf } from '../headers/header-policy.ts';
import type { Registrations } from '../outside/registrations.ts';
import { accountUri } from './account-uri.ts';
import { type CallOrigin, forwardRoutes } from './forward-routes.ts';

export interface TargetRouteParts {
  readonly agents: AgentRegistry;
  readonly registrations: Registrations;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** What is made of a configuration once. */
interface Plan {
  /** With the policies as they are at some time or other. */
  readonly config: Config;
  readonly callers: readonly CallOrigin[];
  /** Realms (`*` for all) and agents that have policies of their own. */
  readonly realms: ReadonlySet<string>;
  readonly agents: ReadonlySet<string | undefined>;
}

/** Places that one answer asks from; where there are more, the call itself has to show. */
const MOST_CALLERS = 100;

export class TargetRoutes {
  readonly #parts: TargetRouteParts;
  readonly #plans = new WeakMap<Config, Plan>();

  constructor(parts: TargetRouteParts) {
    this.#parts = parts;
  }

  /**
   * @param account `sip:user@domain`.
   * @param uri SIP URI of the target.
   * @returns true as well where there is no dial plan to ask, or none for the place where the account is.
   */
  hasWay(config: Config, account: string, uri: string): boolean {
    const plan = this.#planOf(config);
    if (plan.callers.length > MOST_CALLERS) return true;
    const calledNumber = telUser(uri) ?? userOf(uri) ?? '';
    const atMs = this.#parts.nowMs();
    const asked = new Set<string>();
    return plan.callers.some((caller) => {
      const origin = this.#originOf(plan, account, { ...caller, atMs });
      const key = JSON.stringify([origin.sipInterface?.name, origin.fromAgent?.name]);
      if (asked.has(key)) return false;
      asked.add(key);
      if (!hasPolicies(plan, origin)) return true;
      const request = { ...origin, calledNumber, requestUri: uri, atMs };
      return route(plan.config, request, IDLE_TRUNK).type === 'route';
    });
  }

  #originOf(
    { config }: Plan,
    account: string,
    { atMs, ...caller }: CallOrigin & { readonly atMs: number },
  ): CallOrigin {
    const { agents, registrations } = this.#parts;
    const requestUri = accountUri(account);
    const request = { ...caller, requestUri, calledNumber: userOf(requestUri) ?? '', atMs };
    const routes = forwardRoutes({ config, request, agents, registrations });
    return routes.originOf(account, requestUri, caller);
  }

  #planOf(config: Config): Plan {
    const known = this.#plans.get(config);
    if (known !== undefined) return known;
    const named = config.localPolicies.filter(({ fromAgent }) => fromAgent !== undefined);
    const others = config.localPolicies.filter(({ fromAgent }) => fromAgent === undefined);
    const plan = {
      config: atAnyTime(config),
      callers: callersIn(config),
      realms: new Set(others.map(({ fromRealm }) => fromRealm)),
      agents: new Set(named.map(({ fromAgent }) => fromAgent)),
    };
    this.#plans.set(config, plan);
    return plan;
  }
}

function hasPolicies({ realms, agents }: Plan, { fromRealm, fromAgent }: CallOrigin): boolean {
  const isNamed = fromAgent !== undefined && agents.has(fromAgent.name);
  return isNamed || realms.has(fromRealm) || realms.has('*');
}

/** Windows stand open, and what is rejected only at times is not. */
function atAnyTime(config: Config): Config {
  const { localPolicies } = config;
  if (localPolicies.every(({ time }) => time === undefined)) return config;
  const open = localPolicies.flatMap((policy): LocalPolicy[] => {
    if (policy.time === undefined) return [policy];
    return policy.nextHop === 'reject' ? [] : [{ ...policy, time: undefined }];
  });
  return { ...config, localPolicies: open };
}

/** Who may call, one of each kind that the dial plan tells apart. */
function callersIn({ sipInterfaces, sessionAgents, localPolicies }: Config): CallOrigin[] {
  const named = new Set(localPolicies.map(({ fromAgent }) => fromAgent));
  const callers = new Map<string, CallOrigin>();
  for (const sipInterface of sipInterfaces) {
    const { realm: fromRealm, name } = sipInterface;
    const inRealm = sessionAgents.filter(({ realm }) => realm === fromRealm);
    const agents: (SessionAgent | undefined)[] = [undefined, ...inRealm];
    for (const fromAgent of agents) {
      const own = fromAgent !== undefined && named.has(fromAgent.name) ? fromAgent.name : undefined;
      const key = JSON.stringify([name, own, fromAgent?.translateIn]);
      if (!callers.has(key)) callers.set(key, { fromRealm, fromAgent, sipInterface });
    }
  }
  return [...callers.values()];
}
