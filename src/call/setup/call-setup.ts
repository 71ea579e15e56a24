/**
 * From INVITE to an answered call, or to the reason why not.
 *
 *   caller            SBC                       callee
 *     |--- INVITE ---->| offer -> session         |
 *     |                |-------- INVITE --------->|      next hop on 408, 5xx or no connection
 *     |<--- 18x -------|<-------- 18x ------------|
 *     |                |<-------- 200 ------------|
 *     |<--- 200 -------|--------- ACK ----------->|      answer -> session
 *     |---- ACK ------>|                          |
 *
 * Delayed offer: the offer comes in the callee's 200, the answer in the caller's ACK, and our ACK waits for it.
 */
import type { SipDialog } from '../../sip/dialog.ts';
import { releaseAnswered, type InviteAnswer } from '../../sip/outgoing-invite.ts';
import { listsExtension } from '../../sip/stray-requests.ts';
import type { Hop } from '../../trunk/policy.ts';
import { getHeaders, type SipRequest, type SipResponse } from '../../wire/sip-message.ts';
import { WireError } from '../../wire/wire-error.ts';
import {
  callerStatus,
  causeOfFailure,
  failureAt,
  isRedirection,
  whyNotFollowed,
  type AttemptFailure,
} from './attempt-failure.ts';
import type { CallStack } from '../call-context.ts';
import type { CallerInvite } from '../call-plan.ts';
import type { CallSession } from '../call-session.ts';
import type { EndCause } from '../end-cause.ts';
import { causeOfUnsentAnswer } from '../headers/end-headers.ts';
import { warningOf } from '../offer/received-sdp.ts';
import { HopQueue } from './hop-queue.ts';
import { repeatHeaders, withHeaders } from '../mid-call/session-refresh.ts';
import { ackCrossing, BARE, earlyCrossing, finalCrossing } from './setup-answers.ts';
import type { SetupHost } from './setup-host.ts';
import type { SetupState } from './setup-state.ts';
import {
  acceptOptions,
  type Crossing,
  inviteOptions,
  isReliable,
  progressOptions,
  refusalOptions,
} from './setup-messages.ts';

/** How long a callee may ring before the attempt is given up (timer C of RFC 3261 §16.6 in spirit). */
const NO_ANSWER_MS = 180_000;

/** How long the 200 waits for the last PRACK; the SIP engine gives up earlier if the 1xx has left. */
const PRACK_WAIT_MS = 40_000;

export class CallSetup {
  readonly #invite: CallerInvite;
  readonly #hops: HopQueue;
  readonly #inviteCallee: CallStack['invite'];
  readonly #host: SetupHost;
  #state: SetupState = { type: 'idle' };
  #timer: NodeJS.Timeout | undefined;
  /** Reliable 1xx to the caller without PRACK. */
  #unconfirmed = 0;

  constructor(options: {
    readonly invite: CallerInvite;
    readonly hops: readonly Hop[];
    readonly inviteCallee: CallStack['invite'];
    readonly host: SetupHost;
  }) {
    this.#invite = options.invite;
    this.#hops = new HopQueue(options.hops);
    this.#inviteCallee = options.inviteCallee;
    this.#host = options.host;
  }

  /** Tries the next hop, the later ones when it fails. */
  async start(): Promise<void> {
    const hop = this.#hops.take();
    if (hop === undefined || this.#host.isEnded) return;
    const session = this.#host.openSession(hop);
    if ('refused' in session) {
      if (this.#hops.leadsOn(503)) return this.start();
      this.#host.end(session.refused);
      return;
    }
    let offer: Awaited<ReturnType<CallSession['forwardOffer']>>;
    try {
      offer = await session.forwardOffer('caller', this.#invite.message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const refusalHeaders = warningOf(error);
      this.#host.end({ name: 'bad-sdp', by: 'sbc', text: error.message, refusalHeaders });
      return;
    }
    if (this.#host.isEnded) return;
    if (offer.type === 'failed') this.#host.end({ name: offer.cause, by: 'sbc' });
    else this.#send(hop, session, offer);
  }

  /** Gives up an unanswered callee; an answer that wins the race is acknowledged and hung up. */
  cancel(headers: Record<string, string>): void {
    clearTimeout(this.#timer);
    const state = this.#state;
    if (state.type === 'inviting') state.invite.cancel(headers);
    if (state.type === 'awaitingAck' && state.isDelayed) state.answer.acknowledge();
    this.#state = { type: 'done' };
  }

  /** The caller acknowledged our 200. */
  acknowledged(body: string): void {
    const state = this.#state;
    if (state.type !== 'awaitingAck') return;
    this.#state = { type: 'done' };
    const { session, answer, isDelayed, given } = state;
    let untold: string | undefined;
    if (isDelayed) {
      try {
        const crossing = ackCrossing(session, this.#invite.message, { body, given });
        answer.acknowledge(crossing.sdp);
        untold = crossing.untold;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        answer.acknowledge();
        this.#host.end({ name: 'bad-sdp', by: 'sbc', text: error.message });
        return;
      }
    }
    this.#host.joined(session, untold);
  }

  /** The caller has confirmed a reliable 1xx. */
  pracked(): void {
    if (this.#unconfirmed > 0) this.#unconfirmed -= 1;
    const state = this.#state;
    if (this.#unconfirmed > 0 || !('session' in state)) return;
    state.session.early.confirm();
    const { early } = state.session.legs.caller;
    if (early !== undefined) state.session.dtmf.settled('caller', early);
    if (state.type !== 'awaitingPrack') return;
    clearTimeout(this.#timer);
    this.#accept(state.session, state.answer, { ...state.crossing, isDelayed: false });
  }

  /** `again` names the INVITE that this one takes the place of, after a 422. */
  #send(hop: Hop, session: CallSession, ...[crossing, again]: [Crossing, SipRequest?]): void {
    const host = this.#host;
    if (again === undefined) host.attemptStarted(hop, session);
    const timer = host.timers.of('callee');
    const legs = { hop, legs: session.legs };
    const added = { ...timer?.requestHeaders(), ...repeatHeaders(again) };
    let sent: SipRequest | undefined;
    const invite = this.#inviteCallee(
      {
        interfaceName: hop.sipInterface.name,
        uri: hop.requestUri,
        nextHop: hop.nextHop,
        ...withHeaders(inviteOptions(this.#invite.message, legs, crossing), added),
      },
      {
        onSent: (request) => {
          sent = request;
          session.legs.callee.invite = request;
        },
        onProgress: (response, dialog) =>
          host.guarded(() => this.#progress(session, response, dialog)),
        onAnswer: (answer) => host.guarded(() => this.#answer(session, answer)),
        onFailure: (status, reason, response) =>
          host.guarded(() => {
            const isLast = again !== undefined || session.early.isSettled || host.isEnded;
            if (!isLast && timer?.tooShort(response) === true) {
              return this.#send(hop, session, crossing, sent);
            }
            return this.#failed(session, hop, { status, reason, response });
          }),
      },
      host.dialogHandler('callee'),
    );
    this.#state = { type: 'inviting', invite, session };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end('no-answer'), NO_ANSWER_MS);
  }

  #progress(session: CallSession, response: SipResponse, branch: SipDialog | undefined): void {
    if (this.#host.isEnded) return;
    session.legs.callee.early = branch ?? session.legs.callee.early;
    this.#host.progressed(response.status);
    const { message, offer } = this.#invite;
    const mustBeReliable = listsExtension(message, 'Require', '100rel');
    // The first reliable answer to an INVITE without offer must bring one (RFC 3262 §5), which only the 200 has.
    if (mustBeReliable && offer === undefined) return;
    const isAnswer = isReliable(response) && response.body.length > 0 && offer !== undefined;
    const isSentReliably =
      mustBeReliable || (isAnswer && listsExtension(message, 'Supported', '100rel'));
    const crossing =
      offer === undefined ? BARE : earlyCrossing(session, response, { branch, isSentReliably });
    if (isSentReliably) this.#unconfirmed += 1;
    this.#invite.progress(
      response.status,
      progressOptions({ response, legs: session.legs }, crossing, isSentReliably),
      this.#host.dialogHandler('caller'),
      (begun) => {
        session.legs.caller.early = begun;
      },
    );
  }

  async #answer(session: CallSession, answer: InviteAnswer): Promise<void> {
    clearTimeout(this.#timer);
    session.legs.callee.dialog = answer.dialog;
    session.dtmf.answered('callee', answer.dialog);
    this.#host.timers.of('callee')?.accepted(answer.response);
    if (this.#host.isEnded) {
      releaseAnswered(answer);
      return;
    }
    try {
      if (this.#invite.offer === undefined) await this.#answerDelayed(session, answer);
      else this.#answerEarly(session, answer);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#unusable(session, answer, error.message);
    }
  }

  /** The answer comes to nothing; where another hop is left, that is tried. */
  #unusable(session: CallSession, answer: InviteAnswer, text: string): void {
    if (session.early.isSettled || !this.#hops.leadsOn(502)) {
      answer.acknowledge();
      this.#host.end({ name: 'bad-answer', by: 'sbc', text });
      return;
    }
    session.legs.callee.dialog = undefined;
    releaseAnswered(answer);
    this.#host.attemptFailed({ status: 502, reason: text, response: undefined });
    this.#host.guarded(() => this.start());
  }

  #answerEarly(session: CallSession, answer: InviteAnswer): void {
    const crossing = finalCrossing(session, answer);
    answer.acknowledge();
    if (this.#unconfirmed > 0) {
      this.#state = { type: 'awaitingPrack', session, answer, crossing };
      this.#timer = setTimeout(() => this.#end('ack-timeout'), PRACK_WAIT_MS);
      return;
    }
    this.#accept(session, answer, { ...crossing, isDelayed: false });
  }

  async #answerDelayed(session: CallSession, answer: InviteAnswer): Promise<void> {
    const forwarded = await session.forwardOffer('callee', answer.response);
    if (this.#host.isEnded) {
      releaseAnswered(answer);
      return;
    }
    if (forwarded.type === 'failed') {
      answer.acknowledge();
      this.#host.end({ name: forwarded.cause, by: 'sbc' });
      return;
    }
    this.#accept(session, answer, { ...forwarded, isDelayed: true });
  }

  #accept(
    session: CallSession,
    answer: InviteAnswer,
    message: Crossing & { isDelayed: boolean },
  ): void {
    const { isDelayed } = message;
    this.#state = { type: 'awaitingAck', session, answer, isDelayed, given: message.sdp };
    const { response } = answer;
    const accepted = acceptOptions({ response, legs: session.legs }, message);
    const timing = this.#host.timers.of('caller')?.accept(this.#invite.message);
    const options = withHeaders(accepted, timing?.headers ?? {});
    const handler = this.#host.dialogHandler('caller');
    this.#invite.accept(options, handler, (outcome) => {
      this.#host.guarded(() => {
        if (outcome.type === 'failed') {
          this.#host.end(causeOfUnsentAnswer(outcome.reason));
          return;
        }
        timing?.sent();
        this.#callerDialog(session, outcome.dialog);
      });
    });
  }

  #callerDialog(session: CallSession, dialog: SipDialog): void {
    session.legs.caller.dialog = dialog;
    session.dtmf.answered('caller', dialog);
    if (this.#host.isEnded) {
      void dialog.bye();
      return;
    }
    this.#host.answered();
  }

  async #failed(session: CallSession, hop: Hop, received: AttemptFailure): Promise<void> {
    clearTimeout(this.#timer);
    const failure = failureAt(hop, received);
    const { status, response } = failure;
    this.#host.attemptFailed(failure);
    if (this.#host.isEnded) return;
    const redirect = this.#redirect(session, hop, response);
    if (redirect.isFollowed || this.#hops.leadsOn(status)) return this.start();
    this.#state = { type: 'done' };
    const cause = causeOfFailure(failure, redirect.note);
    if (cause.name === 'callee-refused') {
      // Subscriptions of the early dialog have their last word while there still is a dialog.
      session.dtmf.end();
      const told = callerStatus(status);
      this.#invite.reject(told, refusalOptions(told, response, session.legs));
    }
    this.#host.end(cause);
  }

  /** Whether a redirecting answer leads to another hop, and for the record why it does not. */
  #redirect(
    session: CallSession,
    from: Hop,
    response: SipResponse | undefined,
  ): { isFollowed: boolean; note: string } {
    if (response === undefined || !isRedirection(response.status)) {
      return { isFollowed: false, note: '' };
    }
    const follow = session.legs.callee.settings.followRedirects.value;
    const contacts = getHeaders(response, 'Contact');
    const { hops, refused } = this.#host.redirect({ from, contacts, follow });
    const followed = this.#hops.redirect(hops);
    this.#host.redirected({ followed: followed.map((hop) => hop.requestUri), refused });
    return { isFollowed: followed.length > 0, note: whyNotFollowed({ hops, refused }) };
  }

  #end(name: EndCause['name']): void {
    this.#host.end({ name, by: 'sbc' });
  }
}
