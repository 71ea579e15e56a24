/**
 * One call through the SBC: caller leg, callee leg, media and digits, from INVITE to CDR.
 *
 *   setup --200 to the caller--> answered --BYE, timeout, operator--> ended
 *     '-------------- CANCEL, refusal, failure ------------------------^
 *
 * A BYE may wait for the digits on their way to the side it goes to (`dtmf-drain-on-bye-ms`).
 * `end` is the one exit: it runs once, releases both legs and the media, and writes the CDR.
 */
import type { OpenAttempt } from '../observe/cdr.ts';
import { callLog, type Log } from '../observe/log.ts';
import { logEnd, logFieldsOf } from './log-fields.ts';
import { otherSide, type Side } from '../wire/side.ts';
import type { DialogHandler, SipDialog, SipTrace } from '../sip/dialog.ts';
import type { IncomingSubscription } from '../sip/incoming-subscription.ts';
import type { Session } from '../trunk/admission.ts';
import type { AgentOutcome } from '../trunk/agent-health.ts';
import type { Hop } from '../trunk/policy.ts';
import { outcomeOfAttempt } from './setup/agent-outcome.ts';
import type { CallContext } from './call-context.ts';
import { CallBoundary } from './call-boundary.ts';
import { newCallId, newSessionId } from './call-ids.ts';
import { CallLeg } from './call-leg.ts';
import type { CallMedia } from './call-media.ts';
import { CallMeter } from './call-meter.ts';
import { type AttemptFacts, CallHistory } from './call-history.ts';
import { CallSession } from './call-session.ts';
import type { CallState } from './call-state.ts';
import type { CallEndListener, CallOutcome, CallPlan } from './call-plan.ts';
import { forwardingOf } from './forward/forwarding-of.ts';
import { CallSetup } from './setup/call-setup.ts';
import { type EndCause, resultOf, resultOfRefusal, verdictOf } from './end-cause.ts';
import { AttemptRows } from './setup/attempt-rows.ts';
import { recordTransfer } from './transfer/transfer-rows.ts';
import { causeOfCancel, causeOfEnd, endHeaders } from './headers/end-headers.ts';
import { placeLeg, recordMessage } from './ladder-end.ts';
import { Loan } from './transfer/loan.ts';
import { MidCall } from './mid-call/mid-call.ts';
import { openCallMedia } from './open-call-media.ts';
import type { Renegotiation } from './mid-call/renegotiation.ts';
import { headersOf, limitCause } from './route-refusal.ts';
import { SessionTimers } from './mid-call/session-timers.ts';
import type { SetupHost } from './setup/setup-host.ts';
import type { LendingCall } from './transfer/transfer-host.ts';
import { waitUntil } from './wait-until.ts';

export class Call implements LendingCall {
  readonly id: string;
  readonly caller: CallLeg;
  readonly history: CallHistory;
  readonly log: Log;
  readonly loan = new Loan();
  /** Until both legs are acknowledged: with it go the INVITEs of both and all that led to the callee. */
  #beginning: { readonly plan: CallPlan; readonly setup: CallSetup } | undefined;
  readonly #context: CallContext;
  readonly #listener: CallEndListener<Call>;
  readonly #boundary: CallBoundary;
  readonly #timers: SessionTimers;
  readonly #meter: CallMeter;
  readonly #attempts: AttemptRows;
  readonly #sessionIds = { caller: newSessionId(), callee: newSessionId() };
  /** Kept as long as the call: it must not come from a scope with more than the call in it. */
  readonly #describe = (): OpenAttempt => this.history.describe(this.#facts());
  #session: CallSession | undefined;
  #midCall: MidCall | undefined;
  #counted: Session | undefined;
  #state: CallState = { type: 'setup' };

  constructor(plan: CallPlan, context: CallContext, listener: CallEndListener<Call>) {
    this.id = newCallId();
    this.caller = plan.caller;
    this.log = callLog(context.log, logFieldsOf(this.id, this.caller));
    this.#context = context;
    this.#listener = listener;
    const end = (): void => this.end({ name: 'bug', by: 'sbc' });
    this.#boundary = new CallBoundary(context.metrics, this.log, end);
    this.history = new CallHistory(plan, context.nowMs, plan.standing?.origin);
    this.#attempts = new AttemptRows(context, this.id);
    this.#meter = new CallMeter(context.metrics, plan.caller, this.id);
    this.#timers = new SessionTimers({
      isServerRefreshing: context.config.sip.engine === 'drachtio',
      reinvite: async (side) => this.#midCall?.repeat(side),
      end: (cause) => this.end(cause),
      guarded: (action) => this.#guarded(action),
    });
    this.#timers.watch(plan.caller);
    const setup = new CallSetup({
      plan,
      forwarding: forwardingOf(plan, this, context),
      inviteCallee:
        plan.standing?.inviteCallee ?? ((...options) => context.stack.invite(...options)),
      host: this.#setupHost(plan),
    });
    this.#beginning = { plan, setup };
  }

  get state(): CallState['type'] {
    return this.#state.type;
  }

  /** The joined legs, once a hop was chosen. */
  get session(): CallSession | undefined {
    return this.#session;
  }

  start(): void {
    const beginning = this.#beginning;
    if (beginning !== undefined) {
      this.#guarded(() => this.#begin(beginning.plan, beginning.setup));
    }
  }

  #begin({ invite, skipped, standing }: CallPlan, setup: CallSetup): Promise<void> {
    this.#context.cdr.opened(this.history.cdrId, this.#describe);
    if (skipped.length > 0) this.log.info({ skipped }, 'session agents skipped');
    placeLeg(this.#context, this.id, this.caller);
    if (standing !== undefined) recordTransfer(this.#context, this.id, standing.origin);
    invite.traceWith((...traced) => this.#trace('caller', ...traced));
    invite.onCancel((_reason, cancel) => {
      this.#guarded(() => this.end(causeOfCancel(cancel, this.#session?.legs)));
    });
    invite.onLost(() => this.#guarded(() => this.end({ name: 'engine-lost', by: 'sbc' })));
    return setup.start();
  }

  /** Answers a SUBSCRIBE that names the dialog of `side` from outside. */
  subscribed(side: Side, dialog: SipDialog, subscribe: IncomingSubscription): void {
    this.#guarded(() => this.#session?.dtmf.receiveSeparate(side, dialog, subscribe));
  }

  /** Who may offer in the dialogs of the call, once there are two. */
  get renegotiation(): Renegotiation | undefined {
    return this.#midCall?.renegotiation;
  }

  /** Ends the call; only the first cause counts. `kept`: a side that has a call elsewhere and is told nothing. */
  end(laterCause: EndCause, kept?: Side): void {
    if (this.#state.type === 'ended') return;
    const cause = (this.#state.type === 'answered' ? this.#state.hungUp : undefined) ?? laterCause;
    this.#state = { type: 'ended', cause };
    const verdict = verdictOf(cause);
    this.#counted?.release();
    this.#listener.onOver();
    // Before the refusal: with it an early dialog is gone, and last NOTIFYs can no longer be sent.
    this.#session?.dtmf.end(kept);
    this.#beginning?.plan.invite.reject(verdict.status, { headers: headersOf(cause) });
    this.#midCall?.end();
    this.#timers.end();
    const callee = this.#session?.legs.callee;
    this.#beginning?.setup.cancel(endHeaders(cause, callee ?? this.caller, 'CANCEL'));
    if (kept === undefined) this.loan.lost();
    for (const leg of this.#legs()) {
      if (leg.side !== kept) void leg.dialog?.bye(endHeaders(cause, leg, 'BYE'));
    }
    logEnd(this.log, cause, this.history.answerMs !== undefined, callee);
    this.#close(cause).catch((error: unknown) => this.#boundary.report(error));
  }

  /** The dialog of `side` is over: digits for the other leg may have time to leave. */
  async #endOfLeg(side: Side, cause: EndCause): Promise<void> {
    const confirmed = this.#beginning?.plan.invite.confirmed;
    // A callee that hangs up at once: the record must know whether our 200 left.
    if (confirmed !== undefined) await confirmed;
    const kept = cause.name === 'hang-up' && this.loan.leftBy(side) ? this.loan.side : undefined;
    const session = this.#session;
    const to = otherSide(side);
    const limitMs = session?.legs[to].settings.dtmfDrainOnByeMs.value ?? 0;
    // Reports go with a leg that is kept, played digits do not.
    const hasReported = (): boolean => kept === to || session?.dtmf.hasReported(to) !== false;
    const isWaiting = session?.media.hasDigits(to) === true || !hasReported();
    const mayWait = limitMs > 0 && isWaiting && cause.name === 'hang-up';
    if (session !== undefined && mayWait && this.isTalking) {
      this.#state = { type: 'answered', hungUp: cause };
      this.#midCall?.end();
      this.#timers.end();
      const isOver = (): boolean => hasReported() || this.#state.type === 'ended';
      const leftMs = await waitUntil(isOver, limitMs);
      session.dtmf.end(kept);
      await session.media.drained(to, leftMs);
    }
    this.end(cause, kept);
  }

  /** Answered, and nobody has left. */
  get isTalking(): boolean {
    return this.#state.type === 'answered' && this.#state.hungUp === undefined;
  }

  async #close(cause: EndCause): Promise<void> {
    const endMs = this.#context.nowMs();
    const { answerMs } = this.history;
    const talkMs = answerMs === undefined ? undefined : endMs - answerMs;
    this.#meter.ended(resultOf(cause, talkMs !== undefined), talkMs);
    this.history.ended(cause);
    let outcome: CallOutcome | undefined;
    try {
      const counters = await (this.#session?.media.close() ?? []);
      const record = this.history.record({ ...this.#facts(), cause, counters, endMs });
      outcome = { record, counters };
      this.#context.cdr.write(record);
    } finally {
      this.#listener.onReleased(this, outcome);
    }
  }

  /** What the record says of the call beside its history. */
  #facts(): AttemptFacts {
    return {
      callId: this.id,
      caller: this.caller,
      session: this.#session,
      digits: this.#context.ledger.summary(this.id),
      configHash: this.#context.config.hash,
    };
  }

  #openSession(plan: CallPlan, hop: Hop): ReturnType<SetupHost['openSession']> {
    this.#counted?.release();
    const counted = plan.countOn(hop);
    if (counted.type === 'refused') return { refused: limitCause(counted) };
    this.#counted = counted;
    const callee = plan.calleeFor(hop);
    this.#timers.watch(callee);
    this.#attempts.begins(callee);
    placeLeg(this.#context, this.id, callee);
    const previous = this.#session;
    const isReusable = previous?.legs.callee.realm.name === callee.realm.name;
    if (previous !== undefined && !isReusable) void previous.media.close();
    const media = isReusable && previous !== undefined ? previous.media : this.#newMedia(callee);
    this.#session = new CallSession({
      callId: this.id,
      legs: { caller: this.caller, callee },
      media,
      context: this.#context,
      log: this.log,
      sessionIds: this.#sessionIds,
      previous,
      standing: plan.standing?.sides,
      onBug: (error) => this.#boundary.bug(error),
    });
    this.#midCall = new MidCall(this.#session, {
      guarded: (action) => this.#guarded(action),
      end: (endCause) => this.end(endCause),
      pracked: () => this.#beginning?.setup.pracked(),
      transfers: { call: this, host: this.#context.transfers },
    });
    return this.#session;
  }

  #newMedia(callee: CallLeg): CallMedia {
    return openCallMedia(this.#context, {
      call: this,
      legs: { caller: this.caller, callee },
      dtmf: () => this.#session?.dtmf,
      guarded: (action) => this.#guarded(action),
    });
  }

  #setupHost(plan: CallPlan): SetupHost {
    return {
      isEnded: () => this.#state.type === 'ended',
      openSession: (hop) => this.#openSession(plan, hop),
      redirect: (redirect) => plan.redirect(redirect),
      dialogHandler: (side) => this.#dialogHandler(side),
      attemptStarted: (hop, session) => {
        this.history.attemptStarted(hop, session.legs.callee);
        this.#meter.attemptStarted(session.legs.callee);
      },
      attemptFailed: (failure) => {
        const { status, reason } = failure;
        this.#report(plan, outcomeOfAttempt(failure));
        this.history.attemptFailed(status, reason);
        this.#attempts.failed(failure);
        this.#meter.attemptEnded(resultOfRefusal(status));
      },
      redirected: (redirection) => this.log.info(redirection, 'redirected'),
      progressed: (status) => {
        this.history.progressed(status);
        this.#meter.progressed(this.history.postDialDelayMs);
      },
      answered: () => {
        this.#state = { type: 'answered' };
        void this.#session?.media.answered();
        this.#report(plan, { type: 'answer', by: 'call', status: 200 });
        this.history.answered();
        this.#context.cdr.answered(this.history.cdrId, this.#describe);
        this.#meter.progressed(this.history.postDialDelayMs);
      },
      joined: (session, untold) => {
        this.#beginning = undefined;
        this.#midCall?.joined(untold);
        session.dtmf.legReady('callee');
        session.dtmf.legReady('caller');
      },
      timers: this.#timers,
      end: (cause) => this.end(cause),
      guarded: (action) => this.#guarded(action),
    };
  }

  #report(plan: CallPlan, outcome: AgentOutcome | undefined): void {
    const agent = this.#session?.legs.callee.agent;
    if (agent !== undefined && outcome !== undefined) plan.report(agent.name, outcome);
  }

  #dialogHandler(side: Side): DialogHandler {
    return {
      onRequest: (request, dialog) =>
        this.#guarded(() =>
          (this.#midCall ?? this.#beginning?.setup)?.receive(side, dialog, request),
        ),
      onAck: (body, cseq) => {
        this.#guarded(() => {
          if (side === 'caller') this.#beginning?.setup.acknowledged(body);
          this.#midCall?.acknowledged(side, body, cseq);
        });
      },
      onEnd: (by, reason, bye) => {
        this.#guarded(() => {
          return this.#endOfLeg(side, causeOfEnd(side, { by, reason, bye }, this.#session?.legs));
        });
      },
      onTrace: (...traced) => this.#trace(side, ...traced),
      refresh: this.#timers.of(side),
      digest: this.#context.digestOf(this.#legs()[side === 'caller' ? 0 : 1]?.agent),
    };
  }

  #trace(leg: Side, ...traced: Parameters<SipTrace>): void {
    recordMessage(this.#context, { callId: this.id, leg }, traced);
  }

  #legs(): readonly CallLeg[] {
    const callee = this.#session?.legs.callee;
    return callee === undefined ? [this.caller] : [this.caller, callee];
  }

  #guarded(action: () => void | Promise<void>): void {
    this.#boundary.run(action);
  }
}
