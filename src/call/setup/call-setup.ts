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
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import type { Hop } from '../../trunk/policy.ts';
import { type SipResponse } from '../../wire/sip-message.ts';
import { WireError } from '../../wire/wire-error.ts';
import { callerStatus, causeOfFailure, failureAt, type AttemptFailure } from './attempt-failure.ts';
import type { CallStack } from '../call-context.ts';
import { endCauseOf } from '../call-media.ts';
import type { CallerInvite, CallPlan } from '../call-plan.ts';
import type { CallSession } from '../call-session.ts';
import { type EndCause, verdictOf } from '../end-cause.ts';
import type { CallForwarding, ForwardStep } from '../forward/call-forwarding.ts';
import { NOT_FORWARDED } from '../forward/forward-chain.ts';
import { causeOfUnsentAnswer, endHeaders } from '../headers/end-headers.ts';
import { warningOf } from '../offer/received-sdp.ts';
import { headersOf } from '../route-refusal.ts';
import { CalleeAttempt } from './callee-attempt.ts';
import { CallerProgress } from './caller-progress.ts';
import { followRedirect } from './follow-redirect.ts';
import { HopQueue } from './hop-queue.ts';
import { withHeaders } from '../mid-call/session-refresh.ts';
import { ackCrossing, finalCrossing } from './setup-answers.ts';
import type { SetupHost } from './setup-host.ts';
import type { SetupState } from './setup-state.ts';
import { acceptOptions, type Crossing, refusalOptions } from './setup-messages.ts';

/** How long a callee may ring before the attempt is given up (timer C of RFC 3261 §16.6 in spirit). */
const NO_ANSWER_MS = 180_000;

/** How long the 200 waits for the last PRACK; the SIP engine gives up earlier if the 1xx has left. */
const PRACK_WAIT_MS = 40_000;

const RANG_OUT: EndCause = { name: 'no-answer', by: 'sbc' };

export class CallSetup {
  readonly #invite: CallerInvite;
  readonly #forwarding: CallForwarding | undefined;
  #hops: HopQueue;
  readonly #inviteCallee: CallStack['invite'];
  readonly #host: SetupHost;
  readonly #toCaller: CallerProgress;
  #state: SetupState = { type: 'idle' };
  #timer: NodeJS.Timeout | undefined;
  /** With the callee tried last. */
  #session: CallSession | undefined;

  constructor(options: {
    readonly plan: Pick<CallPlan, 'invite' | 'caller' | 'hops'>;
    readonly forwarding: CallForwarding | undefined;
    readonly inviteCallee: CallStack['invite'];
    readonly host: SetupHost;
  }) {
    this.#invite = options.plan.invite;
    this.#forwarding = options.forwarding;
    this.#hops = new HopQueue(options.plan.hops);
    this.#inviteCallee = options.inviteCallee;
    this.#host = options.host;
    this.#toCaller = new CallerProgress(options.plan, () => options.host.dialogHandler('caller'));
  }

  /** Tries the hops in turn; which ones, feature keys of the called account may say. */
  async start(): Promise<void> {
    const forwarding = this.#forwarding;
    if (forwarding === undefined) return this.#next();
    const step = await forwarding.begin((headers) => {
      this.#session?.media.silence('callee');
      if (headers !== undefined) this.#toCaller.forwarded(headers);
    });
    return this.#follow(step);
  }

  /** Takes the way that the feature keys have chosen. */
  async #follow(step: ForwardStep): Promise<void> {
    if (this.#host.isEnded()) return;
    if (step.type === 'try') {
      this.#hops = new HopQueue(step.hops);
      return this.#next();
    }
    const { cause, phrase } = step;
    this.#state = { type: 'done' };
    if (phrase !== undefined) {
      this.#invite.reject(verdictOf(cause).status, { headers: headersOf(cause), reason: phrase });
    }
    this.#host.end(cause);
  }

  /** Tries the next hop, the later ones when it fails. */
  async #next(): Promise<void> {
    const hop = this.#hops.take();
    if (hop === undefined || this.#host.isEnded()) return;
    const session = this.#host.openSession(hop);
    if ('refused' in session) {
      if (this.#hops.leadsOn(503)) return this.#next();
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
    if (this.#host.isEnded()) return;
    if (offer.type === 'failed') this.#host.end(endCauseOf(offer));
    else this.#send(hop, session, offer);
  }

  /** Gives up an unanswered callee; an answer that wins the race is acknowledged and hung up. */
  cancel(headers: Record<string, string>): void {
    clearTimeout(this.#timer);
    this.#forwarding?.stop();
    const state = this.#state;
    if (state.type === 'inviting') state.attempt.cancel(headers);
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
    this.#toCaller.confirm();
    const state = this.#state;
    if (!this.#toCaller.isConfirmed || !('session' in state)) return;
    state.session.early.confirm();
    const { early } = state.session.legs.caller;
    if (early !== undefined) state.session.dtmf.settled('caller', early);
    if (state.type !== 'awaitingPrack') return;
    clearTimeout(this.#timer);
    this.#accept(state.session, state.answer, { ...state.crossing, isDelayed: false });
  }

  /** A request of the caller in its early dialog, before there is a callee. */
  receive(_side: 'caller' | 'callee', dialog: SipDialog, request: ReceivedRequest): void {
    const isConfirmation = request.message.method === 'PRACK';
    dialog.respond(request, isConfirmation ? 200 : 491);
    if (isConfirmation) this.pracked();
  }

  #send(hop: Hop, session: CallSession, crossing: Crossing): void {
    const host = this.#host;
    const forwarding = this.#forwarding;
    host.attemptStarted(hop, session);
    const { message } = this.#invite;
    const forwards = forwarding?.told ?? NOT_FORWARDED;
    const inviteCallee = this.#inviteCallee;
    const attempt = new CalleeAttempt(
      { hop, session, message, crossing, forwards, inviteCallee, host },
      {
        progressed: (response, branch) => this.#progress(session, response, branch),
        answered: (answer) => this.#answer(attempt, answer),
        failed: (failure) => this.#failed(attempt, failure),
      },
    );
    this.#session = session;
    this.#state = { type: 'inviting', attempt, session };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#host.end(RANG_OUT), NO_ANSWER_MS);
    attempt.start();
    forwarding?.sent(() => this.#rangOut(attempt));
    // While this hop was being prepared.
    if (forwarding?.hasExpired === true) this.#rangOut(attempt);
  }

  /** The phone has rung long enough; if it answers before our CANCEL reaches it, the call is its own. */
  #rangOut(attempt: CalleeAttempt): void {
    const state = this.#state;
    if (state.type !== 'inviting' || state.attempt !== attempt) return;
    clearTimeout(this.#timer);
    attempt.giveUp(endHeaders(RANG_OUT, attempt.session.legs.callee, 'CANCEL'));
  }

  #progress(session: CallSession, response: SipResponse, branch: SipDialog | undefined): void {
    if (this.#host.isEnded()) return;
    session.legs.callee.early = branch ?? session.legs.callee.early;
    this.#host.progressed(response.status);
    this.#forwarding?.progressed(response.status);
    this.#toCaller.relay(session, response, branch);
  }

  async #answer(attempt: CalleeAttempt, answer: InviteAnswer): Promise<void> {
    const { session } = attempt;
    clearTimeout(this.#timer);
    this.#forwarding?.stop();
    session.legs.callee.dialog = answer.dialog;
    session.dtmf.answered('callee', answer.dialog);
    this.#host.timers.of('callee')?.accepted(answer.response);
    if (this.#host.isEnded()) {
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
    this.#host.guarded(() => this.#next());
  }

  #answerEarly(session: CallSession, answer: InviteAnswer): void {
    const crossing = finalCrossing(session, answer);
    answer.acknowledge();
    if (!this.#toCaller.isConfirmed) {
      this.#state = { type: 'awaitingPrack', session, answer, crossing };
      this.#timer = setTimeout(
        () => this.#host.end({ name: 'ack-timeout', by: 'sbc' }),
        PRACK_WAIT_MS,
      );
      return;
    }
    this.#accept(session, answer, { ...crossing, isDelayed: false });
  }

  async #answerDelayed(session: CallSession, answer: InviteAnswer): Promise<void> {
    const forwarded = await session.forwardOffer('callee', answer.response);
    if (this.#host.isEnded()) {
      releaseAnswered(answer);
      return;
    }
    if (forwarded.type === 'failed') {
      answer.acknowledge();
      this.#host.end(endCauseOf(forwarded));
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
    const added = { ...timing?.headers, ...this.#forwarding?.responseHeaders() };
    const options = withHeaders(accepted, added);
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
    if (this.#host.isEnded()) {
      void dialog.bye();
      return;
    }
    this.#host.answered();
  }

  async #failed(attempt: CalleeAttempt, received: AttemptFailure): Promise<void> {
    const { session, hop } = attempt;
    clearTimeout(this.#timer);
    this.#state = { type: 'idle' };
    const failure = failureAt(hop, received);
    const { status, response } = failure;
    this.#host.attemptFailed(failure);
    if (this.#host.isEnded()) return;
    const hasRungOut = this.#forwarding?.hasExpired === true;
    const redirect = followRedirect(
      { host: this.#host, hops: this.#hops },
      attempt,
      hasRungOut ? undefined : response,
    );
    if (!hasRungOut && (redirect.isFollowed || this.#hops.leadsOn(status))) return this.#next();
    const step = this.#forwarding && (await this.#forwarding.failed(failure));
    if (step !== undefined) return this.#follow(step);
    if (this.#host.isEnded()) return;
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
}
