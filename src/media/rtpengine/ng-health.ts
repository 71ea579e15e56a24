/**
 * Whether a node is worth asking.
 *
 *   starting --answer to a ping--> up --5 deadlines in a row--> down --answer to a ping--> up
 *
 * Any answer in time ends the row, whatever it says.
 */

/** Deadlines in a row that take a node down. */
export const DEADLINES_TO_DOWN = 5;

type State =
  | { readonly type: 'starting' }
  | { readonly type: 'up'; readonly deadlines: number }
  | { readonly type: 'down' };

export class NgHealth {
  #state: State = { type: 'starting' };

  get isUp(): boolean {
    return this.#state.type === 'up';
  }

  answered(isPing: boolean): void {
    if (this.#state.type === 'up' || isPing) this.#state = { type: 'up', deadlines: 0 };
  }

  missedDeadline(): void {
    if (this.#state.type !== 'up') {
      this.#state = { type: 'down' };
      return;
    }
    const deadlines = this.#state.deadlines + 1;
    this.#state = deadlines < DEADLINES_TO_DOWN ? { type: 'up', deadlines } : { type: 'down' };
  }
}
