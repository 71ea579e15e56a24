import { hopKey } from '../../trunk/redirect.ts';
import type { Hop } from '../../trunk/policy.ts';
import { isWorthAnotherHop } from './attempt-failure.ts';

/** How many places a call may be redirected to, all redirections together. */
export const MAX_REDIRECTS = 5;

/**
 * The hops of one call, each tried once: those of the route in order, the targets of a redirection before what is left.
 *
 *   failed hop            next hop of the route          next target of a redirection
 *   408, 5xx, a failover code of the hop's group
 *                         tried                          tried
 *   3xx, other 4xx        not tried                      tried (RFC 3261 §8.1.3.4)
 *   6xx                   not tried                      not tried
 */
export class HopQueue {
  #waiting: readonly { readonly hop: Hop; readonly isTarget: boolean }[];
  readonly #tried = new Set<string>();
  #current: Hop | undefined;
  #redirects = 0;

  constructor(hops: readonly Hop[]) {
    this.#waiting = hops.map((hop) => ({ hop, isTarget: false }));
  }

  /** Takes the hop to try now. */
  take(): Hop | undefined {
    const [next, ...rest] = this.#waiting;
    if (next === undefined) return undefined;
    this.#waiting = rest;
    this.#tried.add(hopKey(next.hop));
    this.#current = next.hop;
    return next.hop;
  }

  /** Whether a hop is left after one that failed with `status`. */
  leadsOn(status: number): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    if (this.#current?.failoverCodes?.includes(status) === true) return true;
    return isWorthAnotherHop(status) || (next.isTarget && status >= 300 && status < 600);
  }

  /** Puts the targets of a redirection first; returns those that are untried and within the limit. */
  redirect(hops: readonly Hop[]): readonly Hop[] {
    const targets = hops
      .filter((hop) => !this.#tried.has(hopKey(hop)))
      .slice(0, MAX_REDIRECTS - this.#redirects);
    this.#redirects += targets.length;
    const keys = new Set(targets.map(hopKey));
    const others = this.#waiting.filter(({ hop }) => !keys.has(hopKey(hop)));
    this.#waiting = [...targets.map((hop) => ({ hop, isTarget: true })), ...others];
    return targets;
  }
}
