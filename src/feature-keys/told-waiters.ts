/** Whoever waits until a phone has been told: promises by the ticket of the notice. */
export class ToldWaiters {
  #waiting: { readonly ticket: number; readonly settle: (isTold: boolean) => void }[] = [];
  #isEnded = false;

  /**
   * @param told the newest ticket that has reached the phone.
   * @returns false when the dialog ended before.
   */
  wait(ticket: number, told: number): Promise<boolean> {
    if (ticket <= told) return Promise.resolve(true);
    if (this.#isEnded) return Promise.resolve(false);
    return new Promise((settle) => {
      this.#waiting.push({ ticket, settle });
    });
  }

  /** The phone has been told everything up to `ticket`. */
  told(ticket: number): void {
    const reached = this.#waiting.filter((waiter) => waiter.ticket <= ticket);
    this.#waiting = this.#waiting.filter((waiter) => waiter.ticket > ticket);
    for (const { settle } of reached) settle(true);
  }

  end(): void {
    this.#isEnded = true;
    for (const { settle } of this.#waiting) settle(false);
    this.#waiting = [];
  }
}
