import { Retransmission } from './retransmission.ts';

/** Base times of RFC 3261 §17.1.1.1. */
export interface InviteTimers {
  readonly t1Ms: number;
  readonly t2Ms: number;
}

export type UasInviteOutput =
  | { readonly type: 'resendProvisional' }
  /** No PRACK came (RFC 3262 §3): the INVITE is to be refused. */
  | { readonly type: 'provisionalUnconfirmed' }
  | { readonly type: 'resendAnswer' }
  /** No ACK came (RFC 3261 §13.3.1.4): the dialog is to be ended. */
  | { readonly type: 'answerUnconfirmed' };

type State =
  | { readonly type: 'proceeding' }
  | { readonly type: 'reliable'; readonly rseq: number; readonly retransmission: Retransmission }
  | { readonly type: 'answered'; readonly retransmission: Retransmission }
  | { readonly type: 'confirmed' }
  | { readonly type: 'ended' };

/**
 * The callee's duties after the transaction: reliable provisional responses and the 2xx.
 *
 *   proceeding -- sendReliable --> reliable -- PRACK --> proceeding
 *   proceeding, reliable -- answer --> answered -- ACK --> confirmed
 *   any -- refuse, 64*T1 without ACK or PRACK --> ended
 */
export class UasInvite {
  readonly #timers: InviteTimers;
  #state: State = { type: 'proceeding' };
  #nextRSeq: number;
  /** All RSeq sent, so that a PRACK that crosses the answer still matches. */
  readonly #unconfirmed = new Set<number>();

  /** `firstRSeq` from 1 to 2^31-1 (RFC 3262 §3). */
  constructor(timers: InviteTimers, firstRSeq: number) {
    this.#timers = timers;
    this.#nextRSeq = firstRSeq;
  }

  get state(): State['type'] {
    return this.#state.type;
  }

  /** A second reliable response has to wait for the PRACK to the first (RFC 3262 §3). */
  get canSendReliable(): boolean {
    return this.#state.type === 'proceeding';
  }

  get expiresAtMs(): number | undefined {
    const state = this.#state;
    return 'retransmission' in state ? state.retransmission.expiresAtMs : undefined;
  }

  /** A reliable 1xx goes out now; returns its RSeq. Only while `canSendReliable`. */
  sendReliable(nowMs: number): number {
    const rseq = this.#nextRSeq;
    this.#nextRSeq += 1;
    this.#unconfirmed.add(rseq);
    const { t1Ms } = this.#timers;
    // RFC 3262 §3 doubles without the cap of T2.
    const times = { firstMs: t1Ms, longestMs: 64 * t1Ms, giveUpAfterMs: 64 * t1Ms };
    this.#state = { type: 'reliable', rseq, retransmission: new Retransmission(times, nowMs) };
    return rseq;
  }

  /** A PRACK for `rseq` came: false when nothing reliable waits for it (481). */
  prack(rseq: number): boolean {
    if (!this.#unconfirmed.delete(rseq)) return false;
    if (this.#state.type === 'reliable') this.#state = { type: 'proceeding' };
    return true;
  }

  /** The 2xx goes out now. */
  answer(nowMs: number): void {
    const { t1Ms, t2Ms } = this.#timers;
    const times = { firstMs: t1Ms, longestMs: t2Ms, giveUpAfterMs: 64 * t1Ms };
    this.#state = { type: 'answered', retransmission: new Retransmission(times, nowMs) };
  }

  /** An ACK came: whether it is the first one to our 2xx. */
  ack(): boolean {
    if (this.#state.type !== 'answered') return false;
    this.#state = { type: 'confirmed' };
    return true;
  }

  /** Another final response went out, or the call is over. */
  end(): void {
    this.#state = { type: 'ended' };
  }

  expire(nowMs: number): UasInviteOutput[] {
    const state = this.#state;
    if (state.type !== 'reliable' && state.type !== 'answered') return [];
    const due = state.retransmission.expire(nowMs);
    if (due === undefined) return [];
    if (due === 'giveUp') {
      this.#state = { type: 'ended' };
      const isAnswer = state.type === 'answered';
      return [{ type: isAnswer ? 'answerUnconfirmed' : 'provisionalUnconfirmed' }];
    }
    return [{ type: state.type === 'answered' ? 'resendAnswer' : 'resendProvisional' }];
  }
}
