/** The HTTP interface's view of the running SBC. */
import type { Call } from '../call/call.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Config } from '../config/config.ts';
import { lintConfig } from '../config/lint.ts';
import { type LoadedConfig, loadedOf, sourceOf } from '../config/load.ts';
import type { LoadThread } from '../config/load-thread.ts';
import { nowMs } from '../observe/clock.ts';
import type { DigitLedger, DigitRecord } from '../observe/digit-ledger.ts';
import type { Ladder, LadderRecorder } from '../observe/ladder.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics, MetricsForm } from '../observe/metrics.ts';
import type { SipStack } from '../sip/stack.ts';
import type { CallAdmission } from '../trunk/admission.ts';
import type { AgentRegistry } from '../trunk/agent-registry.ts';
import { SIDES } from '../wire/side.ts';
import { agentView } from './agent-view.ts';
import type {
  AgentView,
  ApiBackend,
  CallFilter,
  CallView,
  ConfigCheckView,
  DigitFilter,
  DrainView,
  ExplanationView,
  HealthView,
  ReadinessView,
  ReloadView,
  SubscriptionView,
} from './backend.ts';
import { isWanted, isWantedCall } from './call-filter.ts';
import { ConfigReload } from './config-reload.ts';
import { callView, explanationView, mediaView, subscriptionViews } from './call-view.ts';
import { type ConfigPlanView, configPlanView, placesOf, planView } from './config-plan.ts';
import { readCounters } from './counter-reading.ts';
import { EndedCalls } from './ended-calls.ts';
import type { FeatureBackend, FeatureEventSource } from './feature-backend.ts';
import { LiveFeed } from './live-feed.ts';
import type { SeriesView, StatusView } from './live-views.ts';
import type { PreparePart, ReadConfig } from './reload-part.ts';
import { SeriesSampler } from './series-sampler.ts';
import { interfaceViews, mediaSideView, type MediaState } from './status-view.ts';

const MS_PER_SECOND = 1_000;

export interface SbcBackendOptions {
  readonly calls: CallRegistry;
  readonly agents: AgentRegistry;
  readonly stack: SipStack;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly media: MediaState;
  /** What moves media packets now; `undefined`: they do not pass this process. */
  readonly ioInUse: () => string | undefined;
  readonly metrics: Metrics;
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Loads `text`, or the file in use; `undefined` when the SBC was started without a file. */
  readonly readConfig: ((text?: string) => LoadedConfig) | undefined;
  /** The same for reloads, without holding up calls. */
  readonly loadConfig?: (() => Promise<ReadConfig>) | undefined;
  /** The same for checks and plans. */
  readonly configThread?: Pick<LoadThread, 'check' | 'plan'> | undefined;
  /** Name of that file. */
  readonly configFile?: string | undefined;
  readonly admission: Pick<CallAdmission, 'overload'>;
  readonly features: FeatureKeysPart;
  /** Sockets and connections for a new configuration; absent: there are none to change. */
  readonly prepareSip?: PreparePart | undefined;
  /** A new configuration is in force. */
  readonly onReloaded: (config: Config) => void;
}

/** The feature keys as they come and go with reloads. */
export interface FeatureKeysPart {
  readonly current: FeatureBackend | undefined;
  readonly onEvent: FeatureEventSource;
  /**
   * Takes over a new configuration without losing subscriptions, or keeps the old one whole.
   *
   * @returns why it cannot be taken over; `undefined`: it is in force.
   */
  reconfigure(config: Config): Promise<FeatureProblem | undefined>;
}

export interface FeatureProblem {
  readonly path: readonly string[];
  readonly message: string;
}

export class SbcBackend implements ApiBackend {
  readonly #options: SbcBackendOptions;
  readonly #startedMs = performance.now();
  #config: Config;
  readonly #drainListeners = new Set<() => void>();
  readonly #reload: ConfigReload;
  #loadedMs = nowMs();
  readonly #ended: EndedCalls;
  readonly #feed: LiveFeed;
  readonly #sampler: SeriesSampler;

  constructor(options: SbcBackendOptions) {
    this.#options = options;
    this.#config = options.config;
    const { calls, ledger, ladder, metrics, admission } = options;
    this.#reload = new ConfigReload({ ...options, apply: (config) => this.#apply(config) });
    this.#ended = new EndedCalls(
      (callId) => ledger.summary(callId),
      (callId) => ladder.forget(callId),
    );
    this.#feed = new LiveFeed({
      watchCalls: (listener) => ladder.watch(listener),
      call: (callId) => this.#activeCall(callId),
      watchDigits: (listener) => ledger.watch(listener),
      digit: (pressId) => ledger.get(pressId),
      agents: () => this.listAgents(),
    });
    this.#sampler = new SeriesSampler({
      totals: metrics.totals,
      calls: () => calls.list(),
      isOverloaded: () => admission.overload.type !== 'calm',
      onPoint: (point) => this.#feed.pointAdded(point),
    });
    calls.watch.by({
      ended: (call, outcome) => {
        this.#ended.add(call, outcome);
        this.#feed.callEnded(call.id);
      },
      refused: (attempt) => {
        if (this.#ended.addRefused(attempt)) this.#feed.callEnded(attempt.record.callId);
      },
    });
  }

  /** Ends what it does by itself. */
  close(): void {
    this.#sampler.stop();
    this.#feed.close();
  }

  get onLiveEvent(): ApiBackend['onLiveEvent'] {
    return this.#feed.watch;
  }

  get features(): FeatureBackend | undefined {
    return this.#options.features.current;
  }

  get onFeatureEvent(): FeatureEventSource {
    return this.#options.features.onEvent;
  }

  readonly onDraining = (listener: () => void): (() => void) => {
    this.#drainListeners.add(listener);
    return () => {
      this.#drainListeners.delete(listener);
    };
  };

  get isDraining(): boolean {
    return this.#options.calls.isDraining;
  }

  health(): HealthView {
    const { version, calls } = this.#options;
    const uptimeSeconds = Math.floor((performance.now() - this.#startedMs) / 1000);
    return { version, uptimeSeconds, activeCalls: calls.size };
  }

  readiness(): ReadinessView {
    const { stack, calls, admission, media } = this.#options;
    const { overload } = admission;
    const hasMedia = media.engineNodes?.some(({ isUp }) => isUp) ?? true;
    const reasons = [
      ...(stack.isUp ? [] : ['the connection to the SIP engine is down']),
      ...(hasMedia ? [] : ['no rtpengine answers']),
      ...(calls.isDraining ? ['draining: no new calls are taken'] : []),
      ...(overload.type === 'calm'
        ? []
        : [`overloaded (${overload.reason}): not all new calls are taken`]),
    ];
    return { isReady: reasons.length === 0, reasons };
  }

  async metricsText(form: MetricsForm): Promise<string> {
    const { calls, metrics, admission } = this.#options;
    // Reading the counters enters the packets of the running calls; while overloaded they come with the end of each.
    if (admission.overload.type === 'calm') await readCounters(calls.list());
    return metrics.text(form);
  }

  status(): StatusView {
    const { calls, stack, media, ioInUse } = this.#options;
    const { sip, hash } = this.#config;
    const file = this.#options.configFile;
    return {
      ...this.health(),
      ...this.readiness(),
      isDraining: this.isDraining,
      config: {
        hash,
        ...(file === undefined ? {} : { file }),
        loadedAt: new Date(this.#loadedMs).toISOString(),
      },
      engine: { type: sip.engine, isUp: stack.isUp },
      media: mediaSideView(this.#config, media, ioInUse()),
      interfaces: interfaceViews(this.#config, calls.list()),
    };
  }

  series(windowSeconds: number): SeriesView {
    const points = this.#sampler.since(nowMs() - windowSeconds * MS_PER_SECOND);
    return { intervalMs: this.#sampler.intervalMs, points };
  }

  listCalls(filter: CallFilter = {}): readonly CallView[] {
    const { state = 'active', limit = Number.POSITIVE_INFINITY } = filter;
    const views: CallView[] = [];
    if (state !== 'ended') {
      for (const call of this.#options.calls.list()) {
        if (views.length >= limit) break;
        if (isWantedCall(call, filter)) views.push(this.#view(call));
      }
    }
    if (state === 'active') return views;
    for (const facts of this.#ended.list()) {
      if (views.length >= limit) break;
      if (isWanted(facts, filter)) views.push(this.#ended.view(facts));
    }
    return views;
  }

  async getCall(callId: string): Promise<CallView | undefined> {
    const call = this.#options.calls.get(callId);
    if (call === undefined) return this.#ended.get(callId);
    const counters = await call.session?.media.counters();
    const media = counters === undefined ? undefined : mediaView(counters);
    return { ...this.#view(call), ...(media === undefined ? {} : { media }) };
  }

  endCall(callId: string): Promise<boolean> {
    const call = this.#options.calls.get(callId);
    if (call === undefined || call.state === 'ended') return Promise.resolve(false);
    call.end({ name: 'operator', by: 'sbc' });
    return Promise.resolve(true);
  }

  ladder(callId: string): Ladder | undefined {
    return this.#options.ladder.ladder(callId);
  }

  explanation(callId: string): ExplanationView | undefined {
    const call = this.#options.calls.get(callId);
    if (call === undefined) return this.#ended.explanation(callId);
    return explanationView(call);
  }

  listDigits(filter: DigitFilter = {}): readonly DigitRecord[] {
    return this.#options.ledger.list(filter);
  }

  listAgents(): readonly AgentView[] {
    const { sessionGroups } = this.#config;
    return this.#options.agents.list().map((view) => agentView(view, sessionGroups));
  }

  setAgentLock(name: string, isLocked: boolean): AgentView | undefined {
    const { agents, log } = this.#options;
    const view = agents.setLocked(name, isLocked);
    if (view === undefined) return undefined;
    log.info({ agent: name }, isLocked ? 'session agent locked' : 'session agent unlocked');
    return agentView(view, this.#config.sessionGroups);
  }

  listSubscriptions(limit = Number.POSITIVE_INFINITY): readonly SubscriptionView[] {
    const views: SubscriptionView[] = [];
    for (const call of this.#options.calls.list()) {
      if (views.length >= limit) break;
      views.push(...SIDES.flatMap((side) => subscriptionViews(call, side)));
    }
    return views.slice(0, limit);
  }

  async checkConfig(text: string | undefined): Promise<ConfigCheckView> {
    const checked = await this.#options.configThread?.check(text);
    if (checked?.type === 'checked') {
      return { isValid: true, problems: [], findings: checked.findings };
    }
    const loaded = checked ?? this.#options.readConfig?.(text);
    const problems = loaded?.type === 'invalid' ? loaded.problems : [];
    const findings = loaded?.type === 'config' ? lintConfig(loaded) : [];
    return { isValid: problems.length === 0, problems, findings };
  }

  async planConfig(text: string | undefined): Promise<ConfigPlanView | undefined> {
    const { calls, configThread, readConfig } = this.#options;
    const config = this.#config;
    const source = configThread === undefined ? undefined : sourceOf(config);
    const planned = source && (await configThread?.plan({ ...source, config }, text));
    if (source !== undefined && planned !== undefined) {
      return planView({ ...source, config }, planned, placesOf(calls.list()));
    }
    const current = loadedOf(config);
    const next = readConfig?.(text);
    if (current === undefined || next === undefined) return undefined;
    return configPlanView(current, next, placesOf(calls.list()));
  }

  /** Takes the file over for new calls, or refuses it whole and keeps the old one. */
  reload(): Promise<ReloadView> {
    return this.#reload.reload();
  }

  #apply(config: Config): void {
    const { calls, onReloaded } = this.#options;
    this.#config = config;
    this.#loadedMs = nowMs();
    calls.reconfigure(config);
    onReloaded(config);
  }

  /** Tells everybody who waits for it; also called where draining begins elsewhere. */
  beginDraining(): void {
    for (const listener of this.#drainListeners) listener();
    this.#drainListeners.clear();
  }

  drain(): Promise<DrainView> {
    const { calls, log } = this.#options;
    log.info({ activeCalls: calls.size }, 'draining');
    this.beginDraining();
    // Resolves at the last call's end; the answer shows where the drain stands now.
    void calls.drain();
    return Promise.resolve({ isDraining: true, activeCalls: calls.size });
  }

  #activeCall(callId: string): CallView | undefined {
    const call = this.#options.calls.get(callId);
    return call && this.#view(call);
  }

  #view(call: Call): CallView {
    return callView(call, this.#options.ledger.summary(call.id));
  }
}
