import type { Side } from '../../wire/side.ts';

/** A REFER that was passed on, and with it the subscription that tells how it goes (RFC 3515 §2.4.4). */
export interface RelayedRefer {
  /** Who sent it, and is told. */
  readonly from: Side;
  /** CSeq number in the dialog of the one who sent it. */
  readonly cseq: number;
  /** CSeq number in the dialog of the one who got it; `undefined` until it is on the wire. */
  farCseq: number | undefined;
}

/** More than one party follows at a time; of further ones the oldest is forgotten. */
const MAX_KEPT = 8;

/** The running subscriptions to relayed REFERs of one call, oldest first. */
export class ReferSubscriptions {
  readonly #running: RelayedRefer[] = [];

  begin(from: Side, cseq: number): RelayedRefer {
    const refer: RelayedRefer = { from, cseq, farCseq: undefined };
    this.#running.push(refer);
    if (this.#running.length > MAX_KEPT) this.#running.shift();
    return refer;
  }

  end(refer: RelayedRefer): void {
    const index = this.#running.indexOf(refer);
    if (index >= 0) this.#running.splice(index, 1);
  }

  /**
   * The REFER that a NOTIFY of `notifier` is about.
   *
   * @param id of its Event header; without one it is about the first REFER of the dialog (RFC 3515 §2.4.6)
   */
  find(notifier: Side, id: string | undefined): RelayedRefer | undefined {
    const told = this.#running.filter(({ from }) => from !== notifier);
    if (id === undefined) return told[0];
    return told.find(({ farCseq }) => farCseq !== undefined && String(farCseq) === id);
  }
}
