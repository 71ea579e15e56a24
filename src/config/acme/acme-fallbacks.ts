/**
 * Next hops for shorter prefixes, which the box tries after those for the longest one.
 *
 *   to *  next-hop a        to 49  next-hop b
 *   ->  besides these two { to: "49", cost: 10000, next-hop: a }
 *
 * Of the policies here only those that are equal in prefixes and source are alternatives for a call.
 */
import { prefixOf } from '../policy-index.ts';
import type { PolicyHop } from './acme-policy-attribute.ts';
import type { ElementReader } from './acme-reader.ts';
import type { YamlItem } from './acme-yaml.ts';

export interface PolicyPlan {
  readonly reader: ElementReader;
  /** Name here, or `*`. */
  readonly realm: string;
  /** Prefix of the calling number, or `*`. */
  readonly calling: string;
  readonly to: readonly string[];
  readonly hop: PolicyHop;
}

/** All policies for the same calls. */
interface Slot {
  readonly realm: string;
  readonly calling: string;
  readonly to: string;
  /** By cost. */
  readonly plans: PolicyPlan[];
  /** The first of each route, so that thousands of equal ones take no longer than one. */
  always: readonly PolicyPlan[];
  timed: readonly PolicyPlan[];
}

interface Fallback {
  readonly plan: PolicyPlan;
  /** Where it stands. */
  readonly from: Slot;
}

interface Group extends Fallback {
  readonly slot: Slot;
  readonly to: string[];
}

/** After all that the policies have of their own. */
const COST = 10_000;
/** Further next hops for one prefix. */
const MAX_FALLBACKS = 4;

/** Policies to stand below all others; what cannot be told by them is a verdict on the local-policy. */
export function fallbackPolicies(plans: readonly PolicyPlan[]): readonly YamlItem[] {
  const slots = new Slots(plans);
  const groups = new Map<string, Group>();
  const places = new Map(plans.map((plan, place) => [plan, place]));
  for (const slot of slots.all()) {
    for (const { plan, from } of fallbacksOf(slot, slots)) {
      const key = [places.get(plan), from.to, slot.realm, slot.calling].join(' ');
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { plan, from, slot, to: [slot.to] });
      else group.to.push(slot.to);
    }
  }
  return [...groups.values()]
    .toSorted((a, b) => compare(a, b) || (places.get(a.plan) ?? 0) - (places.get(b.plan) ?? 0))
    .map((group) => itemOf(group));
}

class Slots {
  /** By realm and prefix of the called number, then by that of the calling one. */
  readonly #slots = new Map<string, Map<string, Slot>>();
  /** Prefixes of called numbers that a policy of one realm alone is for. */
  readonly #ofRealms = new Set<string>();

  constructor(plans: readonly PolicyPlan[]) {
    for (const plan of plans) for (const to of plan.to) this.#add(plan, to);
    for (const slot of this.all()) {
      slot.plans.sort((a, b) => a.hop.cost - b.hop.cost);
      slot.always = firstOfRoutes(slot.plans.filter(({ hop }) => !hop.isTimed));
      slot.timed = firstOfRoutes(slot.plans.filter(({ hop }) => hop.isTimed));
    }
  }

  all(): readonly Slot[] {
    return [...this.#slots.values()].flatMap((byCalling) => [...byCalling.values()]);
  }

  /** Those that are for the calls of `slot` and others besides, the nearest first. */
  *wider(slot: Slot): Generator<Slot, void> {
    const realms = new Set([slot.realm, '*']);
    for (const to of shortened(slot.to)) {
      const found = [...realms].flatMap((realm) => this.#slots.get(`${realm} ${to}`) ?? []);
      if (found.length === 0) continue;
      for (const calling of shortened(slot.calling)) {
        for (const byCalling of found) {
          const other = byCalling.get(calling);
          if (other !== undefined && other !== slot) yield other;
        }
      }
    }
  }

  /** Whether shorter prefixes are for some of the calls of `slot` alone. */
  hasNarrower({ realm, calling, to }: Slot): boolean {
    const [, ...shorter] = shortened(to);
    return shorter.some(
      (prefix) =>
        (realm === '*' && this.#ofRealms.has(prefix)) ||
        (calling === '*' && hasCalling(this.#slots.get(`${realm} ${prefix}`))),
    );
  }

  #add(plan: PolicyPlan, to: string): void {
    const { realm, calling } = plan;
    const key = `${realm} ${to}`;
    let byCalling = this.#slots.get(key);
    if (byCalling === undefined) {
      byCalling = new Map();
      this.#slots.set(key, byCalling);
    }
    const slot = byCalling.get(calling);
    if (slot === undefined)
      byCalling.set(calling, { realm, calling, to, plans: [plan], always: [], timed: [] });
    else slot.plans.push(plan);
    if (realm !== '*') this.#ofRealms.add(to);
  }
}

function fallbacksOf(slot: Slot, slots: Slots): readonly Fallback[] {
  const found: Fallback[] = [];
  const tried = new Set(slot.always.map((plan) => routeOf(plan)));
  if (slots.hasNarrower(slot))
    differ(slot, 'next hops for shorter prefixes and fewer callers are not tried after its own');
  if (slot.plans.some(({ hop }) => hop.isLast)) return [];
  for (const from of slots.wider(slot)) {
    judgeCost(slot, from);
    const timed = from.timed.find((plan) => !tried.has(routeOf(plan)))?.hop.line;
    if (timed !== undefined)
      differ(slot, `the next hop of line ${timed}, which has hours, is not tried after its own`);
    for (const plan of from.always) {
      if (tried.has(routeOf(plan))) continue;
      if (found.length === MAX_FALLBACKS) {
        const reason = `${MAX_FALLBACKS} next hops for shorter prefixes are tried after its own, no more`;
        differ(slot, reason);
        return found;
      }
      tried.add(routeOf(plan));
      found.push({ plan, from });
      if (plan.hop.isLast) return found;
    }
  }
  return found;
}

/** There, the cost may count before the length of the prefix. */
function judgeCost(slot: Slot, { plans }: Slot): void {
  const dearest = slot.plans.at(-1);
  const cheapest = plans[0];
  if (dearest === undefined || cheapest === undefined) return;
  if (cheapest.hop.cost >= dearest.hop.cost) return;
  const reason = `its cost is below that of line ${dearest.hop.line}, which is more specific and goes first here; \`priority\` goes before both`;
  cheapest.reader.finish({ fate: 'changed', reason });
}

function differ({ plans }: Slot, reason: string): void {
  for (const { reader } of plans) reader.finish({ fate: 'changed', reason });
}

function firstOfRoutes(plans: readonly PolicyPlan[]): readonly PolicyPlan[] {
  const seen = new Map<string, PolicyPlan>();
  for (const plan of plans) if (!seen.has(routeOf(plan))) seen.set(routeOf(plan), plan);
  return [...seen.values()];
}

function routeOf({ hop }: PolicyPlan): string {
  return `${hop.name} ${hop.methods.join(' ')}`;
}

/** `493` as 493, 49, 4 and `*`. */
function shortened(prefix: string): readonly string[] {
  const digits = prefixOf(prefix);
  return Array.from({ length: digits.length + 1 }, (_, cut) =>
    cut === digits.length ? '*' : digits.slice(0, digits.length - cut),
  );
}

function hasCalling(byCalling: ReadonlyMap<string, Slot> | undefined): boolean {
  return byCalling !== undefined && byCalling.size > (byCalling.has('*') ? 1 : 0);
}

/** The order in which they are tried: they have one cost here, so that their places count. */
function compare(one: Fallback, other: Fallback): number {
  const [a, b] = [one.from, other.from];
  return (
    prefixOf(b.to).length - prefixOf(a.to).length ||
    prefixOf(b.calling).length - prefixOf(a.calling).length ||
    Number(a.realm === '*') - Number(b.realm === '*') ||
    one.plan.hop.cost - other.plan.hop.cost
  );
}

function itemOf({ plan, slot, to }: Group): YamlItem {
  const { reader, hop } = plan;
  const [first = '*'] = to;
  return {
    comments: [
      `line ${reader.line}: local-policy, line ${hop.line}: policy-attribute`,
      'for longer prefixes too, after their own next hops',
    ],
    entries: [
      { key: 'from-realm', value: slot.realm },
      to.length === 1 ? { key: 'to', value: first } : { key: 'to-prefixes', value: to },
      ...(slot.calling === '*' ? [] : [{ key: 'from', value: slot.calling }]),
      { key: 'cost', value: COST },
      ...hop.entries.filter(({ key }) => key !== 'cost'),
    ],
  };
}
