/** How long after the INVITE has left a phone that shows no sign of ringing counts as ringing. */
export const RINGS_BY_MS = 4000;

/**
 * The time that the phone of an account rings before the call goes on.
 *
 *   idle --INVITE left--> waiting --180, 183 or 4 s--> ringing --rings over--> expired
 *                            '----- answered, over -------'------> stopped
 */
export class RingTimer {
  #state: 'idle' | 'waiting' | 'ringing' | 'expired' | 'stopped' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #afterMs = 0;
  #onExpired: () => void = () => undefined;

  get hasExpired(): boolean {
    return this.#state === 'expired';
  }

  /** Another INVITE for the same account changes nothing but who is told. */
  sent(afterMs: number, onExpired: () => void): void {
    this.#onExpired = onExpired;
    if (this.#state !== 'idle') return;
    this.#state = 'waiting';
    this.#afterMs = afterMs;
    this.#timer = setTimeout(() => this.rings(), RINGS_BY_MS);
  }

  rings(): void {
    if (this.#state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#state = 'ringing';
    this.#timer = setTimeout(() => {
      this.#state = 'expired';
      this.#onExpired();
    }, this.#afterMs);
  }

  /** Nothing expires any more; what has, has. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'expired') this.#state = 'stopped';
  }

  /** For the next account. */
  reset(): void {
    this.stop();
    this.#state = 'idle';
  }
}
