/**
 * Which kinds of legs meet in one call, and what each of them meets there. Pairs are as many as callers times callees, so
 * nobody looks at them: what the callees of a route bring along is summed up once for all of its callers, and the other
 * way round.
 *
 *   callers ─► source ("realm access", "agent pbx")  ─ routes ─►  target (agent, group, realm) ─► callees
 */
import type { Config } from './config.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';
import type { LocalPolicy } from './routing-config.ts';

/** What is asked about the legs that a leg meets. */
export interface Summary<T> {
  /** What one leg brings along; `undefined`: nothing. */
  readonly of: (kind: LegKind) => T | undefined;
  /** Both together, whatever their order and however often it happens. */
  readonly join: (one: T, other: T) => T;
}

type Side = readonly LegKind[];
type Sums<T> = Map<string, T>;

interface Route {
  readonly callers: Side;
  readonly callees: Side;
}

interface Routes {
  readonly routes: readonly Route[];
  /** Callers whose calls leave for every realm but their own. */
  readonly outward: readonly Side[];
  readonly strangers: Side;
}

const ROUTES = new WeakMap<Config, Routes>();

/** What each leg meets in calls, as caller or callee; legs that meet nothing are left out. */
export function met<T>(config: Config, summary: Summary<T>): ReadonlyMap<LegKind, T> {
  const { routes, outward, strangers } = routesOf(config);
  const sums = new Meeting(summary, () => '');
  sums.connect(routes);
  sums.connectOutward(outward.flat(), strangers);
  return sums.met;
}

/** The same of calls that go back into the realm they come from. */
export function metInOwnRealm<T>(config: Config, summary: Summary<T>): ReadonlyMap<LegKind, T> {
  const sums = new Meeting(summary, realmOf);
  sums.connect(routesOf(config).routes);
  return sums.met;
}

function realmOf({ sipInterface }: LegKind): string {
  return sipInterface.realm;
}

/** Legs meet where they have the same key. */
class Meeting<T> {
  readonly met = new Map<LegKind, T>();
  readonly #summary: Summary<T>;
  readonly #keyOf: (kind: LegKind) => string;

  constructor(summary: Summary<T>, keyOf: (kind: LegKind) => string) {
    this.#summary = summary;
    this.#keyOf = keyOf;
  }

  connect(routes: readonly Route[]): void {
    const sides = new Set(routes.flatMap(({ callers, callees }) => [callers, callees]));
    const own = new Map([...sides].map((side) => [side, this.#sums(side, this.#keyOf)] as const));
    const others = new Map([...sides].map((side): [Side, Sums<T>] => [side, new Map()]));
    const keys = new Map(
      [...sides].map((side) => [side, new Set(side.map((kind) => this.#keyOf(kind)))] as const),
    );
    const bring = (from: Side, to: Side): void => {
      const [sums, wanted, into] = [own.get(from), keys.get(to), others.get(to)];
      if (sums === undefined || wanted === undefined || into === undefined) return;
      const shared = sums.size < wanted.size ? sums.keys() : wanted;
      for (const key of shared) if (wanted.has(key)) this.#add(into, key, sums.get(key));
    };
    for (const { callers, callees } of routes) {
      bring(callees, callers);
      bring(callers, callees);
    }
    for (const [side, sums] of others) {
      for (const kind of side) this.#add(this.met, kind, sums.get(this.#keyOf(kind)));
    }
  }

  /** Each caller with the strangers of all other realms. */
  connectOutward(callers: Side, strangers: Side): void {
    const realms = [...new Set(strangers.map(realmOf))];
    const ofCallers = this.#exceptEach(realms, this.#sums(callers, realmOf));
    const ofStrangers = this.#exceptEach(realms, this.#sums(strangers, realmOf));
    for (const kind of callers) this.#add(this.met, kind, ofStrangers.get(realmOf(kind)));
    for (const kind of strangers) this.#add(this.met, kind, ofCallers.get(realmOf(kind)));
  }

  /** For each realm the sum of all others. */
  #exceptEach(realms: readonly string[], sums: Sums<T>): Sums<T> {
    const except: Sums<T> = new Map();
    for (const order of [realms, realms.toReversed()]) {
      let before: T | undefined;
      for (const realm of order) {
        this.#add(except, realm, before);
        before = this.#join(before, sums.get(realm));
      }
    }
    return except;
  }

  #sums(side: Side, keyOf: (kind: LegKind) => string): Sums<T> {
    const sums: Sums<T> = new Map();
    for (const kind of side) this.#add(sums, keyOf(kind), this.#summary.of(kind));
    return sums;
  }

  #add<K>(into: Map<K, T>, key: K, value: T | undefined): void {
    const sum = this.#join(into.get(key), value);
    if (sum !== undefined) into.set(key, sum);
  }

  #join(one: T | undefined, other: T | undefined): T | undefined {
    if (one === undefined || other === undefined) return one ?? other;
    return this.#summary.join(one, other);
  }
}

function routesOf(config: Config): Routes {
  const known = ROUTES.get(config);
  if (known !== undefined) return known;
  const made = makeRoutes(config);
  ROUTES.set(config, made);
  return made;
}

function makeRoutes(config: Config): Routes {
  const kinds = legKinds(config);
  const strangers = kinds.filter(({ agent }) => agent === undefined);
  const callersOf = callersBySource(kinds);
  const calleesOf = calleesByTarget(config, kinds);
  const isOneRealm = new Set(strangers.map(realmOf)).size === 1;
  if (isOneRealm) calleesOf.set(ELSEWHERE, strangers);
  const routes = new Map<string, Route>();
  const outward = new Set<Side>();
  for (const policy of config.localPolicies) {
    const [source, target] = [sourceKey(policy), targetKey(policy)];
    const callers = callersOf.get(source);
    if (callers === undefined) continue;
    if (target === ELSEWHERE && !isOneRealm) outward.add(callers);
    const callees = calleesOf.get(target);
    if (callees !== undefined) routes.set(JSON.stringify([source, target]), { callers, callees });
  }
  return { routes: [...routes.values()], outward: [...outward], strangers };
}

function sourceKey({ fromAgent, fromRealm }: LocalPolicy): string {
  return fromAgent === undefined ? `realm ${fromRealm}` : `agent ${fromAgent}`;
}

const ELSEWHERE = 'elsewhere';

function targetKey({ nextHop, toRealm }: LocalPolicy): string {
  if (nextHop !== 'request-uri') return `name ${nextHop}`;
  return toRealm === undefined ? ELSEWHERE : `realm ${toRealm}`;
}

/** Those who may call, under the key of every source they belong to. */
function callersBySource(kinds: readonly LegKind[]): ReadonlyMap<string, Side> {
  const callers = kinds.filter(mayCall);
  const agents = callers.filter(({ agent }) => agent !== undefined);
  return new Map([
    ...Map.groupBy(callers, (kind) => `realm ${realmOf(kind)}`),
    ...Map.groupBy(agents, ({ agent }) => `agent ${agent?.name ?? ''}`),
    ['realm *', callers],
  ]);
}

/** Strangers call only where they are let in. */
function mayCall({ agent, sipInterface }: LegKind): boolean {
  return agent !== undefined || sipInterface.admit === 'anyone' || sipInterface.allow.length > 0;
}

/** Those who are called, under the key of every target they belong to. */
function calleesByTarget({ sessionGroups }: Config, kinds: readonly LegKind[]): Map<string, Side> {
  const agents = new Map(
    kinds.flatMap((kind) => (kind.agent === undefined ? [] : [[kind.agent.name, kind] as const])),
  );
  const strangers = kinds.filter(({ agent }) => agent === undefined);
  const targets = new Map<string, Side>(Map.groupBy(strangers, (kind) => `realm ${realmOf(kind)}`));
  for (const [name, kind] of agents) targets.set(`name ${name}`, [kind]);
  for (const { name, members } of sessionGroups) {
    const called = [...new Set(members)].flatMap((member) => agents.get(member) ?? []);
    targets.set(`name ${name}`, called);
  }
  return targets;
}
