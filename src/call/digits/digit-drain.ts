/**
 * The generated digits that have not left yet, per side they go to, and who waits for them.
 *
 *   queued() --> on their way --settled(): sent or dropped--> none left: waiters go on
 */
import type { Side } from '../../wire/side.ts';

interface Waiter {
  readonly to: Side;
  readonly resolve: () => void;
  readonly timer: NodeJS.Timeout;
}

export class DigitDrain {
  #toCaller: Set<string> | undefined;
  #toCallee: Set<string> | undefined;
  #waiters: Set<Waiter> | undefined;

  /** A digit is to be played towards `to`. */
  queued(to: Side, digitId: string): void {
    if (to === 'caller') (this.#toCaller ??= new Set()).add(digitId);
    else (this.#toCallee ??= new Set()).add(digitId);
  }

  /** It has left, or will not. */
  settled(to: Side, digitId: string): void {
    this.#onTheirWay(to)?.delete(digitId);
    if (!this.isEmpty(to)) return;
    for (const waiter of this.#waiters ?? []) if (waiter.to === to) this.#release(waiter);
  }

  /** Whether no digit is on its way towards `to`. */
  isEmpty(to: Side): boolean {
    return (this.#onTheirWay(to)?.size ?? 0) === 0;
  }

  /** Resolves when that is so, at the latest after `limitMs`. */
  wait(to: Side, limitMs: number): Promise<void> {
    if (this.isEmpty(to)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#release(waiter), limitMs);
      const waiter = { to, resolve, timer };
      (this.#waiters ??= new Set()).add(waiter);
    });
  }

  /** Nothing is played any more: nobody waits. */
  end(): void {
    for (const waiter of this.#waiters ?? []) this.#release(waiter);
  }

  #onTheirWay(to: Side): Set<string> | undefined {
    return to === 'caller' ? this.#toCaller : this.#toCallee;
  }

  #release(waiter: Waiter): void {
    this.#waiters?.delete(waiter);
    clearTimeout(waiter.timer);
    waiter.resolve();
  }
}
