/** Presses remembered at most; their fate is known within seconds. */
const MAX_OPEN = 256;

interface SharedPress {
  /** Notifiers that have not lost it. */
  holders: number;
  isDelivered: boolean;
}

/** Presses that several notifiers were given: one is dropped only when all have lost it and none has delivered it. */
export class PressShares {
  #open: Map<string, SharedPress> | undefined;

  /** `pressId` goes to so many notifiers. */
  begin(pressId: string, holders: number): void {
    if (holders < 2) return;
    this.#open ??= new Map();
    this.#open.set(pressId, { holders, isDelivered: false });
    if (this.#open.size <= MAX_OPEN) return;
    for (const oldest of this.#open.keys()) {
      this.#open.delete(oldest);
      break;
    }
  }

  delivered(pressId: string): void {
    const press = this.#open?.get(pressId);
    if (press !== undefined) press.isDelivered = true;
  }

  /** One notifier has lost the press; tells whether it is lost altogether. */
  dropped(pressId: string): boolean {
    const press = this.#open?.get(pressId);
    if (press === undefined) return true;
    press.holders -= 1;
    return press.holders === 0 && !press.isDelivered;
  }
}
