/**
 * Which policy leaves another one no request. Policies that are equal in all but time and cost are alternatives; they
 * stand together in the order of policy-index.ts, so the first policy that is always there decides:
 *
 *   it is no alternative of the policy     it takes all requests before
 *   else                                   an alternative before it rejects, or leads to the same next hop
 */
import {
  comparePolicies,
  isAlternative,
  type PolicyEntry,
  type PolicyQuery,
  prefixOf,
  sourceKey,
  sourceKeys,
} from './policy-index.ts';
import { PrefixMap } from './prefix-map.ts';
import { type LocalPolicy, policySource } from './routing-config.ts';

export interface Shadow {
  readonly policy: LocalPolicy;
  readonly why: string;
}

/** The best policy with a text; `''` is of policies for any time. */
type Firsts = Map<string, PolicyEntry>;
type ByNumbers = PrefixMap<PrefixMap<Firsts>>;

export class PolicyShadows {
  /** By hours. */
  readonly #bySource = new Map<string, ByNumbers>();
  /** By what they do at which hours. */
  readonly #alternatives = new Map<string, Firsts>();

  constructor(policies: readonly LocalPolicy[]) {
    for (const [place, policy] of policies.entries()) {
      for (const method of policy.methods) this.#add({ policy, place }, method);
    }
  }

  /** The policy before `entry` that leaves it no request of `method`. */
  shadowOf(entry: PolicyEntry, query: PolicyQuery): Shadow | undefined {
    const { policy } = entry;
    const hours = new Set(['', hoursOf(policy)]);
    const first = best(
      this.#firsts(query).flatMap((firsts) => [...hours].flatMap((each) => firsts.get(each) ?? [])),
    );
    if (first === undefined || comparePolicies(first, entry) >= 0) return undefined;
    if (!isAlternative(first.policy, policy)) {
      const why = `is for the same requests with priority ${first.policy.priority}`;
      return { policy: first.policy, why };
    }
    return this.#shadowAmongAlternatives(entry, query.method);
  }

  /** Whether some policy for the requests of `query` is there at any time. */
  isAlways(query: PolicyQuery): boolean {
    return this.#firsts(query).some((firsts) => firsts.has(''));
  }

  /** The first of the alternatives that `policy` is one of. */
  firstAlternative(policy: LocalPolicy, method: string): LocalPolicy | undefined {
    return this.#alternatives.get(alternativesKey(policy, method))?.get(FIRST)?.policy;
  }

  #firsts(query: PolicyQuery): Firsts[] {
    return [...sourceKeys(query)]
      .flatMap((source) => this.#bySource.get(source)?.matches(query.called) ?? [])
      .flatMap((byCalling) => byCalling.matches(query.calling));
  }

  #shadowAmongAlternatives(entry: PolicyEntry, method: string): Shadow | undefined {
    const { policy } = entry;
    const alternatives = this.#alternatives.get(alternativesKey(policy, method));
    const earlier = ['', hoursOf(policy)].flatMap((hours) =>
      [REJECTS, doingOf(policy)].flatMap((doing) => alternatives?.get(`${hours} ${doing}`) ?? []),
    );
    const shadow = best(earlier);
    if (shadow === undefined || comparePolicies(shadow, entry) >= 0) return undefined;
    if (shadow.policy.nextHop === 'reject') {
      return { policy: shadow.policy, why: 'rejects the same requests before' };
    }
    const source = policySource(policy).split(' ', 1)[0] ?? '';
    const why = `has the same ${source} and to, and the same next-hop`;
    return { policy: shadow.policy, why };
  }

  #add(entry: PolicyEntry, method: string): void {
    const { policy } = entry;
    const source = sourceKey(method, policy.fromAgent, policy.fromRealm);
    const byNumbers = this.#bySource.get(source) ?? new PrefixMap<PrefixMap<Firsts>>();
    this.#bySource.set(source, byNumbers);
    const byCalling = byNumbers.take(prefixOf(policy.to), () => new PrefixMap());
    const firsts = byCalling.take(prefixOf(policy.from), () => new Map());
    const hours = hoursOf(policy);
    keepBest(firsts, hours, entry);
    const key = alternativesKey(policy, method);
    const alternatives = this.#alternatives.get(key) ?? new Map<string, PolicyEntry>();
    this.#alternatives.set(key, alternatives);
    keepBest(alternatives, FIRST, entry);
    keepBest(alternatives, `${hours} ${doingOf(policy)}`, entry);
  }
}

const FIRST = 'first';
const REJECTS = 'reject';

function hoursOf({ time }: LocalPolicy): string {
  return time?.text ?? '';
}

function doingOf({ nextHop, translate }: LocalPolicy): string {
  return nextHop === 'reject' ? REJECTS : JSON.stringify([nextHop, translate ?? null]);
}

/** The same for policies that are alternatives for requests with `method`. */
export function alternativesKey(
  { fromAgent, fromRealm, priority, to, from }: LocalPolicy,
  method: string,
): string {
  return JSON.stringify([sourceKey(method, fromAgent, fromRealm), priority, to, from]);
}

function keepBest(firsts: Firsts, key: string, entry: PolicyEntry): void {
  const known = firsts.get(key);
  if (known === undefined || comparePolicies(entry, known) < 0) firsts.set(key, entry);
}

function best(entries: readonly PolicyEntry[]): PolicyEntry | undefined {
  return entries.toSorted(comparePolicies)[0];
}
