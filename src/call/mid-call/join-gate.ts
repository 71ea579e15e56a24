/** How long a re-INVITE waits for the ACK that joins the legs, milliseconds. */
const JOIN_WAIT_MS = 1000;

/** Whether both legs of a call are acknowledged, so that offers inside it can cross. */
export class JoinGate {
  #state: 'waiting' | 'open' | 'ended' = 'waiting';
  /** Ends the waits; few calls ever have one. */
  #waits: Set<() => void> | undefined;

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Both legs are acknowledged. */
  open(): void {
    this.#settle('open');
  }

  /** The call is over: nothing waits any more. */
  end(): void {
    this.#settle('ended');
  }

  /** Waits a moment; whether the legs are joined by then. */
  async isOpenSoon(): Promise<boolean> {
    if (this.#state === 'waiting') await this.#change();
    return this.#state === 'open';
  }

  async #change(): Promise<void> {
    this.#waits ??= new Set();
    const waits = this.#waits;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, JOIN_WAIT_MS);
      waits.add(end);
    });
  }

  #settle(state: 'open' | 'ended'): void {
    if (this.#state === 'waiting') this.#state = state;
    for (const end of this.#waits ?? []) end();
  }
}
