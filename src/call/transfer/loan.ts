import type { Side } from '../../wire/side.ts';
import type { Borrower } from './transfer-host.ts';

/** The leg of a call whose fate a transfer decides, if there is one; never two at a time. */
export class Loan {
  #lent: { readonly side: Side; readonly borrower: Borrower } | undefined;

  get side(): Side | undefined {
    return this.#lent?.side;
  }

  /** False when a leg is lent already. */
  lend(side: Side, borrower: Borrower): boolean {
    if (this.#lent !== undefined) return false;
    this.#lent = { side, borrower };
    return true;
  }

  /** The borrower has no use for the leg: all is as before. */
  takeBack(): void {
    this.#lent = undefined;
  }

  /** `side` has hung up; true when this leaves the lent leg to its borrower. */
  leftBy(side: Side): boolean {
    if (this.#lent === undefined || this.#lent.side === side) return false;
    this.#lent.borrower.orphaned();
    return true;
  }

  /** The call is over, and its legs with it. */
  lost(): void {
    this.#lent?.borrower.lost();
  }
}
