/**
 * Brings the session of two legs together again after an offer that one of them accepted and its sender never heard of:
 *
 *   caller            SBC               callee
 *     | INVITE offer 2 | INVITE offer 2   |
 *     |--------------->|----------------->|
 *     | CANCEL         |              200 |     they cross; the caller gets 487 and stays with offer 1
 *     |--------------->|<-----------------|
 *     |            487 | ACK              |
 *     |<---------------|----------------->|
 *     |                | INVITE offer 1   |     ours
 *     |                |----------------->|
 *
 * One that gets 491 is made again after the time of RFC 3261 §14.1, unless the legs have agreed on something meanwhile.
 */
import type { DialogResponse, SipDialog } from '../../sip/dialog.ts';
import { otherSide, type Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { NegotiatedSession } from '../call-session.ts';
import { glareDelayMs } from './glare-delay.ts';
import { pathFrom } from '../headers/header-crossing.ts';
import { inviteWith, offerOptions } from './mid-call-messages.ts';

/** How often an offer that meets others is made. */
const ATTEMPTS = 5;

/** Runs an exchange while nobody else may offer; `undefined` when somebody does. */
export type Exclusively = <T>(method: string, exchange: () => Promise<T>) => Promise<T | undefined>;

/** What the other leg is to agree on. */
interface Wanted {
  /** At the time of an attempt. */
  readonly text: () => string | undefined;
  readonly isNeedless: () => boolean;
}

export class SessionRestoration {
  readonly #session: NegotiatedSession;
  readonly #exclusively: Exclusively;
  #isOver = false;
  /** Settled by the end of the call, where something waits for it. */
  #over: PromiseWithResolvers<void> | undefined;

  constructor(session: NegotiatedSession, exclusively: Exclusively) {
    this.#session = session;
    this.#exclusively = exclusively;
  }

  /** The call is over: nothing is offered any more. */
  end(): void {
    this.#isOver = true;
    this.#over?.resolve();
  }

  /**
   * Offers `text`, the description that `side` still goes by, to the other leg.
   *
   * @returns whether they have agreed on it, or on something newer
   */
  async restore(side: Side, text: string): Promise<boolean> {
    const { negotiation } = this.#session;
    const { exchanges } = negotiation;
    return this.#agree(side, {
      text: () => text,
      isNeedless: () => negotiation.exchanges !== exchanges,
    });
  }

  /**
   * Offers what `side` goes by to the other leg with our ports of now. An exchange that is under way meanwhile was offered
   * with the ports before: whatever comes of it, this is needed.
   *
   * @returns whether the other leg has agreed
   */
  async renew(side: Side): Promise<boolean> {
    return this.#agree(side, {
      text: () => this.#session.negotiation.agreedDescription(side),
      isNeedless: () => false,
    });
  }

  async #agree(side: Side, { text, isNeedless }: Wanted): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const offered = text();
      const other = this.#session.legs[otherSide(side)].dialog;
      if (offered === undefined || other?.isConfirmed !== true) return false;
      const status = await this.#exclusively('INVITE', () => this.#offer(side, offered, other));
      if (status !== undefined && status !== 491) return status < 300;
      await this.#pause(glareDelayMs(other.identity.role, Math.random()));
      if (this.#isOver) return false;
      if (isNeedless()) return true;
    }
    return false;
  }

  /** One attempt; its status. */
  async #offer(side: Side, text: string, other: SipDialog): Promise<number> {
    const { negotiation } = this.#session;
    negotiation.renewVersion(otherSide(side));
    const message = inviteWith(text, negotiation.hasAnnouncedKpml(side));
    const offer = await this.#session.forwardOffer(side, message);
    if (offer.type === 'failed') {
      this.#session.abandonOffer();
      return 500;
    }
    const options = offerOptions(message, offer, pathFrom(side, this.#session.legs));
    const response = await other.request('INVITE', options);
    this.#answered(otherSide(side), response);
    return response.status;
  }

  #answered(from: Side, response: DialogResponse): void {
    const { message } = response;
    if (message === undefined || message.status >= 300) {
      this.#session.abandonOffer();
      return;
    }
    response.acknowledge();
    try {
      this.#session.completeExchange(from, message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#session.abandonOffer();
    }
  }

  async #pause(durationMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#over ??= Promise.withResolvers();
    const waited = Promise.withResolvers<void>();
    const timer = setTimeout(waited.resolve, durationMs);
    await Promise.race([waited.promise, this.#over.promise]);
    clearTimeout(timer);
  }
}
