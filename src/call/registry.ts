/**
 * Every call of this SBC: admits INVITEs, routes them, keeps the table, drains.
 *
 *   INVITE -> admission -> checks (draining, Max-Forwards, Contact, extensions) -> route -> sessions -> Call
 */
import type { Config, SipInterface } from '../config/config.ts';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { IncomingSubscription } from '../sip/incoming-subscription.ts';
import { requiredExtensions } from '../sip/stray-requests.ts';
import {
  type CallAdmission,
  type Passage,
  type Session,
  type SessionRefusal,
} from '../trunk/admission.ts';
import type { AgentRegistry, RequestSource } from '../trunk/agent-registry.ts';
import { type Hop, prepareRoutes } from '../trunk/policy.ts';
import { redirectHops } from '../trunk/redirect.ts';
import { getHeader } from '../wire/sip-message.ts';
import type { CallContext } from './call-context.ts';
import { Call } from './call.ts';
import type { CallerInvite, CallOutcome, CallPlan } from './call-plan.ts';
import { CallWatch } from './call-watch.ts';
import { CallLeg } from './call-leg.ts';
import { callerLeg, realmNamed, requestSource } from './caller-leg.ts';
import type { EndCause } from './end-cause.ts';
import { forwardRoutes, UNDECIDED } from './forward/forward-routes.ts';
import { ForwardsInSetUp } from './forward/forwards-in-set-up.ts';
import { forwardingPlan } from './forward/forwarding-plan.ts';
import { maxForwardsOf, unusableContent } from './headers/header-policy.ts';
import { countedAnyway, joinPlan } from './transfer/join-plan.ts';
import type { Registrations } from './outside/registrations.ts';
import { recordRefusedBefore, refuseAttempt, type RefusedInvite } from './setup/refused-attempt.ts';
import { partnerOf, readReplaces } from './transfer/replaces-request.ts';
import { limitRefusal } from './route-refusal.ts';
import { routeRequest } from './route-request.ts';
import { sdpRefusal } from './sdp-refusal.ts';
import {
  countConstrained,
  type LoadLimits,
  refusalOfAll,
  type Refusal,
  refused,
  takeRoom,
} from './room-for-calls.ts';
import { intervalRefusal, sessionTimerSettings } from './mid-call/session-timer-negotiation.ts';
import { admitSubscribe } from './digits/subscribe-admission.ts';
import { SubscriptionBudget } from './digits/subscription-budget.ts';
import { countSubscriptions, type SubscriptionCount } from './digits/subscription-count.ts';
import type { PlacedCall } from './transfer/transfer.ts';
import { TransferDesk } from './transfer/transfer-desk.ts';

/** What came of an INVITE before a call exists. */
type Admitted = AdmittedPlan | Refusal;

interface AdmittedPlan {
  readonly type: 'plan';
  readonly plan: CallPlan;
  readonly session: Session;
}

export class CallRegistry {
  readonly watch = new CallWatch<Call>();
  readonly #calls = new Map<string, Call>();
  readonly #agents: AgentRegistry;
  readonly #admission: CallAdmission;
  readonly #transfers: TransferDesk;
  readonly #registrations: Registrations;
  readonly #forwards = new ForwardsInSetUp();
  #context: CallContext;
  #state: 'open' | 'draining' = 'open';
  #onEmpty: (() => void) | undefined;

  constructor(
    context: Omit<CallContext, 'budget' | 'digestOf' | 'transfers'>,
    trunks: {
      readonly agents: AgentRegistry;
      readonly admission: CallAdmission;
      readonly registrations: Registrations;
    },
  ) {
    const digestOf: CallContext['digestOf'] = (agent) => trunks.agents.digestOf(agent);
    this.#transfers = new TransferDesk({
      calls: () => this.#calls.values(),
      place: (call) => this.#place(call),
      onBug: (error) => this.#reportBug(error),
    });
    const budget = new SubscriptionBudget();
    this.#context = { ...context, budget, digestOf, transfers: this.#transfers };
    this.#agents = trunks.agents;
    this.#admission = trunks.admission;
    this.#registrations = trunks.registrations;
    prepareRoutes(context.config);
  }

  get size(): number {
    return this.#calls.size;
  }

  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  list(): readonly Call[] {
    return [...this.#calls.values()];
  }

  get(callId: string): Call | undefined {
    return this.#calls.get(callId);
  }

  /** Live KPML subscriptions of all calls by role and state; each kind is there, with 0 as well. */
  countSubscriptions(): readonly SubscriptionCount[] {
    return countSubscriptions(this.#calls.values());
  }

  /** New calls use `config` from now on; running calls keep theirs. */
  reconfigure(config: Config): void {
    this.#context = { ...this.#context, config };
    this.#agents.reconfigure(config);
    this.#admission.reconfigure(config);
    prepareRoutes(config);
  }

  /** Whether a source may use a sip-interface at all. */
  isAdmitted(interfaceName: string, source: IncomingInvite['source']): boolean {
    const { sipInterfaces } = this.#context.config;
    const sipInterface = sipInterfaces.find((item) => item.name === interfaceName);
    if (sipInterface === undefined) return false;
    return this.#mayUse(sipInterface, requestSource(source));
  }

  /** Whether a source is in a `deny` network of the sip-interface, which keeps it from everything. */
  isDenied(interfaceName: string, { address }: IncomingInvite['source']): boolean {
    const { sipInterfaces } = this.#context.config;
    const sipInterface = sipInterfaces.find((item) => item.name === interfaceName);
    return sipInterface !== undefined && this.#agents.deniedBy(sipInterface, address) !== undefined;
  }

  /** Takes a new INVITE: a call begins, or the caller is refused. */
  admit(invite: IncomingInvite): void {
    let caller: CallLeg | undefined;
    try {
      caller = this.#callerLeg(invite);
      this.#admit(invite, caller);
    } catch (error) {
      if (caller === undefined) invite.reject(500);
      else this.#refuse(invite, caller, refused('bug'));
      throw error;
    }
  }

  /** Enters new INVITEs that the SIP engine has refused since this process has too much to do. */
  refusedBefore(interfaceName: string, invites: readonly RefusedInvite[]): void {
    const { config } = this.#context;
    this.#admission.refusedBefore(invites.length);
    for (const { message, source, atMs } of invites) {
      const caller = callerLeg(config, this.#agents, { interfaceName, source, message });
      recordRefusedBefore(caller, atMs, this.#context);
    }
  }

  /** Answers a SUBSCRIBE for kpml outside every dialog. */
  subscribe(subscribe: IncomingSubscription): void {
    const { budget, nowMs } = this.#context;
    const onBug = (error: unknown): void => this.#reportBug(error);
    const calls = this.#calls.values();
    const context = { calls, agents: this.#agents, budget, nowMs, onBug };
    admitSubscribe(subscribe, requestSource(subscribe.source), context);
  }

  #reportBug(error: unknown): void {
    const { metrics, log } = this.#context;
    metrics.bug();
    log.error({ err: error }, 'broken invariant');
  }

  #admit(invite: IncomingInvite, caller: CallLeg): void {
    const refusal = this.#checkSource(invite, caller) ?? this.#checkMessage(invite, caller);
    const admitted = refusal ?? this.#replace(invite, caller) ?? this.#route(invite, caller);
    if (admitted.type === 'refused') {
      this.#refuse(invite, caller, admitted);
      return;
    }
    this.#begin(admitted.plan, admitted.session);
  }

  #begin(plan: CallPlan, session: Session): Call {
    // Of the plan no more than that: the rest, the INVITE in it, is let go once the call stands.
    const { standing } = plan;
    const call = new Call(plan, this.#context, {
      onOver: () => session.release(),
      onReleased: (ended, outcome) => this.#ended(ended, standing, outcome),
    });
    this.#calls.set(call.id, call);
    call.start();
    return call;
  }

  /** Refuses new calls from now on; resolves when the last one has ended. */
  drain(): Promise<void> {
    this.#state = 'draining';
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const previous = this.#onEmpty;
      this.#onEmpty = () => {
        previous?.();
        resolve();
      };
    });
  }

  /** Ends every call; resolves when the last one is released. */
  async endAll(cause: EndCause): Promise<void> {
    const done = this.drain();
    for (const call of this.list()) call.end(cause);
    await done;
  }

  #checkSource(invite: IncomingInvite, caller: CallLeg): Refusal | undefined {
    const mayUse = this.#mayUse(caller.sipInterface, requestSource(invite.source));
    return mayUse ? undefined : refused('not-admitted');
  }

  #mayUse(sipInterface: SipInterface, source: RequestSource): boolean {
    const admission = this.#agents.admit(sipInterface, source);
    if (admission.type !== 'refused') return true;
    this.#context.metrics.admission.denied(admission.reason);
    return false;
  }

  /** What can be refused by looking at the INVITE alone. */
  #checkMessage(invite: IncomingInvite, caller: CallLeg): Refusal | undefined {
    const { message } = invite;
    // What takes the place of a leg adds no call, or is refused.
    const isNew = getHeader(message, 'Replaces') === undefined;
    const noCalls = refusalOfAll(this.isDraining && isNew, this.#limits(isNew));
    if (noCalls !== undefined) return noCalls;
    if (maxForwardsOf(message) === 0) return refused('too-many-hops');
    if (getHeader(message, 'Contact') === undefined) return refused('bad-request');
    const required = requiredExtensions(message);
    if (required.length > 0) {
      return refused('bad-extension', { Unsupported: required.join(', ') });
    }
    const interval = intervalRefusal(message, sessionTimerSettings(caller.settings));
    if (interval !== undefined) return refused('interval-too-short', interval);
    const unusable = unusableContent(message);
    if (unusable !== undefined) return refused('bad-content', unusable);
    return sdpRefusal(message);
  }

  /** The call of an INVITE that takes the place of a leg; `undefined` for any other. */
  #replace(invite: IncomingInvite, caller: CallLeg): Admitted | undefined {
    const request = readReplaces(invite.message, {
      isEnabled: caller.settings.replaces.value,
      find: (replaces) => this.#transfers.findReplaced(replaces),
    });
    if (request.type === 'none') return undefined;
    const partner =
      request.type === 'replace'
        ? partnerOf(request.leg, (error) => this.#reportBug(error))
        : undefined;
    if (partner === undefined) {
      const status = request.type === 'refused' ? request.status : 491;
      return refused('not-replaceable', {}, { status });
    }
    const { callee, standing } = partner;
    const { plan, session } = this.#join(invite, caller, callee);
    return { type: 'plan', plan: { ...plan, standing }, session };
  }

  /** The load alone. A new INVITE has come through the embedded engine, which keeps the pace. */
  #limits(isInvite: boolean): LoadLimits {
    const isPaced = isInvite && this.#context.config.sip.engine === 'embedded';
    return { ...this.#context, admission: this.#admission, isPaced };
  }

  #callerLeg({ interfaceName, source, message }: IncomingInvite): CallLeg {
    return callerLeg(this.#context.config, this.#agents, { interfaceName, source, message });
  }

  /** Begins a call with a leg that stands already, or rejects it; `undefined` then. */
  #place(placed: PlacedCall): Call | undefined {
    const { invite, caller, callee, standing } = placed;
    caller.invite = invite.message;
    const admitted =
      callee === undefined
        ? (refusalOfAll(false, this.#limits(false)) ?? this.#route(invite, caller, true))
        : this.#join(invite, caller, callee);
    if (admitted.type === 'plan')
      return this.#begin({ ...admitted.plan, standing }, admitted.session);
    this.#refuse(invite, caller, admitted);
    return undefined;
  }

  /** Both legs have been counted before, and are in this call as well until the old ones are over. */
  #join(invite: CallerInvite, caller: CallLeg, callee: CallLeg): AdmittedPlan {
    const session = countedAnyway(this.#takeRoom('inbound', caller));
    const countOn = (hop: Hop): Session => countedAnyway(this.#takeRoom('outbound', hop));
    return { type: 'plan', plan: joinPlan({ invite, caller, callee, countOn }), session };
  }

  /** `isStanding`: the caller has been counted before. */
  #route(invite: CallerInvite, caller: CallLeg, isStanding = false): Admitted {
    const { config } = this.#context;
    const request = routeRequest(invite.message, caller, this.#context.nowMs());
    const parts = { config, request, agents: this.#agents, registrations: this.#registrations };
    const features = { keys: this.#context.features, inSetUp: this.#forwards };
    const forwarding = forwardingPlan(features, invite.message, caller, parts);
    const routes = forwarding?.routes ?? forwardRoutes(parts);
    const routed = forwarding === undefined ? routes.to(request.requestUri, request) : UNDECIDED;
    const { skipped = [] } = routed.type === 'refused' ? routed.refusal : routed;
    countConstrained(skipped, this.#context.metrics);
    if (routed.type === 'refused') return routed.refusal;
    const { policy } = routed;
    const room = this.#takeRoom('inbound', caller);
    const session = isStanding ? countedAnyway(room) : room;
    if (session.type === 'refused') return limitRefusal(session, policy, skipped);
    const plan: CallPlan = {
      invite,
      caller,
      hops: routed.hops,
      calleeFor: (hop) => CallLeg.towards(hop, realmNamed(config, hop.sipInterface.realm)),
      redirect: (redirect) => redirectHops(config, redirect, this.#agents),
      countOn: (hop) => this.#takeRoom('outbound', hop),
      report: (agentName, outcome) => this.#agents.report(agentName, outcome),
      policy,
      skipped,
      forwarding,
    };
    return { type: 'plan', plan, session };
  }

  #takeRoom(
    direction: Passage['direction'],
    { sipInterface, agent }: Pick<Hop, 'sipInterface' | 'agent'>,
  ): Session | SessionRefusal {
    const passage = { direction, interfaceName: sipInterface.name, agentName: agent?.name };
    return takeRoom(this.#admission, passage, this.#context);
  }

  #refuse(invite: CallerInvite, caller: CallLeg, refusal: Refusal): void {
    this.watch.refused(refuseAttempt({ invite, caller, refusal }, this.#context));
  }

  #ended(call: Call, standing: CallPlan['standing'], outcome: CallOutcome | undefined): void {
    standing?.giveBack?.();
    this.watch.ended(call, outcome);
    if (!this.#calls.delete(call.id)) return;
    if (this.#calls.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }
}
