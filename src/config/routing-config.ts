/** Where requests go and what becomes of their numbers, as the file says it. */
import type { TimeWindow } from './time-window.ts';

/** One prefix of one policy of the file: `to-prefixes` make several, which differ in `to` alone. */
export interface LocalPolicy {
  /** Index of the policy in the file. */
  readonly place: number;
  /** Realm name or `*`; `*` as well where `fromAgent` is set. */
  readonly fromRealm: string;
  /** Session agent that the request must come from. */
  readonly fromAgent: string | undefined;
  /** Prefix of the called number or `*`. */
  readonly to: string;
  /** Prefix of the calling number or `*`. */
  readonly from: string;
  /** Upper case, at least one. */
  readonly methods: readonly string[];
  /** Lower goes first, whatever else is more specific. */
  readonly priority: number;
  /** Lower goes first among policies for the same requests. */
  readonly cost: number;
  /** `undefined`: at any time. */
  readonly time: TimeWindow | undefined;
  /** Agent name, group name, `request-uri` or `reject`. */
  readonly nextHop: string;
  /** Realm whose interface sends the request, for `request-uri` only. */
  readonly toRealm: string | undefined;
  /** Set for `reject` only. */
  readonly rejection: PolicyRejection | undefined;
  /** Translation of the numbers of requests that take this policy. */
  readonly translate: string | undefined;
}

export interface PolicyRejection {
  /** From 400 to 606. */
  readonly status: number;
  /** Reason phrase in place of the usual one. */
  readonly phrase: string | undefined;
}

export const DEFAULT_PRIORITY = 100;

/** The source a policy is for, as operators spell it. */
export function policySource({ fromAgent, fromRealm }: LocalPolicy): string {
  return fromAgent === undefined ? `from-realm ${fromRealm}` : `from-agent ${fromAgent}`;
}

/** A policy on one line: what it is for and where it leads. */
export function policyText(policy: LocalPolicy): string {
  const { to, from, methods, priority, cost, time, nextHop, toRealm, rejection } = policy;
  const isUsual = methods.length === 1 && methods[0] === 'INVITE';
  return [
    `${policySource(policy)}, to ${to}`,
    ...(from === '*' ? [] : [`from ${from}`]),
    ...(isUsual ? [] : [`methods ${methods.join(' ')}`]),
    ...(time === undefined ? [] : [`time ${time.text}`]),
    ...(priority === DEFAULT_PRIORITY ? [] : [`priority ${priority}`]),
    ...(cost === 0 ? [] : [`cost ${cost}`]),
    `next-hop ${nextHop}`,
    ...(toRealm === undefined ? [] : [`to-realm ${toRealm}`]),
    ...(rejection === undefined ? [] : [`code ${rejection.status}`]),
    ...(policy.translate === undefined ? [] : [`translate ${policy.translate}`]),
  ].join(', ');
}
