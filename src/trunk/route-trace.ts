/** How a route was found: the numbers on their way, and what became of each policy for the called number. */
import type { Config } from '../config/config.ts';
import { isAlternative, policyIndex, type PolicyQuery, prefixOf } from '../config/policy-index.ts';
import { type LocalPolicy, policySource } from '../config/routing-config.ts';
import type { TrunkView } from './group-strategy.ts';
import { plainUser, translateUser } from './numbering.ts';
import {
  arrivedNumbers,
  type Hop,
  type PolicyStep,
  policyQuery,
  route,
  type RouteRequest,
  type RouteResult,
} from './policy.ts';
import { isOpen } from './time-of-day.ts';

export type PolicyVerdict =
  /** Its hops are tried. */
  | 'used'
  /** It is for the request, and gives no hop now. */
  | 'no-hop'
  /** It is for the request, and the alternatives before it ended the search. */
  | 'not-reached'
  /** Another one is more specific. */
  | 'lost'
  /** It is not for the request. */
  | 'not-for';

export interface TracedPolicy {
  /** Place in the file. */
  readonly index: number;
  readonly policy: LocalPolicy;
  readonly verdict: PolicyVerdict;
  /** In words; empty for `used`. */
  readonly why: string;
}

export interface NumberOnItsWay {
  readonly received: string;
  /** By which policies are looked up. */
  readonly arrived: string;
}

export interface RouteTrace {
  readonly called: NumberOnItsWay;
  readonly calling: NumberOnItsWay;
  /** Names of the translations before the look-up. */
  readonly translateIn: readonly string[];
  /** Policies for the called number: those that count first, then those that are not for the request. */
  readonly policies: readonly TracedPolicy[];
  /** How many policies are not listed. */
  readonly others: number;
  readonly result: RouteResult;
}

/** So many policies for the number, but not for the request, are listed. */
const MAX_NEARLY = 20;

/** Looks at every policy: for people who ask, not for calls. */
export function traceRoute(config: Config, request: RouteRequest, view: TrunkView): RouteTrace {
  const numbers = arrivedNumbers(config, request);
  const query = policyQuery(request, numbers);
  const result = route(config, request, view);
  const candidates = policyIndex(config.localPolicies).candidates(query);
  const nearly = config.localPolicies
    .filter(({ to }) => query.called.startsWith(prefixOf(to)))
    .filter((policy) => !candidates.includes(policy))
    .slice(0, MAX_NEARLY);
  const open = candidates.filter(({ time }) => isOpen(time, request.atMs));
  return {
    called: { received: request.calledNumber, arrived: numbers.called },
    calling: { received: request.callingNumber ?? '', arrived: numbers.calling },
    translateIn: numbers.translations.map(({ name }) => name),
    policies: [
      ...open.map((policy) => {
        const { verdict, why } = verdictOf(policy, open[0] ?? policy, result.steps);
        return traced(policy, verdict, why);
      }),
      ...candidates
        .filter((policy) => !open.includes(policy))
        .map((policy) => traced(policy, 'not-for', `it is not ${policy.time?.text ?? ''}`)),
      ...nearly.map((policy) => traced(policy, 'not-for', mismatch(policy, query))),
    ],
    others: config.localPolicies.length - candidates.length - nearly.length,
    result,
  };
}

function traced(policy: LocalPolicy, verdict: PolicyVerdict, why: string): TracedPolicy {
  return { index: policy.place, policy, verdict, why };
}

/** The calling number as `hop` is to see it. */
export function callingAt(hop: Hop, received: string): string {
  const { before, leaving } = hop.translations ?? { before: [], leaving: [] };
  return translateUser([...before, ...leaving], 'calling', plainUser(received));
}

function verdictOf(
  policy: LocalPolicy,
  best: LocalPolicy,
  steps: readonly PolicyStep[],
): Pick<TracedPolicy, 'verdict' | 'why'> {
  const step = steps.find((each) => each.policy === policy);
  if (step !== undefined) {
    if (step.reason === undefined) return { verdict: 'used', why: '' };
    const skipped = step.skipped.map(({ agent, reason }) => `${agent} ${reason}`);
    return { verdict: 'no-hop', why: [step.reason, ...skipped].join(', ') };
  }
  if (isAlternative(policy, best)) {
    return { verdict: 'not-reached', why: 'a policy before it rejects' };
  }
  return { verdict: 'lost', why: whyLost(policy, best) };
}

function whyLost(policy: LocalPolicy, best: LocalPolicy): string {
  if (policy.priority !== best.priority) {
    return `priority ${policy.priority} comes after ${best.priority}`;
  }
  if (policy.to !== best.to) return `to ${policy.to} is shorter than ${best.to}`;
  if (policy.from !== best.from) return `from ${policy.from} is shorter than ${best.from}`;
  return `${policySource(policy)} is less specific than ${policySource(best)}`;
}

function mismatch(policy: LocalPolicy, query: PolicyQuery): string {
  const { fromAgent, fromRealm, from, methods } = policy;
  if (!methods.includes(query.method)) return `it is for ${methods.join(', ')}`;
  if (fromAgent !== undefined && fromAgent !== query.fromAgent) {
    return `it is for session agent ${fromAgent}`;
  }
  if (fromAgent === undefined && fromRealm !== '*' && fromRealm !== query.fromRealm) {
    return `it is for realm ${fromRealm}`;
  }
  return `the calling number does not begin with ${from}`;
}
