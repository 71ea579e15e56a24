/**
 * How long a node that refused a call, or did not answer, is left out of new ones.
 *
 *   refused --5 s--> asked again --refused--> 10 s, 20 s, 30 s ... until it takes a call
 *
 * Pure: time is an argument.
 */

export const FIRST_REST_MS = 5000;
export const MAX_REST_MS = 30_000;

export class NodeRest {
  #nextMs = FIRST_REST_MS;
  #untilMs = -Infinity;

  isResting(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  /** @returns whether a rest begins; one that was asked before the rest began makes it no longer. */
  refused(nowMs: number): boolean {
    if (this.isResting(nowMs)) return false;
    this.#untilMs = nowMs + this.#nextMs;
    this.#nextMs = Math.min(MAX_REST_MS, 2 * this.#nextMs);
    return true;
  }

  /** It takes calls, so a rest is over. */
  accepted(): void {
    this.#nextMs = FIRST_REST_MS;
    this.#untilMs = -Infinity;
  }
}
