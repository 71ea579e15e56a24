/**
 * Which requests go elsewhere. Looked at are the prefixes of the policies that came, went or changed, for every realm and
 * every agent that has policies of its own:
 *
 *   source             to      before                            after
 *   from-realm access  +49     carriers                          carrier-two, then carriers
 *   from-realm access  +4916   carriers (by "+49")               reject 403
 */
import type { Config } from './config.ts';
import { isAlternative, policyIndex, prefixOf } from './policy-index.ts';
import { DEFAULT_PRIORITY, type LocalPolicy, policyText } from './routing-config.ts';

export interface RouteChange {
  /** `from-realm NAME` or `from-agent NAME`. */
  readonly source: string;
  /** Prefix of the called and of the calling number, or `*`. */
  readonly to: string;
  readonly from: string;
  readonly method: string;
  /** Next hops in the order in which they are tried; `no route` where there is none. */
  readonly before: string;
  readonly after: string;
}

export interface RouteChanges {
  /** Policies on one line each; one that was changed is in both. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly changes: readonly RouteChange[];
  /** There may be more: only so many policies and prefixes are looked at. */
  readonly isPartial: boolean;
}

/** Prefixes looked at, for all sources together: a look-up takes some microseconds. */
const MAX_QUERIES = 20_000;
const MAX_CHANGES = 500;

export function routeChanges(old: Config, next: Config): RouteChanges {
  const [before, after] = [old.localPolicies, next.localPolicies];
  const removed = without(before, after);
  const added = without(after, before);
  const policies = policiesToLookAt([before, after], [...removed, ...added]);
  const changes: RouteChange[] = [];
  let queries = 0;
  let isPartial = Math.max(removed.length, added.length) > MAX_CHANGES;
  for (const query of queriesFor(old, next, policies)) {
    queries += 1;
    if (queries > MAX_QUERIES || changes.length >= MAX_CHANGES) {
      isPartial = true;
      break;
    }
    const change = changeAt(old, next, query);
    if (change !== undefined) changes.push(change);
  }
  return { removed: textsOf(removed), added: textsOf(added), changes, isPartial };
}

function textsOf(policies: readonly LocalPolicy[]): string[] {
  return policies.slice(0, MAX_CHANGES).map((policy) => policyText(policy));
}

function changeAt(old: Config, next: Config, query: Query): RouteChange | undefined {
  const [before, after] = [routeText(old, query), routeText(next, query)];
  if (before === after) return undefined;
  const { method, source, to, from } = query;
  const text = `${source.agent === undefined ? 'from-realm' : 'from-agent'} ${source.name}`;
  return { source: text, to, from, method, before, after };
}

function without(
  policies: readonly LocalPolicy[],
  others: readonly LocalPolicy[],
): readonly LocalPolicy[] {
  const known = new Set(others.map((policy) => policyText(policy)));
  return policies.filter((policy) => !known.has(policyText(policy)));
}

/** Those that came or went; all of them where the order or a priority may change more. */
function policiesToLookAt(
  [before, after]: readonly [readonly LocalPolicy[], readonly LocalPolicy[]],
  changed: readonly LocalPolicy[],
): readonly LocalPolicy[] {
  const isSameOrder =
    JSON.stringify(before.map((policy) => policyText(policy))) ===
    JSON.stringify(after.map((policy) => policyText(policy)));
  if (isSameOrder) return [];
  const isLocal =
    changed.length > 0 && changed.every(({ priority }) => priority === DEFAULT_PRIORITY);
  return isLocal ? changed : [...before, ...after];
}

interface Query {
  readonly source: { readonly name: string; readonly realm: string; readonly agent?: string };
  readonly to: string;
  readonly from: string;
  readonly method: string;
}

function* queriesFor(
  old: Config,
  next: Config,
  policies: readonly LocalPolicy[],
): Generator<Query> {
  const seen = new Set<string>();
  for (const policy of policies) {
    for (const source of sourcesOf(old, next, policy)) {
      for (const method of policy.methods) {
        const { to, from } = policy;
        const key = JSON.stringify([source.agent, source.realm, to, from, method]);
        if (seen.has(key)) continue;
        seen.add(key);
        yield { source, to, from, method };
      }
    }
  }
}

/** Where requests that `policy` is for may come from. */
function sourcesOf(old: Config, next: Config, policy: LocalPolicy): Query['source'][] {
  const { fromAgent: agent, fromRealm } = policy;
  if (agent !== undefined) {
    const known = [...next.sessionAgents, ...old.sessionAgents].find(({ name }) => name === agent);
    return [{ name: agent, realm: known?.realm ?? fromRealm, agent }];
  }
  if (fromRealm !== '*') return [{ name: fromRealm, realm: fromRealm }];
  const realms = [...old.sipInterfaces, ...next.sipInterfaces].map(({ realm }) => realm);
  return [...new Set(realms)].map((realm) => ({ name: realm, realm }));
}

const NO_ROUTE = 'no route';

/** Where a request goes, at whatever hour: policies with hours come first, each with the alternatives it has. */
function routeText(config: Config, { source, to, from, method }: Query): string {
  const all = policyIndex(config.localPolicies).candidates({
    method,
    fromRealm: source.realm,
    fromAgent: source.agent,
    called: prefixOf(to),
    calling: prefixOf(from),
  });
  const always = all.findIndex(({ time }) => time === undefined);
  const last = all[always];
  const reached = all.filter(
    (policy, index) =>
      always < 0 || index <= always || (last !== undefined && isAlternative(policy, last)),
  );
  return reached.length === 0 ? NO_ROUTE : reached.map((policy) => hopText(policy)).join(', then ');
}

function hopText({ nextHop, toRealm, rejection, translate, time }: LocalPolicy): string {
  return [
    nextHop,
    ...(toRealm === undefined ? [] : [`to-realm ${toRealm}`]),
    ...(rejection === undefined ? [] : [String(rejection.status)]),
    ...(translate === undefined ? [] : [`translate ${translate}`]),
    ...(time === undefined ? [] : [`(${time.text})`]),
  ].join(' ');
}
