/**
 * Whether a node is worth asking.
 *
 *   starting --answer to a ping--> up --5 deadlines in a row--> down --answer to a ping--> up
 *
 * Any answer in time ends the row, whatever it says. Deadlines of requests that waited beside each other count once:
 * five in a row are 7.5 s without any answer, however many calls ask.
 */

/** Deadlines in a row that take a node down. */
export const DEADLINES_TO_DOWN = 5;

type State =
  | { readonly type: 'starting' }
  /** `countedAtMs`: when the last one of the row was missed. */
  | { readonly type: 'up'; readonly deadlines: number; readonly countedAtMs: number }
  | { readonly type: 'down' };

const ANSWERING: State = { type: 'up', deadlines: 0, countedAtMs: -Infinity };

export class NgHealth {
  #state: State = { type: 'starting' };

  get isUp(): boolean {
    return this.#state.type === 'up';
  }

  answered(isPing: boolean): void {
    if (this.#state.type === 'up' || isPing) this.#state = ANSWERING;
  }

  missedDeadline(sentAtMs: number, nowMs: number): void {
    const state = this.#state;
    if (state.type !== 'up') {
      this.#state = { type: 'down' };
      return;
    }
    if (sentAtMs < state.countedAtMs) return;
    const deadlines = state.deadlines + 1;
    this.#state =
      deadlines < DEADLINES_TO_DOWN
        ? { type: 'up', deadlines, countedAtMs: nowMs }
        : { type: 'down' };
  }
}
