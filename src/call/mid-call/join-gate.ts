/** How long a re-INVITE waits for the ACK that joins the legs, milliseconds. */
const JOIN_WAIT_MS = 1000;

/** Whether both legs of a call are acknowledged, so that offers inside it can cross. */
export class JoinGate {
  readonly #outcome = Promise.withResolvers<'joined' | 'ended'>();
  readonly #waits = new Set<NodeJS.Timeout>();
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Both legs are acknowledged. */
  open(): void {
    this.#isOpen = true;
    this.#outcome.resolve('joined');
  }

  /** The call is over: nothing waits any more. */
  end(): void {
    this.#outcome.resolve('ended');
    for (const timer of this.#waits) clearTimeout(timer);
  }

  /** Waits a moment; whether the legs are joined by then. */
  async isOpenSoon(): Promise<boolean> {
    const waited = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => waited.resolve('late'), JOIN_WAIT_MS);
    this.#waits.add(timer);
    const outcome = await Promise.race([this.#outcome.promise, waited.promise]);
    clearTimeout(timer);
    this.#waits.delete(timer);
    return outcome === 'joined';
  }
}
