/**
 * One call through the SBC: caller leg, callee leg, media and digits, from INVITE to CDR.
 *
 *   setup --200 to the caller--> answered --BYE, timeout, operator--> ended
 *     '-------------- CANCEL, refusal, failure ------------------------^
 *
 * A BYE may wait for the digits on their way to the side it goes to (`dtmf-drain-on-bye-ms`).
 * `end` is the one exit: it runs once, releases both legs and the media, and writes the CDR.
 */
import { randomBytes } from 'node:crypto';
import { callLog, type Log } from '../observe/log.ts';
import { otherSide, type Side } from '../wire/side.ts';
import type { DialogHandler, SipDialog } from '../sip/dialog.ts';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { IncomingSubscription } from '../sip/incoming-subscription.ts';
import type { MediaListener } from '../media/media-engine.ts';
import { refusalText, type Session, type SessionRefusal } from '../trunk/admission.ts';
import type { AgentOutcome } from '../trunk/agent-health.ts';
import type { Hop, SkippedAgent } from '../trunk/policy.ts';
import type { Redirect, Redirection } from '../trunk/redirect.ts';
import { outcomeOfAttempt } from './agent-outcome.ts';
import type { CallContext } from './call-context.ts';
import { CallLeg } from './call-leg.ts';
import { CallMedia } from './call-media.ts';
import { CallMeter, MediaMeter } from './call-meter.ts';
import { CallHistory } from './call-history.ts';
import { CallSession } from './call-session.ts';
import { CallSetup, type SetupHost } from './call-setup.ts';
import { type EndCause, resultOf, resultOfRefusal, verdictOf } from './end-cause.ts';
import { causeOfCancel, causeOfEnd, endHeaders } from './end-headers.ts';
import { MidCall } from './mid-call.ts';
import { waitUntil } from './wait-until.ts';

/** What admission and routing found out before the call exists. */
export interface CallPlan {
  readonly invite: IncomingInvite;
  readonly caller: CallLeg;
  /** Next hops in the order of trying; at least one. */
  readonly hops: readonly Hop[];
  /** The callee's side of the call for a hop. */
  readonly calleeFor: (hop: Hop) => CallLeg;
  /** Where a redirecting answer leads. */
  readonly redirect: (redirect: Redirect) => Redirection;
  /** Counts the call on the hop's agent, if it is one. */
  readonly countOn: (hop: Hop) => Session | SessionRefusal;
  /** Says what an attempt showed about an agent. */
  readonly report: (agentName: string, outcome: AgentOutcome) => void;
  readonly policy: string;
  /** Agents of the policy that got no chance. */
  readonly skipped: readonly SkippedAgent[];
}

type CallState =
  | { readonly type: 'setup' }
  /** `hungUp`: a side has left, the other is told behind its last digits. */
  | { readonly type: 'answered'; readonly hungUp?: EndCause }
  | { readonly type: 'ended'; readonly cause: EndCause };

export class Call {
  readonly id: string;
  readonly caller: CallLeg;
  readonly history: CallHistory;
  readonly log: Log;
  readonly #plan: CallPlan;
  readonly #context: CallContext;
  readonly #onEnded: (call: Call) => void;
  readonly #setup: CallSetup;
  readonly #meter: CallMeter;
  readonly #sessionIds = { caller: sessionId(), callee: sessionId() };
  #session: CallSession | undefined;
  #midCall: MidCall | undefined;
  #counted: Session | undefined;
  #state: CallState = { type: 'setup' };

  constructor(plan: CallPlan, context: CallContext, onEnded: (call: Call) => void) {
    this.id = newCallId();
    this.caller = plan.caller;
    this.log = callLog(context.log, { callId: this.id, legA: this.caller.sipCallId });
    this.#plan = plan;
    this.#context = context;
    this.#onEnded = onEnded;
    this.history = new CallHistory(plan.policy, context.nowMs);
    this.#meter = new CallMeter(context.metrics, plan.caller);
    this.#setup = new CallSetup({
      invite: plan.invite,
      hops: plan.hops,
      context,
      host: this.#setupHost(),
    });
  }

  get state(): CallState['type'] {
    return this.#state.type;
  }

  /** The local policy that routed the call. */
  get policy(): string {
    return this.#plan.policy;
  }

  /** Agents of the policy that could take no call. */
  get skipped(): readonly SkippedAgent[] {
    return this.#plan.skipped;
  }

  /** The joined legs, once a hop was chosen. */
  get session(): CallSession | undefined {
    return this.#session;
  }

  start(): void {
    const { invite, skipped } = this.#plan;
    if (skipped.length > 0) this.log.info({ skipped }, 'session agents skipped');
    invite.traceWith((direction, text) => this.#trace('caller', direction, text));
    invite.onCancel((_reason, cancel) => {
      this.#guarded(() => this.end(causeOfCancel(cancel, this.#session?.legs)));
    });
    invite.onLost(() => this.#guarded(() => this.end({ name: 'engine-lost', by: 'sbc' })));
    this.#guarded(() => this.#setup.start());
  }

  /** Answers a SUBSCRIBE that names the dialog of `side` from outside. */
  subscribed(side: Side, dialog: SipDialog, subscribe: IncomingSubscription): void {
    this.#guarded(() => this.#session?.dtmf.receiveSeparate(side, dialog, subscribe));
  }

  /** Ends the call; only the first cause counts. */
  end(laterCause: EndCause): void {
    if (this.#state.type === 'ended') return;
    const cause = (this.#state.type === 'answered' ? this.#state.hungUp : undefined) ?? laterCause;
    this.#state = { type: 'ended', cause };
    const verdict = verdictOf(cause);
    // Before the refusal: with it an early dialog is gone, and last NOTIFYs can no longer be sent.
    this.#session?.dtmf.end();
    this.#plan.invite.reject(verdict.status, { headers: refusalHeaders(verdict.status) });
    this.#midCall?.end();
    this.#setup.cancel(endHeaders(cause, this.#session?.legs.callee ?? this.caller, 'CANCEL'));
    for (const leg of this.#legs()) void leg.dialog?.bye(endHeaders(cause, leg, 'BYE'));
    const status = this.history.answerMs === undefined ? verdict.status : 200;
    this.log[verdict.level]({ cause: cause.name, by: cause.by, status }, 'call ended');
    this.#close(cause).catch((error: unknown) => this.#reportBug(error));
  }

  /** The dialog of `side` is over: digits for the other leg may have time to leave. */
  async #endOfLeg(side: Side, cause: EndCause): Promise<void> {
    const session = this.#session;
    const to = otherSide(side);
    const limitMs = session?.legs[to].settings.dtmfDrainOnByeMs.value ?? 0;
    const isWaiting =
      session?.media.hasDigits(to) === true || session?.dtmf.hasReported(to) === false;
    if (limitMs > 0 && isWaiting && cause.name === 'hang-up' && this.#isTalking) {
      this.#state = { type: 'answered', hungUp: cause };
      this.#midCall?.end();
      const isOver = (): boolean => session.dtmf.hasReported(to) || this.#state.type === 'ended';
      const leftMs = await waitUntil(isOver, limitMs);
      session.dtmf.end();
      await session.media.drained(to, leftMs);
    }
    this.end(cause);
  }

  /** Answered, and nobody has left. */
  get #isTalking(): boolean {
    return this.#state.type === 'answered' && this.#state.hungUp === undefined;
  }

  async #close(cause: EndCause): Promise<void> {
    const endMs = this.#context.nowMs();
    const { answerMs } = this.history;
    const talkMs = answerMs === undefined ? undefined : endMs - answerMs;
    this.#meter.ended(resultOf(cause, talkMs !== undefined), talkMs);
    try {
      const counters = await (this.#session?.media.close() ?? Promise.resolve([]));
      const record = this.history.record({
        callId: this.id,
        caller: this.caller,
        session: this.#session,
        cause,
        counters,
        digits: this.#context.ledger.summary(this.id),
        configHash: this.#context.config.hash,
        endMs,
        skipped: this.#plan.skipped,
      });
      this.#context.cdr.write(record);
    } finally {
      this.#counted?.release();
      this.#onEnded(this);
    }
  }

  #openSession(hop: Hop): ReturnType<SetupHost['openSession']> {
    this.#counted?.release();
    const counted = this.#plan.countOn(hop);
    if (counted.type === 'refused') return { refused: refusalText(counted) };
    this.#counted = counted;
    const callee = this.#plan.calleeFor(hop);
    const previous = this.#session;
    const isReusable = previous?.legs.callee.realm.name === callee.realm.name;
    if (previous !== undefined && !isReusable) void previous.media.close();
    const media = isReusable && previous !== undefined ? previous.media : this.#newMedia(callee);
    this.#session = new CallSession({
      callId: this.id,
      legs: { caller: this.caller, callee },
      media,
      context: this.#context,
      sessionIds: this.#sessionIds,
      previous,
      onBug: (error) => this.#bug(error),
    });
    this.#midCall = new MidCall(this.#session, {
      guarded: (action) => this.#guarded(action),
      end: (endCause) => this.end(endCause),
      pracked: () => this.#setup.pracked(),
    });
    return this.#session;
  }

  #newMedia(callee: CallLeg): CallMedia {
    const realms = { caller: this.caller.realm.name, callee: callee.realm.name };
    const meter = new MediaMeter(this.#context.metrics, realms);
    return new CallMedia({
      engine: this.#context.media,
      callId: this.id,
      ports: { caller: this.caller.ports, callee: callee.ports },
      listener: this.#mediaListener(),
      onCounters: (counters) => meter.read(counters),
    });
  }

  #mediaListener(): MediaListener {
    return {
      digitPressed: (digit) => this.#guarded(() => this.#session?.dtmf.pressed(digit)),
      digitReleased: (digit) => this.#guarded(() => this.#session?.dtmf.released(digit)),
      digitSent: (sent) => this.#guarded(() => this.#session?.dtmf.played(sent)),
      digitDropped: (dropped) => this.#guarded(() => this.#session?.dtmf.notPlayed(dropped)),
      inactive: () => {
        this.#context.metrics.mediaTimedOut();
        this.end({ name: 'media-timeout', by: 'sbc' });
      },
      lost: () => this.end({ name: 'media-lost', by: 'sbc' }),
    };
  }

  #setupHost(): SetupHost {
    const isEnded = (): boolean => this.#state.type === 'ended';
    return {
      get isEnded() {
        return isEnded();
      },
      openSession: (hop) => this.#openSession(hop),
      redirect: (redirect) => this.#plan.redirect(redirect),
      dialogHandler: (side) => this.#dialogHandler(side),
      attemptStarted: (hop, session) => {
        this.history.attemptStarted(hop);
        this.#meter.attemptStarted(session.legs.callee);
      },
      attemptFailed: (failure) => {
        const { status, reason } = failure;
        this.#report(outcomeOfAttempt(failure));
        this.history.attemptFailed(status, reason);
        this.#meter.attemptEnded(resultOfRefusal(status));
      },
      redirected: (redirection) => this.log.info(redirection, 'redirected'),
      progressed: (status) => {
        this.history.progressed(status);
        this.#meter.progressed(this.history.postDialDelayMs);
      },
      answered: () => {
        this.#state = { type: 'answered' };
        this.#report({ type: 'answer', by: 'call', status: 200 });
        this.history.answered();
        this.#meter.progressed(this.history.postDialDelayMs);
      },
      joined: (session) => {
        this.#midCall?.joined();
        session.dtmf.legReady('callee');
        session.dtmf.legReady('caller');
      },
      end: (cause) => this.end(cause),
      guarded: (action) => this.#guarded(action),
    };
  }

  #report(outcome: AgentOutcome | undefined): void {
    const agent = this.#session?.legs.callee.agent;
    if (agent !== undefined && outcome !== undefined) this.#plan.report(agent.name, outcome);
  }

  #dialogHandler(side: Side): DialogHandler {
    return {
      onRequest: (request, dialog) => {
        this.#guarded(() => this.#midCall?.receive(side, dialog, request));
      },
      onAck: (body) => {
        this.#guarded(() => {
          if (side === 'caller') this.#setup.acknowledged(body);
          this.#midCall?.acknowledged(side, body);
        });
      },
      onEnd: (by, reason, bye) => {
        this.#guarded(() => {
          const cause = causeOfEnd(side, { by, reason, bye }, this.#session?.legs);
          return this.#endOfLeg(side, cause);
        });
      },
      onTrace: (direction, text) => this.#trace(side, direction, text),
    };
  }

  #trace(leg: Side, direction: 'in' | 'out', text: string): void {
    const summary = text.slice(0, text.indexOf('\r\n'));
    const atMs = this.#context.nowMs();
    this.#context.ladder.record(this.id, { atMs, kind: 'sip', leg, direction, summary, text });
  }

  #legs(): readonly CallLeg[] {
    const callee = this.#session?.legs.callee;
    return callee === undefined ? [this.caller] : [this.caller, callee];
  }

  /** The per-call boundary: a broken invariant ends this call and nothing else. */
  #guarded(action: () => void | Promise<void>): void {
    try {
      const running = action();
      if (running instanceof Promise) running.catch((error: unknown) => this.#bug(error));
    } catch (error) {
      this.#bug(error);
    }
  }

  #bug(error: unknown): void {
    this.#reportBug(error);
    this.end({ name: 'bug', by: 'sbc' });
  }

  #reportBug(error: unknown): void {
    this.#context.metrics.bug();
    this.log.error({ err: error }, 'broken invariant');
  }
}

function refusalHeaders(status: number): Record<string, string> {
  return status === 503 ? { 'Retry-After': '10' } : {};
}

/** A name for a call attempt in logs, records and the API. */
export function newCallId(): string {
  return randomBytes(8).toString('hex');
}

/** A numeric id for o= lines (RFC 8866 §5.2), unguessable from the other leg's. */
function sessionId(): string {
  return String(randomBytes(4).readUInt32BE(0));
}
