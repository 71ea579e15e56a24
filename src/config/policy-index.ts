/**
 * Which local policies are for a request, the one that counts first at the front:
 *
 *   1. priority         lower first
 *   2. to               longest prefix of the called number
 *   3. from             longest prefix of the calling number
 *   4. source           from-agent, from-realm, "*"
 *   5. time             policies with `time` before those without
 *   6. cost             lower first
 *   7. place in the file
 *
 * Policies that are equal in 1 to 4 are alternatives for the same requests. The cost of a look-up does not depend on how
 * many policies there are.
 */
import { PrefixMap } from './prefix-map.ts';
import type { LocalPolicy } from './routing-config.ts';

/** What of a request selects policies. */
export interface PolicyQuery {
  readonly method: string;
  readonly fromRealm: string;
  /** Name of the session agent that sent it. */
  readonly fromAgent: string | undefined;
  readonly called: string;
  readonly calling: string;
}

/** A policy and its place among all prefixes of all policies. */
export interface PolicyEntry {
  readonly policy: LocalPolicy;
  readonly place: number;
}

/** The policies for one prefix of the called number; most do not look at who calls. */
interface ForCalled {
  readonly anyCalling: PolicyEntry[];
  byCalling: PrefixMap<PolicyEntry[]> | undefined;
}

type ByNumbers = PrefixMap<ForCalled>;

const STEP_POLICIES = 500;

export class PolicyIndex {
  readonly #bySource = new Map<string, ByNumbers>();

  constructor(policies: readonly LocalPolicy[] = []) {
    const filling = this.filling(policies);
    while (filling.next().done !== true);
  }

  /** Takes in `policies`, the first ones, in steps that take a millisecond or so each. */
  *filling(policies: readonly LocalPolicy[]): Generator<undefined, void> {
    for (const [place, policy] of policies.entries()) {
      this.#add(policy, place);
      if (place % STEP_POLICIES === STEP_POLICIES - 1) yield;
    }
    for (const byNumbers of this.#bySource.values()) yield* byNumbers.sorting(STEP_POLICIES);
  }

  #add(policy: LocalPolicy, place: number): void {
    for (const method of policy.methods) {
      const key = sourceKey(method, policy.fromAgent, policy.fromRealm);
      let byNumbers = this.#bySource.get(key);
      if (byNumbers === undefined) {
        byNumbers = new PrefixMap();
        this.#bySource.set(key, byNumbers);
      }
      const forCalled = byNumbers.take(prefixOf(policy.to), nothingYet);
      entriesFor(forCalled, prefixOf(policy.from)).push({ policy, place });
    }
  }

  /** Every policy for the request, at whatever time. */
  candidates(query: PolicyQuery): LocalPolicy[] {
    return this.#sources(query)
      .flatMap((byNumbers) => byNumbers.matches(query.called))
      .flatMap(({ anyCalling, byCalling }) =>
        byCalling === undefined
          ? anyCalling
          : [...byCalling.matches(query.calling).flat(), ...anyCalling],
      )
      .toSorted(comparePolicies)
      .map(({ policy }) => policy);
  }

  /** Whether more digits could find a policy: the called number is the beginning of a prefix. */
  isIncomplete(query: Omit<PolicyQuery, 'calling'>): boolean {
    if (query.called === '') return false;
    return this.#sources(query).some((byNumbers) => byNumbers.hasBeginning(query.called));
  }

  #sources(query: SourceQuery): ByNumbers[] {
    const keys = sourceKeys(query);
    return [...keys].flatMap((key) => this.#bySource.get(key) ?? []);
  }
}

function nothingYet(): ForCalled {
  return { anyCalling: [], byCalling: undefined };
}

function entriesFor(forCalled: ForCalled, calling: string): PolicyEntry[] {
  if (calling === '') return forCalled.anyCalling;
  forCalled.byCalling ??= new PrefixMap();
  return forCalled.byCalling.take(calling, () => []);
}

const INDEXES = new WeakMap<readonly LocalPolicy[], PolicyIndex>();

/** The index of `policies`, which must not change; it is built when it is asked for first. */
export function policyIndex(policies: readonly LocalPolicy[]): PolicyIndex {
  const known = INDEXES.get(policies);
  if (known !== undefined) return known;
  const index = new PolicyIndex(policies);
  INDEXES.set(policies, index);
  return index;
}

/** Makes the index of `policies` before it is asked for, in steps of a millisecond or so. */
export function* indexing(policies: readonly LocalPolicy[]): Generator<undefined, void> {
  if (INDEXES.has(policies)) return;
  const index = new PolicyIndex();
  yield* index.filling(policies);
  INDEXES.set(policies, index);
}

/** Whether two policies are alternatives for the same requests. */
export function isAlternative(a: LocalPolicy, b: LocalPolicy): boolean {
  return (
    a.priority === b.priority &&
    a.to === b.to &&
    a.from === b.from &&
    a.fromRealm === b.fromRealm &&
    a.fromAgent === b.fromAgent
  );
}

/** The text of a prefix: `*` is the empty one. */
export function prefixOf(text: string): string {
  return text === '*' ? '' : text;
}

/** 2 for an agent, 1 for a realm, 0 for any. */
export function sourceRank({ fromAgent, fromRealm }: LocalPolicy): number {
  if (fromAgent !== undefined) return 2;
  return fromRealm === '*' ? 0 : 1;
}

type SourceQuery = Pick<PolicyQuery, 'method' | 'fromAgent' | 'fromRealm'>;

/** The sources that a request counts for. */
export function sourceKeys({ method, fromAgent, fromRealm }: SourceQuery): ReadonlySet<string> {
  return new Set([
    ...(fromAgent === undefined ? [] : [sourceKey(method, fromAgent, '*')]),
    sourceKey(method, undefined, fromRealm),
    sourceKey(method, undefined, '*'),
  ]);
}

/** What a policy is for, of the requests with `method`. */
export function sourceKey(
  method: string,
  fromAgent: string | undefined,
  fromRealm: string,
): string {
  return fromAgent === undefined ? `${method} realm ${fromRealm}` : `${method} agent ${fromAgent}`;
}

/** Which of two goes first. */
export function comparePolicies(a: PolicyEntry, b: PolicyEntry): number {
  const [one, other] = [a.policy, b.policy];
  return (
    one.priority - other.priority ||
    prefixOf(other.to).length - prefixOf(one.to).length ||
    prefixOf(other.from).length - prefixOf(one.from).length ||
    sourceRank(other) - sourceRank(one) ||
    Number(one.time === undefined) - Number(other.time === undefined) ||
    one.cost - other.cost ||
    a.place - b.place
  );
}
