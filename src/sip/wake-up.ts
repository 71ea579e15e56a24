/** One timer for one machine: rings when the machine says that it wants to be called next. */
export class WakeUp {
  readonly #expiresAtMs: () => number | undefined;
  readonly #nowMs: () => number;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #armedForMs: number | undefined;

  constructor(options: {
    /** When the machine wants to be called, `undefined` for never. */
    readonly expiresAtMs: () => number | undefined;
    readonly nowMs: () => number;
    readonly ring: () => void;
  }) {
    this.#expiresAtMs = options.expiresAtMs;
    this.#nowMs = options.nowMs;
    this.#ring = options.ring;
  }

  /** Sets the timer anew; to be called after every input to the machine. */
  rearm(): void {
    const atMs = this.#expiresAtMs();
    if (atMs === this.#armedForMs) return;
    this.stop();
    if (atMs === undefined) return;
    this.#armedForMs = atMs;
    // A timer may fire a fraction of a millisecond early; the machine would then see nothing due.
    const delayMs = Math.max(0, Math.ceil(atMs - this.#nowMs()));
    this.#timer = setTimeout(() => {
      this.#armedForMs = undefined;
      this.#ring();
      this.rearm();
    }, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedForMs = undefined;
  }
}
