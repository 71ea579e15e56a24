/**
 * Every call of this SBC: admits INVITEs, routes them, keeps the table, drains.
 *
 *   INVITE -> admission -> checks (draining, Max-Forwards, Contact, extensions) -> route -> sessions -> Call
 */
import assert from 'node:assert/strict';
import type { Config, Realm, SipInterface } from '../config/config.ts';
import type { KpmlRole, KpmlSubscriptionState } from '../observe/metrics.ts';
import type { DialogIdentity } from '../sip/dialog.ts';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { IncomingSubscription } from '../sip/incoming-subscription.ts';
import { requiredExtensions } from '../sip/stray-requests.ts';
import {
  type CallAdmission,
  type Passage,
  refusalText,
  type Session,
  type SessionRefusal,
} from '../trunk/admission.ts';
import type { AgentRegistry, RequestSource } from '../trunk/agent-registry.ts';
import { type Hop, type RejectReason, route, type SkippedAgent } from '../trunk/policy.ts';
import { redirectHops } from '../trunk/redirect.ts';
import { isAcceptable } from '../wire/event-headers.ts';
import { getHeader, getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { SIDES } from '../wire/side.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { CallContext } from './call-context.ts';
import { Call, type CallPlan, newCallId } from './call.ts';
import { CallHistory } from './call-history.ts';
import { CallLeg } from './call-leg.ts';
import { type EndCause, resultOf, verdictOf } from './end-cause.ts';
import { maxForwardsOf, unusableContent, userOf } from './header-policy.ts';
import { replacesRefusal } from './replaces-refusal.ts';
import { refusalOfAll, type Refusal, refused, retryAfter, takeRoom } from './room-for-calls.ts';
import { admitSubscribe } from './subscribe-admission.ts';
import { SubscriptionBudget } from './subscription-budget.ts';

/** What came of an INVITE before a call exists. */
type Admitted =
  | { readonly type: 'plan'; readonly plan: CallPlan; readonly session: Session }
  | Refusal;

export interface SubscriptionCount {
  readonly role: KpmlRole;
  readonly state: KpmlSubscriptionState;
  readonly count: number;
}

const SUBSCRIPTION_KINDS: readonly Omit<SubscriptionCount, 'count'>[] = [
  { role: 'notifier', state: 'pending' },
  { role: 'notifier', state: 'active' },
  { role: 'subscriber', state: 'pending' },
  { role: 'subscriber', state: 'active' },
];

export class CallRegistry {
  readonly #calls = new Map<string, Call>();
  readonly #agents: AgentRegistry;
  readonly #admission: CallAdmission;
  #context: CallContext;
  #state: 'open' | 'draining' = 'open';
  #onEmpty: (() => void) | undefined;

  constructor(
    context: Omit<CallContext, 'budget'>,
    trunks: { readonly agents: AgentRegistry; readonly admission: CallAdmission },
  ) {
    this.#context = { ...context, budget: new SubscriptionBudget() };
    this.#agents = trunks.agents;
    this.#admission = trunks.admission;
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
    const counts = SUBSCRIPTION_KINDS.map((kind) => ({ ...kind, count: 0 }));
    const add = (role: KpmlRole, state: string): void => {
      const kind = counts.find((item) => item.role === role && item.state === state);
      if (kind !== undefined) kind.count += 1;
    };
    for (const call of this.#calls.values()) {
      for (const side of SIDES) {
        const held = call.session?.dtmf.subscriptions(side);
        for (const { state } of held?.notifier ?? []) add('notifier', state);
        for (const { state } of held?.separate ?? []) add('notifier', state);
        const own = held?.subscriber;
        if (own === 'active' || own === 'refreshing') add('subscriber', 'active');
        if (own === 'subscribing' || own === 'confirming') add('subscriber', 'pending');
      }
    }
    return counts;
  }

  /** New calls use `config` from now on; running calls keep theirs. */
  reconfigure(config: Config): void {
    this.#context = { ...this.#context, config };
    this.#agents.reconfigure(config);
    this.#admission.reconfigure(config);
  }

  /** Whether a source may use a sip-interface at all. */
  isAdmitted(interfaceName: string, source: IncomingInvite['source']): boolean {
    const { sipInterfaces } = this.#context.config;
    const sipInterface = sipInterfaces.find((item) => item.name === interfaceName);
    if (sipInterface === undefined) return false;
    return this.#mayUse(sipInterface, requestSource(source));
  }

  /** Takes a new INVITE: a call begins, or the caller is refused. */
  admit(invite: IncomingInvite): void {
    try {
      this.#admit(invite);
    } catch (error) {
      invite.reject(500);
      throw error;
    }
  }

  /** Answers a SUBSCRIBE for kpml outside every dialog. */
  subscribe(subscribe: IncomingSubscription): void {
    const { budget, nowMs, metrics, log } = this.#context;
    const onBug = (error: unknown): void => {
      metrics.bug();
      log.error({ err: error }, 'broken invariant');
    };
    const calls = this.#calls.values();
    const context = { calls, agents: this.#agents, budget, nowMs, onBug };
    admitSubscribe(subscribe, requestSource(subscribe.source), context);
  }

  #admit(invite: IncomingInvite): void {
    const caller = this.#callerLeg(invite);
    const refusal = this.#checkSource(invite, caller) ?? this.#checkMessage(invite);
    const admitted = refusal ?? this.#route(invite, caller);
    if (admitted.type === 'refused') {
      this.#refuse(invite, caller, admitted);
      return;
    }
    const { plan, session } = admitted;
    const call = new Call(plan, this.#context, (ended) => this.#ended(ended, session));
    this.#calls.set(call.id, call);
    call.start();
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
  #checkMessage(invite: IncomingInvite): Refusal | undefined {
    const { message } = invite;
    const { metrics } = this.#context;
    const noCalls = refusalOfAll(this.isDraining, this.#admission, metrics);
    if (noCalls !== undefined) return noCalls;
    if (maxForwardsOf(message) === 0) return refused('too-many-hops');
    if (getHeader(message, 'Contact') === undefined) return refused('bad-request');
    const required = requiredExtensions(message);
    if (required.length > 0) {
      return refused('bad-extension', { Unsupported: required.join(', ') });
    }
    const replaced = replacesRefusal(message, this.#dialogs());
    if (replaced !== undefined) return refused('not-replaceable', {}, { status: replaced });
    const unusable = unusableContent(message);
    if (unusable !== undefined) return refused('bad-content', unusable);
    return acceptsSdp(message) ? undefined : refused('bad-content', {}, NO_SDP_WANTED);
  }

  *#dialogs(): Generator<DialogIdentity> {
    for (const { caller, session } of this.#calls.values()) {
      for (const { reach } of [caller, ...(session === undefined ? [] : [session.legs.callee])]) {
        if (reach !== undefined) yield reach.identity;
      }
    }
  }

  #callerLeg(invite: IncomingInvite): CallLeg {
    const { config } = this.#context;
    const sipInterface = config.sipInterfaces.find((item) => item.name === invite.interfaceName);
    // A reload never changes the interfaces, so the one the INVITE came in on is there.
    assert(sipInterface !== undefined, `no sip-interface ${invite.interfaceName}`);
    const source = requestSource(invite.source);
    const leg = new CallLeg({
      side: 'caller',
      sipInterface,
      realm: realmNamed(config, sipInterface.realm),
      agent: this.#agents.match(sipInterface, source),
      remote: formatHostPort(source.address, source.port),
      transport: source.transport,
    });
    leg.invite = invite.message;
    return leg;
  }

  #route(invite: IncomingInvite, caller: CallLeg): Admitted {
    const { agent, realm } = caller;
    const { config } = this.#context;
    const requestUri = invite.message.uri;
    const calledNumber = userOf(requestUri) ?? '';
    const request = { fromRealm: realm.name, fromAgent: agent, calledNumber, requestUri };
    const routed = route(config, request, this.#agents);
    if (routed.type === 'reject') {
      const { status, reason, skipped } = routed;
      const text = [reason, ...skipped.map(inWords)].join(', ');
      return refused(REJECT_CAUSES[reason], retryAfter(status), { status, text });
    }
    const session = this.#takeRoom('inbound', caller);
    if (session.type === 'refused') {
      return refused('limit-reached', retryAfter(503), { text: refusalText(session) });
    }
    const policy = `${routed.policy.fromRealm} ${routed.policy.to} -> ${routed.policy.nextHop}`;
    const plan: CallPlan = {
      invite,
      caller,
      hops: routed.hops,
      calleeFor: (hop) => CallLeg.towards(hop, realmNamed(config, hop.sipInterface.realm)),
      redirect: (redirect) => redirectHops(config, redirect, this.#agents),
      countOn: (hop) => this.#takeRoom('outbound', hop),
      report: (agentName, outcome) => this.#agents.report(agentName, outcome),
      policy,
      skipped: routed.skipped,
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

  /** Answers and records an attempt that never became a call. */
  #refuse(invite: IncomingInvite, caller: CallLeg, refusal: Refusal): void {
    const { cause, headers } = refusal;
    const verdict = verdictOf(cause);
    const { log, cdr, config, nowMs, metrics } = this.#context;
    const callId = newCallId();
    const source = invite.source.address;
    log[verdict.level](
      { callId, cause: cause.name, text: verdict.text, status: verdict.status, source },
      'call refused',
    );
    invite.reject(verdict.status, { headers });
    const result = resultOf(cause, false);
    metrics.callEnded({ agent: caller.agent?.name, direction: 'inbound', result });
    const history = new CallHistory(undefined, nowMs);
    cdr.write(
      history.record({
        callId,
        caller,
        session: undefined,
        cause,
        counters: [],
        digits: { presses: 0, delivered: 0, dropped: 0, pending: 0 },
        configHash: config.hash,
        endMs: nowMs(),
      }),
    );
  }

  #ended(call: Call, session: Session): void {
    session.release();
    if (!this.#calls.delete(call.id)) return;
    if (this.#calls.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }
}

/** What a reason of routing is called as the cause of an end. */
const REJECT_CAUSES: Readonly<Record<RejectReason, EndCause['name']>> = {
  'no-route': 'no-route',
  'address-incomplete': 'address-incomplete',
  'own-address': 'no-route',
  'bad-request-uri': 'bad-request',
  'unsupported-scheme': 'bad-request',
  'no-interface': 'no-route',
  'no-agent-available': 'no-agent-available',
};

/** The caller cannot read the only kind of answer there is (RFC 3261 §21.4.7). */
const NO_SDP_WANTED = { status: 406, text: 'session description not accepted' };

function acceptsSdp(invite: SipRequest): boolean {
  const accept = getHeaders(invite, 'Accept');
  return isAcceptable(accept.length === 0 ? undefined : accept.join(','), 'application/sdp');
}

function realmNamed(config: Config, name: string): Realm {
  const realm = config.realms.find((item) => item.name === name);
  assert(realm !== undefined, `no realm ${name}`);
  return realm;
}

function inWords({ agent, reason }: SkippedAgent): string {
  return `${agent} ${reason}`;
}

function requestSource(source: IncomingInvite['source']): RequestSource {
  const { address, port, protocol } = source;
  const transport = protocol === 'tcp' || protocol === 'tls' ? protocol : 'udp';
  return { address, port, transport };
}
