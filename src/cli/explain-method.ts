/** What becomes of a request outside calls that is no INVITE: the `methods` decision, without sending anything. */
import type { Config } from '../config/config.ts';
import { RELAYED_METHODS, relayTarget } from '../config/method-relay.ts';
import type { TrunkView } from '../trunk/group-strategy.ts';
import type { Hop } from '../trunk/policy.ts';
import { relayHops } from '../trunk/relay-hops.ts';
import type { Origin } from './explain-route.ts';

export interface MethodExplanation {
  readonly type: 'method';
  readonly origin: Origin;
  readonly method: string;
  /** The status that is answered here; absent for a request that is relayed. */
  readonly status: number | undefined;
  /** Which parameter decides and what it says, or why none does. */
  readonly why: string;
  readonly hops: readonly Hop[];
}

/** Answered here whatever the configuration says. */
const FIXED: Readonly<Record<string, readonly [status: number, why: string]>> = {
  OPTIONS: [200, 'answered here'],
  SUBSCRIBE: [489, 'served inside calls and for kpml only'],
  BYE: [481, 'belongs to a call'],
  UPDATE: [481, 'belongs to a call'],
  PRACK: [481, 'belongs to a call'],
};

/** `user` is that of the request-URI; a registered device at it is not known here. */
export function explainMethod(
  config: Config,
  origin: Origin,
  request: { readonly method: string; readonly user: string },
  view: TrunkView,
): MethodExplanation {
  const { method, user } = request;
  const answered = (status: number, why: string): MethodExplanation => ({
    type: 'method',
    origin,
    method,
    status,
    why,
    hops: [],
  });
  const known = RELAYED_METHODS.find((each) => each === method);
  if (known === undefined) {
    const [status, why] = FIXED[method] ?? [405, 'never relayed'];
    return answered(status, why);
  }
  const { agent, sipInterface } = origin;
  const isOfAgent = agent?.methods?.[known] !== undefined;
  const place = isOfAgent ? `session-agent ${agent.name}` : `sip-interface ${sipInterface.name}`;
  const key = `methods.${method.toLowerCase()}`;
  const written = agent?.methods?.[known] ?? sipInterface.methods?.[known];
  const why = written === undefined ? `${key} is not set` : `${key}: ${written} of ${place}`;
  const refusal = method === 'NOTIFY' ? 481 : 405;
  const target = relayTarget(method, origin);
  if (target === undefined) return answered(refusal, why);
  const all = relayHops(config, target, user, view);
  const hops = all.filter((hop) => hop.agent?.name !== agent?.name);
  if (all.length === 0) return answered(503, `${why}, of which none is in service`);
  if (hops.length === 0) return answered(refusal, `${why}, where the request comes from`);
  return { type: 'method', origin, method, status: undefined, why, hops };
}
