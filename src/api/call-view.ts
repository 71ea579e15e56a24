import type { Call } from '../call/call.ts';
import type { CallLeg } from '../call/call-leg.ts';
import type { DirectionPlan } from '../dtmf/interworking-plan.ts';
import type { MediaCounters } from '../media/relay-counters.ts';
import type { DigitSummary } from '../observe/digit-ledger.ts';
import type { Side } from '../wire/side.ts';
import type {
  CallView,
  DirectionPlanView,
  ExplanationView,
  LegMediaView,
  LegView,
  PlanView,
  SettingsView,
  SubscriptionView,
} from './backend.ts';

/** One call as the API shows it, without media counters. */
export function callView(call: Call, digits: DigitSummary): CallView {
  const { session, history } = call;
  const plan = planView(call);
  const { answerMs } = history;
  return {
    id: call.id,
    state: call.state,
    startedAt: new Date(history.inviteMs).toISOString(),
    ...(answerMs === undefined ? {} : { answeredAt: new Date(answerMs).toISOString() }),
    legs: {
      caller: legView(call.caller),
      ...(session === undefined ? {} : { callee: legView(session.legs.callee) }),
    },
    ...(plan === undefined ? {} : { plan }),
    digits,
  };
}

/** Why digits cross this call the way they do. */
export function explanationView(call: Call): ExplanationView {
  const { policy, skipped, forwarding } = call.history;
  const plan = planView(call);
  const callee = call.session?.legs.callee;
  return {
    callId: call.id,
    ...(policy === undefined ? {} : { policy }),
    ...(skipped.length === 0 ? {} : { skipped }),
    ...(forwarding === undefined ? {} : { forwarding }),
    settings: {
      caller: settingsView(call.caller),
      ...(callee === undefined ? {} : { callee: settingsView(callee) }),
    },
    decisions: call.session?.negotiation.decisions ?? [],
    ...(plan === undefined ? {} : { plan }),
  };
}

/** KPML subscriptions on one leg of a call, in both roles. */
export function subscriptionViews(call: Call, leg: Side): SubscriptionView[] {
  const held = call.session?.dtmf.subscriptions(leg);
  if (held === undefined) return [];
  const common = { callId: call.id, leg };
  const views = (['in-dialog', 'separate'] as const).flatMap((kind) =>
    held[kind === 'separate' ? 'separate' : 'notifier'].map(({ id, state }): SubscriptionView => ({
      ...common,
      role: 'notifier',
      kind,
      eventId: id,
      state,
    })),
  );
  if (held.subscriber !== undefined) {
    const kind = held.isSubscriberSeparate ? 'separate' : 'in-dialog';
    views.push({ ...common, role: 'subscriber', kind, eventId: '', state: held.subscriber });
  }
  return views;
}

/** Counters of all streams of a call, added up per leg. */
export function mediaView(counters: readonly MediaCounters[]): Record<Side, LegMediaView> {
  return { caller: legMedia(counters, 'caller'), callee: legMedia(counters, 'callee') };
}

function legMedia(counters: readonly MediaCounters[], side: Side): LegMediaView {
  const legs = counters.map((counter) => counter[side]);
  const sum = (pick: (leg: MediaCounters[Side]) => number): number =>
    legs.reduce((total, leg) => total + pick(leg), 0);
  const dropped: Record<string, number> = {};
  for (const leg of legs) {
    for (const [reason, count] of Object.entries(leg.dropped)) {
      if (count > 0) dropped[reason] = (dropped[reason] ?? 0) + count;
    }
  }
  return {
    receivedPackets: sum((leg) => leg.receivedPackets),
    receivedBytes: sum((leg) => leg.receivedBytes),
    sentPackets: sum((leg) => leg.sentPackets),
    sentBytes: sum((leg) => leg.sentBytes),
    lostPackets: sum((leg) => leg.lostPackets),
    jitterMs: Math.max(0, ...legs.map((leg) => leg.jitterMs)),
    eventPackets: sum((leg) => leg.eventPackets),
    injectedPackets: sum((leg) => leg.injectedPackets),
    source: legs[0]?.source,
    isSourceLearnt: legs.some((leg) => leg.isSourceLearnt),
    quietMs: legs.length === 0 ? 0 : Math.min(...legs.map((leg) => leg.quietMs)),
    dropped,
  };
}

function legView(leg: CallLeg): LegView {
  return {
    interface: leg.sipInterface.name,
    realm: leg.realm.name,
    ...(leg.agent === undefined ? {} : { agent: leg.agent.name }),
    sipCallId: leg.sipCallId,
    localTag: leg.dialog?.identity.localTag ?? '',
    remoteTag: leg.dialog?.identity.remoteTag ?? '',
    remote: leg.remote,
    ...(leg.sessionAgreement === undefined ? {} : { sessionTimer: leg.sessionAgreement }),
  };
}

/** A parameter that is not set has the value null: JSON has no undefined. */
function settingsView(leg: CallLeg): SettingsView {
  const shown = Object.entries(leg.settings).map(([name, { value, origin }]) => [
    name,
    { value: value ?? null, origin },
  ]);
  return Object.fromEntries(shown);
}

function planView(call: Call): PlanView | undefined {
  const plan = call.session?.dtmf.plan;
  if (plan === undefined) return undefined;
  return {
    callerToCallee: directionView(plan.callerToCallee),
    calleeToCaller: directionView(plan.calleeToCaller),
  };
}

function directionView(plan: DirectionPlan): DirectionPlanView {
  return { ...plan };
}
