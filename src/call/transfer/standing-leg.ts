import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DialogHandler, SipDialog } from '../../sip/dialog.ts';
import {
  type DialogRequestOptions,
  type DialogResponse,
  withoutResponse,
} from '../../sip/request-answer.ts';
import { ALLOWED_METHODS } from '../../sip/stray-requests.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import { otherSide } from '../../wire/side.ts';
import type { CallLeg } from '../call-leg.ts';
import type { EndCause } from '../end-cause.ts';
import { glareDelayMs } from '../mid-call/glare-delay.ts';
import { RETRY_SOON } from '../mid-call/mid-call-relay.ts';
import type { FormerDigits } from '../digits/dtmf-options.ts';
import type { FormerPlace } from '../offer/offer-answer.ts';
import { SessionRestoration } from '../mid-call/session-restoration.ts';
import type { Borrower, NamedLeg } from './transfer-host.ts';

/** How often an offer that meets others is made. */
const ATTEMPTS = 4;

/**
 * An answered leg on its way from its call to another one.
 *
 *   lent      its call goes on                       -> orphan  the other party of that call has hung up
 *   orphan    nobody is at the other end             -> moved   it has accepted our offer: the new call has it
 *   lent, orphan                                     -> gone    it has hung up, or was given back
 */
export class StandingLeg implements Borrower {
  readonly leg: CallLeg;
  readonly dialog: SipDialog;
  /** What was negotiated with it. */
  readonly place: FormerPlace & FormerDigits;
  readonly #named: NamedLeg;
  readonly #onGone: () => void;
  readonly #gone = Promise.withResolvers<void>();
  #state: 'lent' | 'orphan' | 'moved' | 'gone' = 'lent';

  private constructor(
    named: NamedLeg,
    at: { dialog: SipDialog; place: StandingLeg['place']; leg: CallLeg },
    onGone: () => void,
  ) {
    this.#named = named;
    this.#onGone = onGone;
    this.leg = at.leg;
    this.dialog = at.dialog;
    this.place = at.place;
  }

  /** Borrows a leg; `undefined` when its call cannot do without it, or another transfer has it. */
  static borrow(named: NamedLeg, onGone: () => void): StandingLeg | undefined {
    const { call, side } = named;
    const { session } = call;
    const leg = session?.legs[side];
    const dialog = leg?.dialog;
    if (session === undefined || leg === undefined || dialog?.isConfirmed !== true)
      return undefined;
    const place = { negotiation: session.negotiation, dtmf: session.dtmf, side };
    const standing = new StandingLeg(named, { leg, dialog, place }, onGone);
    return call.isTalking && call.loan.lend(side, standing) ? standing : undefined;
  }

  /** What it wrote in its call, if it wrote anything. */
  get description(): string | undefined {
    return this.place.negotiation.agreedDescription(this.place.side);
  }

  get hasKpml(): boolean {
    return this.place.negotiation.hasAnnouncedKpml(this.place.side);
  }

  /** Makes an offer in its dialog when nobody else does, and digits have left; never rejects. */
  async reinvite(options: DialogRequestOptions): Promise<DialogResponse> {
    await this.#hearOut();
    for (let attempt = 1; this.isOurs; attempt += 1) {
      const response = await this.#offer(options);
      const isGlare = response === undefined || response.status === 491;
      if (!isGlare || attempt === ATTEMPTS) return response ?? withoutResponse('timeout');
      await sleep(glareDelayMs(this.dialog.identity.role, Math.random()));
    }
    return withoutResponse('no-dialog');
  }

  /** It belongs to another call, whose `handler` hears of it; its own call ends for `cause`. */
  moveTo(handler: DialogHandler, cause: EndCause): void {
    assert(this.isHere, 'a leg without its peer has no place in a call');
    const isLent = this.#state === 'lent';
    this.#state = 'moved';
    this.dialog.handOver(handler);
    if (isLent) this.#named.call.end(cause, this.#named.side);
  }

  /** Nothing came of it: its call goes on with it; it is hung up if there is none any more. */
  giveBack(): void {
    if (this.#state === 'lent') this.#named.call.loan.takeBack();
    if (this.#state === 'orphan') {
      this.#endDigits();
      void this.dialog.bye();
    }
    if (this.isOurs) this.#state = 'gone';
  }

  /** It has accepted an offer that came to nothing: it is offered again what its partner goes by. */
  async restore(): Promise<void> {
    this.giveBack();
    const { call, side } = this.#named;
    const { session, renegotiation } = call;
    const partner = otherSide(side);
    const text = session?.negotiation.agreedDescription(partner);
    if (session === undefined || renegotiation === undefined || text === undefined) return;
    const restoration = new SessionRestoration(session, (method, exchange) =>
      renegotiation.exclusively(method, exchange),
    );
    if (call.isTalking) await restoration.restore(partner, text);
  }

  orphaned(): void {
    this.#state = 'orphan';
    const { trace } = this.dialog;
    this.dialog.handOver({
      onRequest: (request, dialog) => answerAlone(request, dialog),
      onAck: () => undefined,
      onEnd: () => this.lost(),
      onTrace: trace,
    });
  }

  lost(): void {
    if (!this.isOurs) return;
    if (this.#state === 'orphan') this.#endDigits();
    this.#state = 'gone';
    this.#gone.resolve();
    this.#onGone();
  }

  /** Resolves when it hangs up on its way; not if it never does. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** On its way to another call. */
  get isOurs(): boolean {
    return this.#state === 'lent' || this.#state === 'orphan';
  }

  /** On its way, and nobody has hung up in its dialog. */
  get isHere(): boolean {
    return this.isOurs && this.dialog.isConfirmed;
  }

  /** Its call has left to it what it subscribed to. */
  #endDigits(): void {
    this.place.dtmf.endKept(this.place.side);
  }

  /** What its call still has to tell it is heard best while that is the call it is in. */
  async #hearOut(): Promise<void> {
    const { session } = this.#named.call;
    const limitMs = session?.legs[this.#named.side].settings.dtmfDrainOnByeMs.value ?? 0;
    if (limitMs > 0) await session?.media.drained(this.#named.side, limitMs);
  }

  /** `undefined` when the parties are about to offer something themselves. */
  async #offer(options: DialogRequestOptions): Promise<DialogResponse | undefined> {
    const offer = (): Promise<DialogResponse> => this.dialog.request('INVITE', options);
    if (this.#state === 'orphan') return offer();
    return this.#named.call.renegotiation?.exclusively('INVITE', offer);
  }
}

/** What a party without a partner is told. */
function answerAlone(request: ReceivedRequest, dialog: SipDialog): void {
  switch (request.message.method) {
    case 'INVITE':
    case 'UPDATE':
      dialog.respond(request, 491);
      return;
    case 'OPTIONS':
      dialog.respond(request, 200, { headers: { Allow: ALLOWED_METHODS } });
      return;
    case 'INFO':
      dialog.respond(request, 200);
      return;
    case 'NOTIFY':
      dialog.respond(request, 481);
      return;
    default:
      dialog.respond(request, 500, { headers: RETRY_SOON });
  }
}
