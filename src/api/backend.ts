/**
 * What the HTTP interface shows and does, as plain data. sbc-backend.ts implements it over the other rooms; nothing of
 * HTTP is known behind it and nothing of SIP in front of it.
 */
import type { LintFinding } from '../config/lint.ts';
import type { CdrForwarding } from '../observe/cdr.ts';
import type { DigitRecord, DigitSummary } from '../observe/digit-ledger.ts';
import type { Ladder } from '../observe/ladder.ts';
import type { MetricsForm } from '../observe/metrics.ts';
import type { Side } from '../wire/side.ts';
import type { ConfigPlanView } from './config-plan.ts';
import type { FeatureBackend, FeatureEventSource } from './feature-backend.ts';
import type { LiveEvent, LiveTopic, SeriesView, StatusView } from './live-views.ts';

export interface ApiBackend {
  health(): HealthView;
  readiness(): ReadinessView;
  metricsText(form: MetricsForm): Promise<string>;
  status(): StatusView;
  /** The last `windowSeconds` of the process. */
  series(windowSeconds: number): SeriesView;
  /** Calls that are up, oldest first, behind them those that ended, newest first; without media counters. */
  listCalls(filter?: CallFilter): readonly CallView[];
  /** With media counters; `undefined` for a call that is not up and has not ended a short while ago. */
  getCall(callId: string): Promise<CallView | undefined>;
  /** Ends the call on both legs; false for a call that is not up. */
  endCall(callId: string): Promise<boolean>;
  /** Also for calls that ended a short while ago, as is the explanation. */
  ladder(callId: string): Ladder | undefined;
  explanation(callId: string): ExplanationView | undefined;
  /** Oldest first. */
  listDigits(filter?: DigitFilter): readonly DigitRecord[];
  listAgents(): readonly AgentView[];
  /** Takes an agent out by hand or gives it back; `undefined` for one that is not configured. */
  setAgentLock(name: string, isLocked: boolean): AgentView | undefined;
  /** At most `limit`, those of the oldest calls. */
  listSubscriptions(limit?: number): readonly SubscriptionView[];
  /** Checks `text`, or the file in use when there is none, and changes nothing. */
  checkConfig(text: string | undefined): Promise<ConfigCheckView>;
  /** What `text` would change, without changing it; `undefined` where no file is in use. */
  planConfig(text: string | undefined): Promise<ConfigPlanView | undefined>;
  reload(): Promise<ReloadView>;
  /** No new calls from now on. */
  drain(): Promise<DrainView>;
  /** True from `drain` on. */
  readonly isDraining: boolean;
  /** Calls `listener` when draining begins; gives what takes it back. */
  readonly onDraining: (listener: () => void) => () => void;
  /** `undefined` while they are not served. */
  readonly features: FeatureBackend | undefined;
  readonly onFeatureEvent: FeatureEventSource;
  /** Calls `listener` with every event of these topics from now on; gives what ends that. */
  readonly onLiveEvent: (topics: readonly LiveTopic[], listener: LiveListener) => () => void;
}

/** `text` is the event as it goes over the wire, made once for all readers. */
export type LiveListener = (event: LiveEvent, text: string) => void;

export interface CallFilter {
  /** Default `active`. */
  readonly state?: 'active' | 'ended' | 'all';
  /** Name of the session agent on either side. */
  readonly agent?: string;
  /** Part of the calling or the called number. */
  readonly number?: string;
  readonly limit?: number;
}

export interface DigitFilter {
  readonly callId?: string;
  /** Only lost ones. */
  readonly isDropped?: boolean;
  /** At most so many, the last ones. */
  readonly limit?: number;
}

export interface HealthView {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly activeCalls: number;
}

export interface ReadinessView {
  readonly isReady: boolean;
  /** Why not, one sentence each; empty when ready. */
  readonly reasons: readonly string[];
}

export interface CallView {
  readonly id: string;
  readonly state: string;
  /** Calling and called number as received; the user part where it is no number. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  /** Why it ended; absent while it is up. */
  readonly end?: CallEndView;
  /** The local policy that matched. */
  readonly policy?: string;
  readonly legs: { readonly caller: LegView; readonly callee?: LegView };
  /** Absent until offer and answer are complete. */
  readonly plan?: PlanView;
  /** What was received from and sent to each leg. */
  readonly media?: Readonly<Record<Side, LegMediaView>>;
  readonly digits: DigitSummary;
}

/** The release of the call record. */
export interface CallEndView {
  readonly side: 'caller' | 'callee' | 'sbc';
  /** What the caller was answered. */
  readonly sipCode: number;
  readonly q850?: number;
  /** Our end cause. */
  readonly code: string;
  readonly text: string;
}

export interface LegView {
  readonly interface: string;
  readonly realm: string;
  readonly agent?: string;
  readonly sipCallId: string;
  readonly localTag: string;
  /** Empty until the peer has sent one. */
  readonly remoteTag: string;
  /** `host:port` of the peer. */
  readonly remote: string;
  readonly codec?: string;
  /** One line, such as `audio 192.0.2.1:4000 PCMA telephone-event/101 sendrecv`. */
  readonly sdpSummary?: string;
  /** RFC 4028; absent on a leg without one. */
  readonly sessionTimer?: { readonly intervalSeconds: number; readonly refresher: string };
}

export interface PlanView {
  readonly callerToCallee: DirectionPlanView;
  readonly calleeToCaller: DirectionPlanView;
}

export interface DirectionPlanView {
  readonly translator: string;
  readonly alsoNotify: boolean;
  /** Row of the decision table. */
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
  /** What would have to change for digits to cross. */
  readonly wouldCross?: string | undefined;
  /** Digits would reach the receiving leg as RTP, and it takes no media now; absent otherwise. */
  readonly isOnHold?: boolean;
}

export interface LegMediaView {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly lostPackets: number;
  readonly jitterMs: number;
  readonly eventPackets: number;
  readonly injectedPackets: number;
  /** `address:port` that packets are accepted from; absent until known. */
  readonly source?: string | undefined;
  readonly isSourceLearnt: boolean;
  /** Since the last accepted packet. */
  readonly quietMs: number;
  /** Packets dropped by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface ExplanationView {
  readonly callId: string;
  /** The local policy that matched. */
  readonly policy?: string;
  /** Session agents of the policy that could take no call then. */
  readonly skipped?: readonly { readonly agent: string; readonly reason: string }[];
  /** What feature keys of the called account did to the call. */
  readonly forwarding?: CdrForwarding;
  /** Parameters in force on each leg and where each was set. */
  readonly settings: Readonly<Partial<Record<Side, SettingsView>>>;
  /** In the order in which they were made. */
  readonly decisions: readonly DecisionView[];
  readonly plan?: PlanView;
}

export type SettingsView = Readonly<
  Record<string, { readonly value: unknown; readonly origin: string }>
>;

/** One step: what was decided about an offer or an answer, or what runs in each direction since then. */
export type DecisionView =
  | {
      readonly type: 'offer' | 'answer';
      /** Who sent the offer or answer. */
      readonly from: Side;
      readonly decision: { readonly row: string; readonly rule: string; readonly reason: string };
    }
  | { readonly type: 'plan'; readonly plan: PlanView };

export interface AgentView {
  readonly name: string;
  readonly realm: string;
  /** `host` or `host:port`. */
  readonly address: string;
  readonly transport: string;
  /** `in-service`, `constrained`, `out-of-service` or `locked`; only the first gets calls. */
  readonly state: string;
  /** Why it is in that state, in one word. */
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
  readonly activeSessions: number;
  /** 0: unlimited. */
  readonly maxSessions: number;
  /** Names of the session groups that it is a member of. */
  readonly groups: readonly string[];
  /** Absent until the first OPTIONS has its outcome. */
  readonly lastPing?: PingView;
  /** Changes of health and lock, oldest first; the last 50. */
  readonly history: readonly AgentChangeView[];
}

export interface AgentChangeView {
  /** RFC 3339. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export interface PingView {
  /** When OPTIONS was sent, RFC 3339. */
  readonly at: string;
  /** Absent when no answer came. */
  readonly status?: number;
  readonly rttMs?: number;
}

export interface SubscriptionView {
  readonly callId: string;
  readonly leg: Side;
  /** `notifier`: the peer subscribed to us; `subscriber`: we subscribed to the peer. */
  readonly role: 'notifier' | 'subscriber';
  /** `in-dialog`: inside the dialog of the leg; `separate`: in a dialog of its own that names it. */
  readonly kind: 'in-dialog' | 'separate';
  /** Event id; empty when there is none. */
  readonly eventId: string;
  readonly state: string;
  readonly expiresInSeconds?: number;
}

/** Same shape as the problems the configuration loader reports. */
export interface ProblemView {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export interface ConfigCheckView {
  /** False when the file would be refused; findings of the linter alone leave it true. */
  readonly isValid: boolean;
  readonly problems: readonly ProblemView[];
  /** What the linter says about one that is valid, in the order of the file. */
  readonly findings: readonly LintFinding[];
}

export type ReloadView =
  | { readonly type: 'applied'; readonly hash: string; readonly isChanged: boolean }
  | { readonly type: 'refused'; readonly problems: readonly ProblemView[] };

export interface DrainView {
  readonly isDraining: boolean;
  readonly activeCalls: number;
}
