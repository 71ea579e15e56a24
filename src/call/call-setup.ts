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
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { DialogHandler, SipDialog } from '../sip/dialog.ts';
import { releaseAnswered, type InviteAnswer, type OutgoingInvite } from '../sip/outgoing-invite.ts';
import { ALLOWED_METHODS } from '../sip/stray-requests.ts';
import type { Hop } from '../trunk/policy.ts';
import type { SipRequest, SipResponse } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';
import {
  callerStatus,
  isEngineLost,
  isWorthAnotherHop,
  type AttemptFailure,
} from './attempt-failure.ts';
import type { CallContext } from './call-context.ts';
import type { CallSession } from './call-session.ts';
import type { EndCause } from './end-cause.ts';
import { hopTransport } from './call-leg.ts';
import {
  allowEventsHeader,
  callerHeaders,
  callerIdentity,
  maxForwardsOf,
  passedHeaders,
  PRODUCT,
} from './header-policy.ts';

/** How long a callee may ring before the attempt is given up (timer C of RFC 3261 §16.6 in spirit). */
const NO_ANSWER_MS = 180_000;

const SDP_TYPE = { 'Content-Type': 'application/sdp' };

/** What the set-up asks of its call. */
export interface SetupHost {
  readonly isEnded: boolean;
  /** Joins the caller with the hop; `undefined` when the hop takes no more calls. */
  openSession(hop: Hop): CallSession | undefined;
  dialogHandler(side: 'caller' | 'callee'): DialogHandler;
  attemptStarted(hop: Hop, session: CallSession): void;
  attemptFailed(status: number, reason: string): void;
  progressed(status: number): void;
  /** The caller got its 200. */
  answered(): void;
  /** The caller acknowledged it: both dialogs stand. */
  joined(session: CallSession): void;
  end(cause: EndCause): void;
  /** Runs `action`; a broken invariant in it ends the call instead of escaping. */
  guarded(action: () => void | Promise<void>): void;
}

type SetupState =
  | { readonly type: 'idle' }
  | { readonly type: 'inviting'; readonly invite: OutgoingInvite; readonly session: CallSession }
  | {
      readonly type: 'awaitingAck';
      readonly session: CallSession;
      readonly answer: InviteAnswer;
      readonly isDelayed: boolean;
    }
  | { readonly type: 'done' };

export class CallSetup {
  readonly #invite: IncomingInvite;
  readonly #hops: readonly Hop[];
  readonly #context: CallContext;
  readonly #host: SetupHost;
  #state: SetupState = { type: 'idle' };
  #noAnswer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly invite: IncomingInvite;
    readonly hops: readonly Hop[];
    readonly context: CallContext;
    readonly host: SetupHost;
  }) {
    this.#invite = options.invite;
    this.#hops = options.hops;
    this.#context = options.context;
    this.#host = options.host;
  }

  /** Tries the hop at `index`, the later ones when it fails. */
  async start(index = 0): Promise<void> {
    const hop = this.#hops[index];
    if (hop === undefined || this.#host.isEnded) return;
    const session = this.#host.openSession(hop);
    if (session === undefined) {
      if (index + 1 < this.#hops.length) return this.start(index + 1);
      this.#host.end({ name: 'limit-reached', by: 'sbc' });
      return;
    }
    let offer: Awaited<ReturnType<CallSession['forwardOffer']>>;
    try {
      offer = await session.forwardOffer('caller', this.#invite.message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#host.end({ name: 'bad-sdp', by: 'sbc', text: error.message });
      return;
    }
    if (this.#host.isEnded) return;
    if (offer.type === 'failed') {
      this.#host.end({ name: offer.cause, by: 'sbc' });
      return;
    }
    const headers = {
      ...this.#inviteHeaders(hop),
      ...allowEventsHeader(this.#invite.message, offer.allowEvents),
    };
    this.#send(hop, session, { index, headers, sdp: offer.sdp });
  }

  /** Gives up an unanswered callee; an answer that wins the race is acknowledged and hung up. */
  cancel(headers: { Reason: string }): void {
    clearTimeout(this.#noAnswer);
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
    const { session, answer, isDelayed } = state;
    if (isDelayed && !this.#completeDelayed(session, answer, body)) return;
    this.#host.joined(session);
  }

  #send(
    hop: Hop,
    session: CallSession,
    message: { index: number; headers: Record<string, string>; sdp: string | undefined },
  ): void {
    this.#host.attemptStarted(hop, session);
    const body = message.sdp === undefined ? {} : { body: message.sdp };
    const contentType = message.sdp === undefined ? {} : SDP_TYPE;
    const host = this.#host;
    const invite = this.#context.stack.invite(
      {
        interfaceName: hop.sipInterface.name,
        uri: hop.requestUri,
        nextHop: hop.nextHop,
        headers: { ...message.headers, ...contentType },
        ...body,
      },
      {
        onSent: (request) => {
          session.legs.callee.invite = request;
        },
        onProgress: (response, dialog) =>
          host.guarded(() => this.#progress(session, response, dialog)),
        onAnswer: (answer) => host.guarded(() => this.#answer(session, answer)),
        onFailure: (status, reason, response) =>
          host.guarded(() => this.#failed(session, message.index, { status, reason, response })),
      },
      host.dialogHandler('callee'),
    );
    this.#state = { type: 'inviting', invite, session };
    this.#noAnswer = setTimeout(() => this.#timeOut(), NO_ANSWER_MS);
  }

  #progress(session: CallSession, response: SipResponse, early: SipDialog | undefined): void {
    if (this.#host.isEnded) return;
    session.legs.callee.early = early ?? session.legs.callee.early;
    this.#host.progressed(response.status);
    const isDelayed = this.#invite.offer === undefined;
    const preview = isDelayed ? undefined : this.#preview(session, response);
    const body = preview?.sdp === undefined ? {} : { body: preview.sdp };
    const headers = {
      ...passedHeaders(response),
      ...(preview?.sdp === undefined ? {} : SDP_TYPE),
      ...allowEventsHeader(response, preview?.allowEvents ?? 'remove-kpml'),
    };
    this.#invite.progress(
      response.status,
      { reason: response.reason, headers, ...body },
      this.#host.dialogHandler('caller'),
      (begun) => {
        session.legs.caller.early = begun;
      },
    );
  }

  /** An answer in an unreliable 18x is only a preview; one that cannot be read is left out. */
  #preview(
    session: CallSession,
    response: SipResponse,
  ): ReturnType<CallSession['forwardAnswer']> | undefined {
    try {
      return session.forwardAnswer('callee', response, false);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return undefined;
    }
  }

  async #answer(session: CallSession, answer: InviteAnswer): Promise<void> {
    clearTimeout(this.#noAnswer);
    session.legs.callee.dialog = answer.dialog;
    session.dtmf.answered('callee', answer.dialog);
    if (this.#host.isEnded) {
      releaseAnswered(answer);
      return;
    }
    try {
      if (this.#invite.offer === undefined) await this.#answerDelayed(session, answer);
      else this.#answerEarly(session, answer);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      answer.acknowledge();
      this.#host.end({ name: 'bad-answer', by: 'sbc', text: error.message });
    }
  }

  #answerEarly(session: CallSession, answer: InviteAnswer): void {
    const forwarded = session.forwardAnswer('callee', answer.response, true);
    if (forwarded.sdp === undefined) throw new WireError('the answer has no session description');
    answer.acknowledge();
    this.#accept(session, answer, { ...forwarded, isDelayed: false });
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
    message: {
      sdp: string | undefined;
      allowEvents: Parameters<typeof allowEventsHeader>[1];
      isDelayed: boolean;
    },
  ): void {
    const { isDelayed } = message;
    this.#state = { type: 'awaitingAck', session, answer, isDelayed };
    const body =
      message.sdp === undefined ? { headers: {} } : { headers: SDP_TYPE, body: message.sdp };
    const headers = {
      ...passedHeaders(answer.response),
      ...allowEventsHeader(answer.response, message.allowEvents),
      Allow: ALLOWED_METHODS,
      Server: PRODUCT,
      ...body.headers,
    };
    const handler = this.#host.dialogHandler('caller');
    this.#invite.accept({ ...body, headers }, handler, (outcome) => {
      this.#host.guarded(() => {
        if (outcome.type === 'failed') {
          this.#host.end({ name: 'caller-cancelled', by: 'caller', text: outcome.reason });
          return;
        }
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

  /** Returns false when the caller's answer in the ACK is unusable and the call had to end. */
  #completeDelayed(session: CallSession, answer: InviteAnswer, body: string): boolean {
    try {
      if (body === '') throw new WireError('the ACK brings no answer');
      const ack: SipRequest = { ...this.#invite.message, method: 'ACK', body: Buffer.from(body) };
      const forwarded = session.forwardAnswer('caller', ack, true);
      answer.acknowledge(forwarded.sdp);
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      answer.acknowledge();
      this.#host.end({ name: 'bad-sdp', by: 'sbc', text: error.message });
      return false;
    }
  }

  async #failed(session: CallSession, index: number, failure: AttemptFailure): Promise<void> {
    clearTimeout(this.#noAnswer);
    const { status, reason, response } = failure;
    this.#host.attemptFailed(status, reason);
    if (this.#host.isEnded) return;
    if (isWorthAnotherHop(status) && index + 1 < this.#hops.length) {
      await this.start(index + 1);
      return;
    }
    this.#state = { type: 'done' };
    if (isEngineLost(failure)) {
      this.#host.end({ name: 'engine-lost', by: 'sbc' });
      return;
    }
    // Subscriptions of the early dialog have their last word while there still is a dialog.
    session.dtmf.end();
    const told = callerStatus(status);
    // A reason phrase belongs to its own status only.
    const phrase = told === status && response !== undefined ? { reason } : {};
    const headers = response === undefined ? {} : passedHeaders(response);
    this.#invite.reject(told, { ...phrase, headers });
    this.#host.end({ name: 'callee-refused', by: 'callee', status: told, text: reason });
  }

  #timeOut(): void {
    this.#host.end({ name: 'no-answer', by: 'sbc' });
  }

  #inviteHeaders(hop: Hop): Record<string, string> {
    const { message } = this.#invite;
    return {
      ...passedHeaders(message),
      ...callerHeaders(callerIdentity(message), hopTransport(hop), hop.requestUri),
      To: `<${hop.requestUri}>`,
      'Max-Forwards': String(maxForwardsOf(message) - 1),
      Allow: ALLOWED_METHODS,
      'User-Agent': PRODUCT,
    };
  }
}
