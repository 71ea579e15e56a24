import type { Call } from '../call/call.ts';
import { calledNumber, callingNumber } from '../call/call-history.ts';
import type { CallLeg } from '../call/call-leg.ts';
import type { CallSession } from '../call/call-session.ts';
import { agreedCodec } from '../call/offer/agreed-codec.ts';
import { summarizeSdp } from '../call/offer/sdp-summary.ts';
import { effectiveSettings } from '../config/effective.ts';
import type { MediaCounters } from '../media/relay-counters.ts';
import { nowMs } from '../observe/clock.ts';
import type { CdrRecord } from '../observe/cdr.ts';
import type { DigitSummary } from '../observe/digit-ledger.ts';
import type { Side } from '../wire/side.ts';
import type {
  CallView,
  ExplanationView,
  LegMediaView,
  LegView,
  SettingsView,
  SubscriptionView,
} from './backend.ts';
import { planView } from './plan-view.ts';

const MS_PER_SECOND = 1_000;

/** One call as the API shows it, without media counters. */
export function callView(call: Call, digits: DigitSummary): CallView {
  return { ...callFacts(call), digits };
}

/** What is known of a call beside its counters. */
export type CallFacts = Omit<CallView, 'digits' | 'media'>;

/** `record`: that of a call that has ended, in which much is worked out already. */
export function callFacts(call: Call, record?: CdrRecord): CallFacts {
  const { session, history, caller } = call;
  const plan = planView(call);
  const { answerMs, policy } = history;
  const { calledIn = calledNumber(caller), callerIn = callingNumber(caller) } =
    record?.numbers ?? {};
  return {
    id: call.id,
    state: call.state,
    from: callerIn,
    to: calledIn,
    startedAt: record?.timestamps.invite ?? new Date(history.inviteMs).toISOString(),
    ...(answerMs === undefined
      ? {}
      : { answeredAt: record?.timestamps.answer ?? new Date(answerMs).toISOString() }),
    ...(policy === undefined ? {} : { policy }),
    legs: {
      caller: legView(caller, session),
      ...(session === undefined ? {} : { callee: legView(session.legs.callee, session) }),
    },
    ...(plan === undefined ? {} : { plan }),
  };
}

/** An attempt that was refused before there was a call. */
export function refusedFacts(caller: CallLeg, { callId, ...record }: CdrRecord): CallFacts {
  const { numbers, timestamps, policy } = record;
  return {
    id: callId,
    state: 'ended',
    from: numbers.callerIn,
    to: numbers.calledIn,
    startedAt: timestamps.invite,
    ...(policy === undefined ? {} : { policy: policy.name }),
    legs: { caller: legView(caller, undefined) },
  };
}

/** What the parameters of a leg follow from. */
export type ConfiguredLeg = Pick<CallLeg, 'sipInterface' | 'agent'>;

/** Why digits cross a call the way they do. */
export function explanationView(call: Call, settingsOf = settingsView): ExplanationView {
  const { policy, skipped, forwarding } = call.history;
  const plan = planView(call);
  const callee = call.session?.legs.callee;
  return {
    callId: call.id,
    ...(policy === undefined ? {} : { policy }),
    ...(skipped.length === 0 ? {} : { skipped }),
    ...(forwarding === undefined ? {} : { forwarding }),
    settings: {
      caller: settingsOf(call.caller),
      ...(callee === undefined ? {} : { callee: settingsOf(callee) }),
    },
    decisions: call.session?.negotiation.decisions ?? [],
    ...(plan === undefined ? {} : { plan }),
  };
}

/** KPML subscriptions on one leg of a call, in both roles. */
export function subscriptionViews(call: Call, leg: Side, atMs = nowMs()): SubscriptionView[] {
  const held = call.session?.dtmf.subscriptions(leg);
  if (held === undefined) return [];
  const common = { callId: call.id, leg };
  const views = (['in-dialog', 'separate'] as const).flatMap((kind) =>
    held[kind === 'separate' ? 'separate' : 'notifier'].map(
      ({ id, state, expiresAtMs }): SubscriptionView => ({
        ...common,
        role: 'notifier',
        kind,
        eventId: id,
        state,
        ...expiry(expiresAtMs, atMs),
      }),
    ),
  );
  const { subscriber: state, subscriberEndsAtMs } = held;
  if (state !== undefined) {
    const kind = held.isSubscriberSeparate ? 'separate' : 'in-dialog';
    const ours = { ...common, role: 'subscriber', kind, eventId: '', state } as const;
    views.push({ ...ours, ...expiry(subscriberEndsAtMs, atMs) });
  }
  return views;
}

function expiry(
  endsAtMs: number | undefined,
  atMs: number,
): Pick<SubscriptionView, 'expiresInSeconds'> {
  if (endsAtMs === undefined) return {};
  return { expiresInSeconds: Math.max(0, Math.round((endsAtMs - atMs) / MS_PER_SECOND)) };
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

function legView(leg: CallLeg, session: CallSession | undefined): LegView {
  const agreed = session?.negotiation.agreed;
  const { codec } = agreedCodec(agreed, leg.side);
  const sdpSummary = agreed && summarizeSdp(agreed.legs[leg.side].own);
  return {
    interface: leg.sipInterface.name,
    realm: leg.realm.name,
    ...(leg.agent === undefined ? {} : { agent: leg.agent.name }),
    sipCallId: leg.sipCallId,
    localTag: leg.dialog?.identity.localTag ?? '',
    remoteTag: leg.dialog?.identity.remoteTag ?? '',
    remote: leg.remote,
    ...(codec === undefined ? {} : { codec }),
    ...(sdpSummary === undefined ? {} : { sdpSummary }),
    ...(leg.sessionAgreement === undefined ? {} : { sessionTimer: leg.sessionAgreement }),
  };
}

/** A parameter that is not set has the value null: JSON has no undefined. */
export function settingsView({ sipInterface, agent }: ConfiguredLeg): SettingsView {
  const shown = Object.entries(effectiveSettings(sipInterface, agent)).map(
    ([name, { value, origin }]) => [name, { value: value ?? null, origin }],
  );
  return Object.fromEntries(shown);
}
