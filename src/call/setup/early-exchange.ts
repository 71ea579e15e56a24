import type { SipDialog } from '../../sip/dialog.ts';
import type { SipResponse } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';

/**
 * What offer and answer have come to before the 200, by reliable 1xx (RFC 3262 §5).
 *
 *   open --reliable 18x of the callee with its answer--> settled     what other 18x and the 200 say counts no more
 *
 * Once the caller has got the answer reliably as well, and confirmed it, either side may offer anew by UPDATE.
 */
export class EarlyExchange {
  #settled: { readonly branch: SipDialog | undefined; readonly isReliable: boolean } | undefined;
  /** What branches behind the first one have said reliably. */
  #others: Map<SipDialog, SipResponse> | undefined;
  #caller: 'open' | 'given' | 'confirmed' = 'open';

  get isSettled(): boolean {
    return this.#settled !== undefined;
  }

  /** Whether the caller needs no description in the 200. */
  get isCallerAnswered(): boolean {
    return this.#caller !== 'open';
  }

  /** `branch` has answered; `isReliable` says whether in a reliable 1xx, `isGiven` whether it goes on in one. */
  settle(
    branch: SipDialog | undefined,
    { isReliable, isGiven }: { isReliable: boolean; isGiven: boolean },
  ): void {
    this.#settled = { branch, isReliable };
    if (isGiven) this.#caller = 'given';
  }

  /** Another branch has answered reliably; its first answer counts, if it is the one that is taken (RFC 3262 §5). */
  note(branch: SipDialog, response: SipResponse): void {
    this.#others ??= new Map();
    if (!this.#others.has(branch)) this.#others.set(branch, response);
  }

  /** The reliable answer of `dialog`, where another branch settled the exchange. */
  answerOf(dialog: SipDialog): SipResponse | undefined {
    return this.#others?.get(dialog);
  }

  /** The PRACK of the caller for everything that it was sent reliably. */
  confirm(): void {
    if (this.#caller === 'given') this.#caller = 'confirmed';
  }

  /** Whether `dialog` is that of the branch which has answered. */
  isSettledIn(dialog: SipDialog | undefined): boolean {
    return dialog !== undefined && this.#settled?.branch === dialog;
  }

  /** The callee's early dialog if the one in `dialog` of `side` may offer anew. */
  offerable(side: Side, dialog: SipDialog): SipDialog | undefined {
    const settled = this.#settled;
    if (this.#caller !== 'confirmed' || settled?.isReliable !== true) return undefined;
    return side === 'caller' || settled.branch === dialog ? settled.branch : undefined;
  }
}
