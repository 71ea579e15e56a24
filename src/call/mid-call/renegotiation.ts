/**
 * Offers in the dialogs of a call: offer -> session -> other leg -> answer -> session -> back. One at a time, else 491;
 * before both legs are acknowledged it waits a moment, then gets 491.
 */
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { DialogAnswerOptions, DialogResponse, SipDialog } from '../../sip/dialog.ts';
import { cseqOf } from '../../sip/request-number.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import { ALLOWED_METHODS } from '../../sip/stray-requests.ts';
import { bodyOf, type NegotiatedSession, type Forwarded } from '../call-session.ts';
import { Cancellation } from './cancellation.ts';
import { unusableContent } from '../headers/header-policy.ts';
import { warningOf } from '../offer/received-sdp.ts';
import { isShortOf } from '../offer/short-answer.ts';
import { JoinGate } from './join-gate.ts';
import type { MidCallHost } from './mid-call-host.ts';
import { ackWith, answerOptions, offerOptions } from './mid-call-messages.ts';
import { type MidCallRelay, RETRY_SOON } from './mid-call-relay.ts';
import { SessionRestoration } from './session-restoration.ts';

/**
 * How long the ACK with the answer to a delayed offer may take, milliseconds. The engine ends the dialog after 64*T1
 * (RFC 3261 §14.2) if it repeats the 200 to a re-INVITE; not every server does.
 */
const ACK_WAIT_MS = 40_000;

type Negotiation =
  | { readonly type: 'idle' }
  /** A request of `side` is on its way to the other leg and back; `undefined`: one of our own. */
  | { readonly type: 'busy'; readonly side: Side | undefined; readonly method: string }
  /** A re-INVITE without offer was answered with one; the ACK of `side` brings the answer. */
  | {
      readonly type: 'awaitingAnswer';
      readonly side: Side;
      /** Of the re-INVITE and its ACK. */
      readonly cseq: number | undefined;
      /** What it answers. */
      readonly offered: string | undefined;
      readonly acknowledge: (body?: string) => void;
    }
  | { readonly type: 'over' };

/** An offer on its way from one leg to the other. */
interface Exchange {
  readonly side: Side;
  readonly dialog: SipDialog;
  readonly other: SipDialog;
  readonly request: ReceivedRequest;
  readonly cancellation: Cancellation;
  /** What `side` wrote in the session before. */
  readonly before: string | undefined;
}

/** `torn`: the other leg has accepted an offer whose sender goes by the session before it. */
type Outcome = 'settled' | 'torn';

export class Renegotiation {
  readonly #session: NegotiatedSession;
  readonly #host: Pick<MidCallHost, 'guarded' | 'end'>;
  readonly #relay: MidCallRelay;
  readonly #restoration: SessionRestoration;
  readonly #join = new JoinGate();
  #ackGuard: NodeJS.Timeout | undefined;
  #negotiation: Negotiation = { type: 'idle' };

  constructor(
    session: NegotiatedSession,
    host: Pick<MidCallHost, 'guarded' | 'end'>,
    relay: MidCallRelay,
  ) {
    this.#session = session;
    this.#host = host;
    this.#relay = relay;
    this.#restoration = new SessionRestoration(session, (method, exchange) =>
      this.exclusively(method, exchange),
    );
  }

  /** Both legs are acknowledged; `untold` is what the caller answered when the callee had its own answer already. */
  joined(untold?: string): void {
    this.#join.open();
    this.#restore('caller', untold);
  }

  /** The call is over: nothing waits any more, an answered offer gets its ACK. */
  end(): void {
    this.#join.end();
    this.#restoration.end();
    clearTimeout(this.#ackGuard);
    const state = this.#negotiation;
    this.#negotiation = { type: 'over' };
    if (state.type === 'awaitingAnswer') state.acknowledge();
  }

  /** An ACK of `side` arrived; it matters when it carries the answer to a delayed offer. */
  acknowledged(side: Side, body: string, cseq?: number): void {
    const state = this.#negotiation;
    if (state.type !== 'awaitingAnswer' || state.side !== side) return;
    // One for an earlier re-INVITE may come late, or twice.
    if (cseq !== undefined && cseq !== state.cseq) return;
    this.#negotiation = { type: 'idle' };
    clearTimeout(this.#ackGuard);
    try {
      const forwarded = this.#session.completeExchange(side, ackWith(body));
      state.acknowledge(forwarded.sdp);
      // An offer of ours (add-sdp-invite) promised the other leg what `side` does not keep: a hold, or less codecs.
      const { offered } = state;
      const isPromised = forwarded.sdp === undefined && offered !== undefined;
      if (isPromised && isShortOf(offered, body)) this.#restore(side, body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // The exchange failed for the peer's fault: the old session goes on (RFC 3261 §14.1).
      this.#session.abandonOffer();
      state.acknowledge();
    }
  }

  /**
   * Runs an exchange of our own, such as a refresh: nobody else may offer meanwhile.
   *
   * @returns `undefined` at once when another exchange is under way or the legs are not joined yet
   */
  async exclusively<T>(method: string, exchange: () => Promise<T>): Promise<T | undefined> {
    if (this.#negotiation.type !== 'idle' || !this.#join.isOpen) return undefined;
    this.#negotiation = { type: 'busy', side: undefined, method };
    try {
      return await exchange();
    } finally {
      if (this.#negotiation.type === 'busy') this.#negotiation = { type: 'idle' };
    }
  }

  /**
   * Offers each leg what the other one goes by, one after the other: our ports have changed.
   *
   * @returns whether both have agreed
   */
  async renew(): Promise<boolean> {
    for (const side of SIDES) if (!(await this.#restoration.renew(side))) return false;
    return true;
  }

  /** Takes an INVITE, an UPDATE or a PRACK with an offer; it is answered here in every case. */
  async receive(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    const { method } = request.message;
    const isBare = method === 'UPDATE' && bodyOf(request.message) === undefined;
    // Our own end of an exchange may come in the very turn of the next request.
    if (this.#obstacle(side, dialog, isBare) === 'ours') await nextTurn();
    const obstacle = this.#obstacle(side, dialog, isBare);
    const unusable = isBare ? undefined : unusableContent(request.message);
    if (unusable !== undefined) {
      dialog.respond(request, 415, { headers: unusable });
    } else if (obstacle === 'theirs') {
      dialog.respond(request, 500, { headers: RETRY_SOON });
    } else if (obstacle === 'ours') {
      dialog.respond(request, 491);
    } else if (isBare) {
      dialog.respond(request, 200, { headers: { Allow: ALLOWED_METHODS } });
    } else {
      await this.#renegotiateNow(side, dialog, request);
    }
  }

  /** Whose exchange with `side` has to end first: one it began, or one we began (RFC 3311 §5.2). */
  #obstacle(side: Side, dialog: SipDialog, isBare: boolean): 'theirs' | 'ours' | undefined {
    const state = this.#negotiation;
    if (isBare) {
      const isRepeat = state.type === 'busy' && state.method === 'UPDATE' && state.side === side;
      return isRepeat ? 'theirs' : undefined;
    }
    // The offer of the INVITE is open on a leg at least, and in a call without one none is made yet.
    if (dialog.isEarly && this.#session.early.offerable(side, dialog) === undefined) {
      return side === 'caller' ? 'theirs' : 'ours';
    }
    if (state.type === 'idle') return undefined;
    if (state.type === 'over') return 'ours';
    // After the 2xx with our offer, `side` of the state owes us the answer, and the other leg waits for ours.
    const began = state.type === 'busy' ? state.side : otherSide(state.side);
    return began === side ? 'theirs' : 'ours';
  }

  async #renegotiateNow(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    this.#negotiation = { type: 'busy', side, method: request.message.method };
    const before = this.#session.negotiation.agreedDescription(side);
    const cancellation = new Cancellation(request, this.#relay.path(side), dialog.trace);
    let outcome: Outcome = 'settled';
    try {
      const other = dialog.isEarly ? this.#earlyTarget(side, dialog) : await this.#target(side);
      if (other === undefined) dialog.respond(request, 491);
      else {
        const exchange = { side, dialog, other, request, cancellation, before };
        outcome = await this.#relayOffer(exchange);
      }
    } finally {
      if (this.#negotiation.type === 'busy') this.#negotiation = { type: 'idle' };
    }
    if (outcome === 'torn') this.#restore(side, before);
  }

  /** Our 200 has not left, as its INVITE was cancelled: `side` stays with `before`. */
  async #unheard({ side, request, before }: Exchange): Promise<void> {
    // The exchange that it ends may still be under way in this turn.
    await nextTurn();
    const state = this.#negotiation;
    const isAnswerOwed =
      state.type === 'awaitingAnswer' &&
      state.side === side &&
      state.cseq === cseqOf(request.message);
    if (isAnswerOwed) this.acknowledged(side, before ?? '');
    else this.#restore(side, before);
  }

  #accept(exchange: Exchange, options: DialogAnswerOptions): void {
    const onFailed = (): void => this.#host.guarded(() => this.#unheard(exchange));
    exchange.dialog.respond(exchange.request, 200, { ...options, onFailed });
  }

  #restore(side: Side, text: string | undefined): void {
    if (text === undefined) return;
    this.#host.guarded(async () => {
      await this.#restoration.restore(side, text);
    });
  }

  /** The other leg's dialog, once both legs are acknowledged. */
  async #target(side: Side): Promise<SipDialog | undefined> {
    const isJoined = await this.#join.isOpenSoon();
    const other = this.#session.legs[otherSide(side)].dialog;
    return isJoined && other?.isConfirmed === true ? other : undefined;
  }

  #earlyTarget(side: Side, dialog: SipDialog): SipDialog | undefined {
    const { early, legs } = this.#session;
    const branch = early.offerable(side, dialog);
    const target = side === 'caller' ? branch : legs.caller.early;
    return target?.isEarly === true ? target : undefined;
  }

  async #relayOffer(exchange: Exchange): Promise<Outcome> {
    const { side, dialog, other, request, cancellation } = exchange;
    const offer = await this.#offer(side, request);
    if ('refusal' in offer) {
      dialog.respond(request, 488, { headers: offer.refusal });
      return 'settled';
    }
    if (cancellation.hasCome) {
      this.#session.abandonOffer();
      return 'settled';
    }
    const isEarly = dialog.isEarly;
    const { method } = request.message;
    const response = await other.request(method === 'PRACK' ? 'UPDATE' : method, {
      ...offerOptions(request.message, offer, this.#relay.path(side)),
      cancelled: cancellation.headers,
    });
    if (response.status >= 300 || response.message === undefined) {
      this.#session.abandonOffer();
      this.#relay.refuse(side, dialog, { request, response, isEarly });
      return 'settled';
    }
    if (bodyOf(request.message) !== undefined) return this.#answer(exchange, response);
    return await this.#answerWithOffer(exchange, response);
  }

  /** The offer as the other leg gets it, or the headers of its refusal when it cannot be used. */
  async #offer(
    side: Side,
    request: ReceivedRequest,
  ): Promise<Forwarded | { readonly refusal: Record<string, string> }> {
    let refusal = {};
    try {
      const forwarded = await this.#session.forwardOffer(side, request.message);
      if (forwarded.type === 'forward') return forwarded;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      refusal = warningOf(error);
    }
    this.#session.abandonOffer();
    return { refusal };
  }

  #answer(exchange: Exchange, response: DialogResponse): Outcome {
    const { side, dialog, request, cancellation } = exchange;
    response.acknowledge();
    const { message } = response;
    if (message === undefined || cancellation.hasCome) {
      this.#session.abandonOffer();
      return 'torn';
    }
    try {
      const forwarded = this.#session.completeExchange(otherSide(side), message);
      const path = this.#relay.path(otherSide(side));
      this.#accept(exchange, answerOptions(message, forwarded, path));
      return 'settled';
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#session.abandonOffer();
      dialog.respond(request, 488);
      return 'torn';
    }
  }

  async #answerWithOffer(exchange: Exchange, response: DialogResponse): Promise<Outcome> {
    const { side, dialog, request } = exchange;
    const { message } = response;
    if (message === undefined) return 'torn';
    try {
      const forwarded = await this.#session.forwardOffer(otherSide(side), message);
      if (forwarded.type === 'forward' && this.#negotiation.type !== 'over') {
        this.#awaitAnswer(exchange, response, forwarded.sdp);
        if (exchange.cancellation.hasCome) {
          this.acknowledged(side, exchange.before ?? '');
          return 'settled';
        }
        const path = this.#relay.path(otherSide(side));
        this.#accept(exchange, answerOptions(message, forwarded, path));
        return 'settled';
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#session.abandonOffer();
    response.acknowledge();
    dialog.respond(request, 488);
    return 'settled';
  }

  #awaitAnswer(
    { side, request }: Exchange,
    ...[response, offered]: [DialogResponse, string | undefined]
  ): void {
    const acknowledge = (body?: string): void => response.acknowledge(body);
    const cseq = cseqOf(request.message);
    this.#negotiation = { type: 'awaitingAnswer', side, cseq, offered, acknowledge };
    clearTimeout(this.#ackGuard);
    this.#ackGuard = setTimeout(() => {
      if (this.#negotiation.type !== 'awaitingAnswer') return;
      this.#host.end({ name: 'ack-timeout', by: 'sbc' });
    }, ACK_WAIT_MS);
    this.#ackGuard.unref();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
