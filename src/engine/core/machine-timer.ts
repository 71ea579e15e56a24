/** One Node timer that follows the `expiresAtMs` of a pure machine. */
export class MachineTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Waits until `atMs` on the scale of `nowMs()`; undefined waits for nothing. */
  set(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === undefined) return;
    // One millisecond later: timers may fire a fraction before their time.
    const delayMs = Math.max(1, Math.ceil(atMs - nowMs()) + 1);
    this.#timer = setTimeout(this.#onDue, delayMs);
  }

  clear(): void {
    this.set(undefined);
  }
}

/** Monotonic time of the engine. */
export function nowMs(): number {
  return performance.now();
}
