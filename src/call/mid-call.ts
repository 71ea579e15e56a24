/**
 * Requests inside the dialogs of a call, relayed from one leg to the other.
 *
 *   INVITE, UPDATE, PRACK with SDP
 *                             offer -> session -> other leg -> answer -> session -> back; one at a time, else 491;
 *                             before both legs are acknowledged it waits a moment, then gets 491
 *   SUBSCRIBE, NOTIFY         the DTMF interworking
 *   INFO with a digit         the DTMF interworking, which may have it relayed
 *   INFO, MESSAGE             relayed as they are
 *   OPTIONS, UPDATE alone     answered here: they ask about this leg only
 *
 * The same in early dialogs, but for offers: the one of the INVITE is still open, on both legs (RFC 3311 §5.2), unless
 * reliable 18x have brought the answer to both ends.
 *
 * A leg that answers 481 or 408 has lost the dialog: the call ends (RFC 5057 §5.1).
 */
import { getHeader } from '../wire/sip-message.ts';
import { otherSide, type Side } from '../wire/side.ts';
import { WireError } from '../wire/wire-error.ts';
import type { DialogResponse, SipDialog } from '../sip/dialog.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { ALLOWED_METHODS, requiredExtensions } from '../sip/stray-requests.ts';
import { bodyOf, type CallSession, type Forwarded } from './call-session.ts';
import type { EndCause } from './end-cause.ts';
import { type HeaderPath, pathFrom } from './header-crossing.ts';
import { isDamaged, unusableContent } from './header-policy.ts';
import { ackWith, answerOptions, offerOptions, refusal, relayed } from './mid-call-messages.ts';

/** How long a re-INVITE waits for the ACK that joins the legs, milliseconds. */
const JOIN_WAIT_MS = 1000;

/** For a request that only comes too early (RFC 3261 §21.5.1). */
const RETRY_SOON = { 'Retry-After': '1' };

/** What the requests of a call ask of their call. */
export interface MidCallHost {
  /** Runs `action`; a broken invariant in it ends the call instead of escaping. */
  guarded(action: () => void | Promise<void>): void;
  end(cause: EndCause): void;
  /** The caller has confirmed a reliable 1xx. */
  pracked(): void;
}

type Negotiation =
  | { readonly type: 'idle' }
  /** A request of `side` is on its way to the other leg and back; `undefined` at the end of the call. */
  | { readonly type: 'busy'; readonly side: Side | undefined; readonly method: string }
  /** A re-INVITE without offer was answered with one; the ACK of `side` brings the answer. */
  | {
      readonly type: 'awaitingAnswer';
      readonly side: Side;
      readonly acknowledge: (body?: string) => void;
    };

export class MidCall {
  readonly #session: CallSession;
  readonly #host: MidCallHost;
  /** Settled once both legs are acknowledged, or the call is over. */
  readonly #joined = Promise.withResolvers<'joined' | 'ended'>();
  readonly #joinWaits = new Set<NodeJS.Timeout>();
  #negotiation: Negotiation = { type: 'idle' };

  constructor(session: CallSession, host: MidCallHost) {
    this.#session = session;
    this.#host = host;
  }

  /** Both legs are acknowledged. */
  joined(): void {
    this.#joined.resolve('joined');
  }

  /** The call is over: nothing waits any more, an answered offer gets its ACK. */
  end(): void {
    this.#joined.resolve('ended');
    for (const timer of this.#joinWaits) clearTimeout(timer);
    const state = this.#negotiation;
    this.#negotiation = { type: 'busy', side: undefined, method: '' };
    if (state.type === 'awaitingAnswer') state.acknowledge();
  }

  /** Takes a request that came in `dialog` of `side`; it is answered here in every case. */
  receive(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    const required = requiredExtensions(request.message);
    if (required.length > 0) {
      dialog.respond(request, 420, { headers: { Unsupported: required.join(', ') } });
      return;
    }
    switch (request.message.method) {
      case 'INVITE':
      case 'UPDATE':
        this.#host.guarded(() => this.#renegotiate(side, dialog, request));
        return;
      case 'PRACK':
        this.#host.guarded(() => this.#prack(side, dialog, request));
        return;
      case 'SUBSCRIBE':
        this.#subscribe(side, dialog, request);
        return;
      case 'NOTIFY':
        this.#session.dtmf.receiveNotify(side, dialog, request, isKpml(request));
        return;
      case 'INFO': {
        const verdict = this.#session.dtmf.receiveInfo(side, dialog, request);
        if (verdict.type === 'relay') {
          this.#host.guarded(() => this.#relay(side, dialog, request, verdict.onAnswer));
        }
        return;
      }
      case 'MESSAGE':
        this.#host.guarded(() => this.#relay(side, dialog, request));
        return;
      case 'OPTIONS':
        dialog.respond(request, 200, { headers: { Allow: ALLOWED_METHODS } });
        return;
      default:
        dialog.respond(request, 405, { headers: { Allow: ALLOWED_METHODS } });
    }
  }

  /** An ACK of `side` arrived; it matters when it carries the answer to a delayed offer. */
  acknowledged(side: Side, body: string): void {
    const state = this.#negotiation;
    if (state.type !== 'awaitingAnswer' || state.side !== side) return;
    this.#negotiation = { type: 'idle' };
    try {
      if (body === '') throw new WireError('the ACK brings no answer');
      const forwarded = this.#session.forwardAnswer(side, ackWith(body), true);
      state.acknowledge(forwarded.sdp);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // The exchange failed for the peer's fault: the old session goes on (RFC 3261 §14.1).
      this.#session.abandonOffer();
      state.acknowledge();
    }
  }

  #subscribe(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    if (!isKpml(request)) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': 'kpml' } });
      return;
    }
    this.#session.dtmf.receiveSubscribe(side, dialog, request);
  }

  /** The PRACK may bring a further offer (RFC 3262 §5). */
  async #prack(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    // What the PRACK confirms is confirmed in any case, and an offer in it may be the first one that can be passed on.
    if (bodyOf(request.message) === undefined) dialog.respond(request, 200);
    if (side === 'caller') this.#host.pracked();
    if (bodyOf(request.message) !== undefined) await this.#renegotiate(side, dialog, request);
  }

  async #renegotiate(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    const { method } = request.message;
    const isBare = method === 'UPDATE' && bodyOf(request.message) === undefined;
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
    // After the 2xx with our offer, `side` of the state owes us the answer, and the other leg waits for ours.
    const began = state.type === 'busy' ? state.side : otherSide(state.side);
    return began === side ? 'theirs' : 'ours';
  }

  async #renegotiateNow(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    this.#negotiation = { type: 'busy', side, method: request.message.method };
    try {
      const other = dialog.isEarly ? this.#earlyTarget(side, dialog) : await this.#target(side);
      if (other === undefined) dialog.respond(request, 491);
      else await this.#relayOffer(side, { dialog, other }, request);
    } finally {
      if (this.#negotiation.type === 'busy') this.#negotiation = { type: 'idle' };
    }
  }

  /** The other leg's dialog, once both legs are acknowledged. */
  async #target(side: Side): Promise<SipDialog | undefined> {
    const isJoined = await this.#isJoinedSoon();
    const other = this.#session.legs[otherSide(side)].dialog;
    return isJoined && other?.isConfirmed === true ? other : undefined;
  }

  #earlyTarget(side: Side, dialog: SipDialog): SipDialog | undefined {
    const { early, legs } = this.#session;
    const branch = early.offerable(side, dialog);
    const target = side === 'caller' ? branch : legs.caller.early;
    return target?.isEarly === true ? target : undefined;
  }

  async #isJoinedSoon(): Promise<boolean> {
    const waited = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => waited.resolve('late'), JOIN_WAIT_MS);
    this.#joinWaits.add(timer);
    const outcome = await Promise.race([this.#joined.promise, waited.promise]);
    clearTimeout(timer);
    this.#joinWaits.delete(timer);
    return outcome === 'joined';
  }

  async #relayOffer(
    side: Side,
    dialogs: { dialog: SipDialog; other: SipDialog },
    request: ReceivedRequest,
  ): Promise<void> {
    const { dialog, other } = dialogs;
    const offer = await this.#offer(side, request);
    if (offer === undefined) {
      dialog.respond(request, 488);
      return;
    }
    const options = offerOptions(request.message, offer, this.#path(side));
    const isEarly = dialog.isEarly;
    const { method } = request.message;
    const response = await other.request(method === 'PRACK' ? 'UPDATE' : method, options);
    if (response.status >= 300 || response.message === undefined) {
      this.#session.abandonOffer();
      this.#refuse(side, dialog, { request, response, isEarly });
      return;
    }
    if (offer.sdp === undefined) await this.#answerWithOffer(side, dialog, { request, response });
    else this.#answer(side, dialog, { request, response });
  }

  /** The offer as the other leg gets it, `undefined` when it cannot be used. */
  async #offer(side: Side, request: ReceivedRequest): Promise<Forwarded | undefined> {
    try {
      const forwarded = await this.#session.forwardOffer(side, request.message);
      if (forwarded.type === 'forward') return forwarded;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#session.abandonOffer();
    return undefined;
  }

  #answer(
    side: Side,
    dialog: SipDialog,
    exchange: { request: ReceivedRequest; response: DialogResponse },
  ): void {
    const { request, response } = exchange;
    response.acknowledge();
    const { message } = response;
    if (message === undefined) return;
    try {
      const forwarded = this.#session.forwardAnswer(otherSide(side), message, true);
      const path = this.#path(otherSide(side));
      dialog.respond(request, 200, answerOptions(message, forwarded, path));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#session.abandonOffer();
      dialog.respond(request, 488);
    }
  }

  async #answerWithOffer(
    side: Side,
    dialog: SipDialog,
    exchange: { request: ReceivedRequest; response: DialogResponse },
  ): Promise<void> {
    const { request, response } = exchange;
    const { message } = response;
    if (message === undefined) return;
    try {
      const forwarded = await this.#session.forwardOffer(otherSide(side), message);
      if (forwarded.type === 'forward') {
        const acknowledge = (body?: string): void => response.acknowledge(body);
        this.#negotiation = { type: 'awaitingAnswer', side, acknowledge };
        const path = this.#path(otherSide(side));
        dialog.respond(request, 200, answerOptions(message, forwarded, path));
        return;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#session.abandonOffer();
    response.acknowledge();
    dialog.respond(request, 488);
  }

  async #relay(
    side: Side,
    dialog: SipDialog,
    ...[request, onAnswer]: [ReceivedRequest, ((response: DialogResponse) => void)?]
  ): Promise<void> {
    const other = this.#session.legs[otherSide(side)].reach;
    if (other === undefined) {
      dialog.respond(request, 500, { headers: RETRY_SOON });
      return;
    }
    if (isDamaged(request.message)) {
      dialog.respond(request, 415);
      return;
    }
    // An early dialog may go while the call goes on: another branch answers, or another hop is tried.
    const isEarly = dialog.isEarly || other.isEarly;
    const response = await other.request(
      request.message.method,
      relayed(request.message, this.#path(side)),
    );
    onAnswer?.(response);
    if (response.status >= 300 || response.message === undefined) {
      this.#refuse(side, dialog, { request, response, isEarly });
      return;
    }
    const options = relayed(response.message, this.#path(otherSide(side)));
    dialog.respond(request, response.status, options);
  }

  #path(from: Side): HeaderPath {
    return pathFrom(from, this.#session.legs);
  }

  /** Passes a refusal of the other leg on to `side`; an answered leg without dialog ends the call. */
  #refuse(
    side: Side,
    dialog: SipDialog,
    exchange: { request: ReceivedRequest; response: DialogResponse; isEarly?: boolean },
  ): void {
    const { request, response } = exchange;
    const { status, message } = response;
    dialog.respond(request, status, refusal(message, this.#path(otherSide(side))));
    if (exchange.isEarly !== true && (status === 481 || status === 408)) {
      this.#host.end({ name: 'dialog-lost', by: otherSide(side) });
    }
  }
}

/** Event types are compared byte by byte (RFC 6665 §8.2.1); the parameters are the machine's concern. */
function isKpml(request: ReceivedRequest): boolean {
  const eventType = (getHeader(request.message, 'Event') ?? '').split(';', 1)[0] ?? '';
  return eventType.trim() === 'kpml';
}
