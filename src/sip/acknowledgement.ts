/** Whether the ACK of a peer has come, or never will; few dialogs ever have somebody who waits for it. */
export class Acknowledgement {
  #isSettled = false;
  #wake: (() => void) | undefined;

  settle(): void {
    this.#isSettled = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Resolves when it is settled; for one at a time. */
  wait(): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
