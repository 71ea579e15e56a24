import type { AcceptOutcome } from '../../sip/incoming-invite.ts';
import type { DialogHandler } from '../../sip/dialog.ts';
import type { RespondOptions } from '../../sip/sip-connection.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import type { SipFragment } from '../../wire/refer.ts';
import { phraseOf } from '../../wire/sip-phrases.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { CallerInvite } from '../call-plan.ts';
import type { CallSession } from '../call-session.ts';
import { pathFrom } from '../headers/header-crossing.ts';
import { isShortOf } from '../offer/short-answer.ts';
import { inviteWith, offerOptions } from '../mid-call/mid-call-messages.ts';
import { SessionRestoration } from '../mid-call/session-restoration.ts';
import type { StandingLeg } from './standing-leg.ts';
import type { LendingCall } from './transfer-host.ts';

/** Who is told what comes of the call, and where it is. */
export interface StandingInviteHost {
  /** The call that this is the INVITE of. */
  call(): LendingCall | undefined;
  /** A 1xx of the target. */
  progressed(fragment: SipFragment): void;
  /** The party has its new call. */
  joined(handler: DialogHandler): void;
  /** It has not: final status of the target, or of the party itself. */
  failed(fragment: SipFragment): void;
  onBug(error: unknown): void;
}

const GONE: SipFragment = { status: 487, reason: phraseOf(487) };

/**
 * The party that stays in a transfer as the caller of a new call: for the call it is an INVITE like any other.
 *
 *   1xx, refusal   told to whoever asked for the transfer, never to the party
 *   200            a re-INVITE in the dialog of the party, with what the target has answered as the offer
 *
 *   waiting --200--> joining --the party has accepted, and is still there--> final
 *      '-- refusal, or it hangs up --'------------------------------------------^
 */
export class StandingInvite implements CallerInvite {
  readonly message: SipRequest;
  readonly #standing: StandingLeg;
  readonly #host: StandingInviteHost;
  #onCancel: Parameters<CallerInvite['onCancel']>[0] = () => undefined;
  #state: 'waiting' | 'joining' | 'final' = 'waiting';
  /** Tells the call that the party will not come; set while it is joining. */
  #onFailed: (fragment: SipFragment) => void = () => undefined;
  #joining: Promise<void> | undefined;

  /** @param message the INVITE that the party would have sent to the target */
  constructor(standing: StandingLeg, message: SipRequest, host: StandingInviteHost) {
    this.message = message;
    this.#standing = standing;
    this.#host = host;
  }

  get offer(): string {
    return this.message.body.toString();
  }

  /** Settled when it is known whether the party has come; `undefined` when it is not asked. */
  get confirmed(): Promise<void> | undefined {
    return this.#joining;
  }

  /** Messages in the dialog of the party are recorded where it is handled, the offer of the new call there as well. */
  traceWith(): void {}

  onCancel(listener: Parameters<CallerInvite['onCancel']>[0]): void {
    this.#onCancel = listener;
  }

  /** With the connection goes the dialog of the party, which is told by `cancel`. */
  onLost(): void {}

  /** The party has hung up, or lost its dialog. */
  cancel(): void {
    if (this.#state === 'joining') this.#fail(GONE);
    if (this.#state !== 'waiting') return;
    this.#state = 'final';
    this.#host.failed(GONE);
    this.#onCancel('', undefined);
  }

  progress(status: number): void {
    if (this.#state === 'waiting') this.#host.progressed({ status, reason: phraseOf(status) });
  }

  reject(status: number): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'final';
    this.#host.failed({ status, reason: phraseOf(status) });
  }

  accept(
    _options: RespondOptions,
    handler: DialogHandler,
    onOutcome: (outcome: AcceptOutcome) => void,
  ): void {
    if (this.#state !== 'waiting') {
      onOutcome({ type: 'failed', reason: 'the party has left' });
      return;
    }
    this.#state = 'joining';
    this.#onFailed = ({ status, reason }) => {
      onOutcome({ type: 'failed', reason: `${status} ${reason}` });
    };
    this.#joining = this.#join(handler, onOutcome)
      .catch((error: unknown) => {
        this.#host.onBug(error);
        this.#fail({ status: 500, reason: phraseOf(500) });
      })
      .finally(() => {
        this.#joining = undefined;
      });
  }

  /** Ends what is joining, once. */
  #fail(fragment: SipFragment): void {
    if (this.#state !== 'joining') return;
    this.#state = 'final';
    this.#host.call()?.session?.abandonOffer();
    this.#host.failed(fragment);
    this.#onFailed(fragment);
  }

  async #join(handler: DialogHandler, onOutcome: (outcome: AcceptOutcome) => void): Promise<void> {
    const session = this.#host.call()?.session;
    const given = session?.negotiation.agreedDescription('callee');
    if (session === undefined || given === undefined) throw new Error('nothing was agreed');
    const message = inviteWith(given, session.negotiation.hasAnnouncedKpml('callee'));
    const offer = await session.forwardOffer('callee', message);
    if (offer.type === 'failed' || offer.sdp === undefined) {
      this.#fail({ status: 500, reason: phraseOf(500) });
      return;
    }
    const options = offerOptions(message, offer, pathFrom('callee', session.legs));
    const response = await this.#standing.reinvite({ ...options, onTrace: handler.onTrace });
    if (response.status >= 300 || response.message === undefined) {
      this.#fail({ status: response.status, reason: phraseOf(response.status) });
      return;
    }
    response.acknowledge();
    // It may have hung up behind its 200, and nobody would hear of that any more.
    if (!this.#standing.isHere) this.#fail(GONE);
    if (this.#state !== 'joining') return;
    this.#state = 'final';
    this.#host.joined(handler);
    const answer = response.message.body.toString();
    const isUsable = this.#take(session, response.message);
    // The party has left its old call for good: what goes wrong from now on ends the new one.
    onOutcome({ type: 'dialog', dialog: this.#standing.dialog });
    // Behind what the new call concludes from an INVITE that says nothing of session timers.
    handler.refresh?.accepted(response.message);
    handler.onAck('', undefined);
    if (!isUsable) this.#host.call()?.end({ name: 'bad-sdp', by: 'caller' });
    else if (isShortOf(offer.sdp, answer)) await this.#tellTarget(session, answer);
  }

  #take(session: CallSession, answer: Parameters<CallSession['forwardAnswer']>[1]): boolean {
    try {
      session.forwardAnswer('caller', answer, true);
      return answer.body.length > 0;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      session.abandonOffer();
      return false;
    }
  }

  /** The target goes by what the party said in its old call. */
  async #tellTarget(session: CallSession, answer: string): Promise<void> {
    const renegotiation = this.#host.call()?.renegotiation;
    if (renegotiation === undefined) return;
    const restoration = new SessionRestoration(session, (method, exchange) =>
      renegotiation.exclusively(method, exchange),
    );
    await restoration.restore('caller', answer);
  }
}
