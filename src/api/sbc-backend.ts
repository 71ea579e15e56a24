/** The HTTP interface's view of the running SBC. */
import type { Call } from '../call/call.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Config } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { DigitLedger, DigitRecord } from '../observe/digit-ledger.ts';
import type { Ladder, LadderRecorder } from '../observe/ladder.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { SipStack } from '../sip/stack.ts';
import type { CallAdmission } from '../trunk/admission.ts';
import type { AgentRegistry } from '../trunk/agent-registry.ts';
import { SIDES } from '../wire/side.ts';
import { agentView } from './agent-view.ts';
import type {
  AgentView,
  ApiBackend,
  CallView,
  ConfigCheckView,
  DrainView,
  ExplanationView,
  HealthView,
  ProblemView,
  ReadinessView,
  ReloadView,
  SubscriptionView,
} from './backend.ts';
import { callView, explanationView, mediaView, subscriptionViews } from './call-view.ts';
import type { FeatureBackend, FeatureEventSource } from './feature-backend.ts';
import { restartProblems, type ValidConfig } from './restart-problems.ts';

export interface SbcBackendOptions {
  readonly calls: CallRegistry;
  readonly agents: AgentRegistry;
  readonly stack: SipStack;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly metrics: Metrics;
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Loads `text`, or the file in use; `undefined` when the SBC was started without a file. */
  readonly readConfig: ((text?: string) => LoadedConfig) | undefined;
  readonly admission: Pick<CallAdmission, 'overload'>;
  readonly features: FeatureKeysPart;
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
  #reloads: Promise<unknown> = Promise.resolve();

  constructor(options: SbcBackendOptions) {
    this.#options = options;
    this.#config = options.config;
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
    const { stack, calls, admission } = this.#options;
    const { overload } = admission;
    const reasons = [
      ...(stack.isUp ? [] : ['the connection to the SIP engine is down']),
      ...(calls.isDraining ? ['draining: no new calls are taken'] : []),
      ...(overload.type === 'calm'
        ? []
        : [`overloaded (${overload.reason}): not all new calls are taken`]),
    ];
    return { isReady: reasons.length === 0, reasons };
  }

  async metricsText(): Promise<string> {
    const { calls, metrics, admission } = this.#options;
    // Reading the counters enters the packets of the running calls; while overloaded they come with the end of each.
    if (admission.overload.type === 'calm') {
      await Promise.all(calls.list().flatMap((call) => call.session?.media.counters() ?? []));
    }
    return metrics.text();
  }

  listCalls(): readonly CallView[] {
    return this.#options.calls.list().map((call) => this.#view(call));
  }

  async getCall(callId: string): Promise<CallView | undefined> {
    const call = this.#options.calls.get(callId);
    if (call === undefined) return undefined;
    const counters = await call.session?.media.counters();
    const media = counters === undefined ? undefined : mediaView(counters);
    return { ...this.#view(call), ...(media === undefined ? {} : { media }) };
  }

  endCall(callId: string): Promise<boolean> {
    const call = this.#options.calls.get(callId);
    call?.end({ name: 'operator', by: 'sbc' });
    return Promise.resolve(call !== undefined);
  }

  ladder(callId: string): Ladder | undefined {
    return this.#options.ladder.ladder(callId);
  }

  explanation(callId: string): ExplanationView | undefined {
    const call = this.#options.calls.get(callId);
    return call === undefined ? undefined : explanationView(call);
  }

  listDigits(callId?: string): readonly DigitRecord[] {
    return this.#options.ledger.list(callId === undefined ? {} : { callId });
  }

  listAgents(): readonly AgentView[] {
    return this.#options.agents.list().map((view) => agentView(view));
  }

  setAgentLock(name: string, isLocked: boolean): AgentView | undefined {
    const { agents, log } = this.#options;
    const view = agents.setLocked(name, isLocked);
    if (view === undefined) return undefined;
    log.info({ agent: name }, isLocked ? 'session agent locked' : 'session agent unlocked');
    return agentView(view);
  }

  listSubscriptions(): readonly SubscriptionView[] {
    return this.#options.calls
      .list()
      .flatMap((call) => SIDES.flatMap((side) => subscriptionViews(call, side)));
  }

  checkConfig(text: string | undefined): Promise<ConfigCheckView> {
    const loaded = this.#options.readConfig?.(text);
    const problems = loaded?.type === 'invalid' ? loaded.problems : [];
    return Promise.resolve({ isValid: problems.length === 0, problems });
  }

  /** Takes the file over for new calls, or refuses it whole and keeps the old one. */
  reload(): Promise<ReloadView> {
    // One after the other: the later one must meet what the earlier one left.
    const reloaded = this.#reloads.then(() => this.#reload());
    this.#reloads = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<ReloadView> {
    const { metrics, log, calls, readConfig, onReloaded } = this.#options;
    if (readConfig === undefined) {
      const message = 'this SBC was started without a configuration file';
      return { type: 'refused', problems: [{ line: 1, column: 1, path: '', message }] };
    }
    const loaded = readConfig();
    const problems = loaded.type === 'invalid' ? loaded.problems : await this.#problemsOf(loaded);
    if (loaded.type === 'invalid' || problems.length > 0) {
      metrics.configReloaded('refused');
      log.warn({ problems }, 'configuration refused, the old one stays');
      return { type: 'refused', problems };
    }
    const isChanged = loaded.config.hash !== this.#config.hash;
    this.#config = loaded.config;
    calls.reconfigure(loaded.config);
    onReloaded(loaded.config);
    metrics.configReloaded('applied');
    metrics.configLoaded(loaded.config.hash);
    log.info({ config: loaded.config.hash, isChanged }, 'configuration reloaded');
    return { type: 'applied', hash: loaded.config.hash, isChanged };
  }

  /** The feature keys come last: what they have taken over is in force. */
  async #problemsOf(loaded: ValidConfig): Promise<readonly ProblemView[]> {
    const problems = restartProblems(this.#config, loaded);
    if (problems.length > 0) return problems;
    const problem = await this.#options.features.reconfigure(loaded.config);
    if (problem === undefined) return [];
    const { path, message } = problem;
    return [{ line: loaded.lineOf(path) ?? 1, column: 1, path: path.join('.'), message }];
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

  #view(call: Call): CallView {
    return callView(call, this.#options.ledger.summary(call.id));
  }
}
