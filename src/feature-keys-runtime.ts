/**
 * Builds the feature keys from the configuration, gives them to SIP side, API and calls, and replaces them on reload.
 *
 *   store (outlives reloads) <- service (the one write path) <- subscriptions of phones, API, portal, calls
 */
import type { FeatureBackend, FeatureSubscriptionView } from './api/feature-backend.ts';
import type { FeatureKeysPart, FeatureProblem } from './api/sbc-backend.ts';
import type { CallFeatures } from './call/forward/call-features.ts';
import { TargetRoutes } from './call/forward/target-routes.ts';
import type { Registrations } from './call/outside/registrations.ts';
import type { Config } from './config/config.ts';
import type { FeatureKeysConfig } from './config/feature-keys-config.ts';
import { featureKeysModeAt, servesFeatureKeys } from './config/feature-keys-mode.ts';
import { AccountCallFeatures } from './feature-keys/call-features.ts';
import { CurrentRules } from './feature-keys/feature-rules.ts';
import type { FeatureEvent, FeatureService } from './feature-keys/feature-service.ts';
import type { Presentity } from './feature-keys/feature-state.ts';
import { FeatureSubscriptions } from './feature-keys/feature-subscriptions.ts';
import { createFeatureService } from './feature-keys/feature-write-path.ts';
import { type FeatureStore, openFeatureStore } from './feature-keys/providers/open-store.ts';
import type { SubscriptionView } from './feature-keys/subscription-view.ts';
import { nowMs } from './observe/clock.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { PackageRequest } from './sip/package-request.ts';
import type { AgentRegistry } from './trunk/agent-registry.ts';

export interface FeatureKeysParts {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly agents: AgentRegistry;
  readonly registrations: Registrations;
}

/** Never goes back: a clock that is put right must not hold up NOTIFYs or subscriptions. */
const steadyMs = (): number => Math.floor(nowMs());

/** Opens the store; rejects when it cannot be opened. */
export async function openFeatureKeys(
  config: Config,
  parts: FeatureKeysParts,
): Promise<FeatureKeys> {
  const features = new FeatureKeys(config, parts);
  await features.start();
  return features;
}

/** The feature keys of one SBC, whether they are served now or not. */
export class FeatureKeys implements FeatureKeysPart {
  /** For calls; acts on none while nothing is served. */
  readonly calls: CallFeatures;
  readonly #parts: FeatureKeysParts;
  readonly #listeners = new Set<(event: FeatureEvent) => void>();
  readonly #targets: TargetRoutes;
  #config: Config;
  #served: ServedFeatures | undefined;

  constructor(config: Config, parts: FeatureKeysParts) {
    this.#config = config;
    this.#parts = parts;
    this.#targets = new TargetRoutes({ ...parts, nowMs: Date.now });
    this.calls = this.#callFeatures();
    parts.metrics.onScrape(() => {
      const { size = 0, waiting = 0 } = this.#served?.subscriptions ?? {};
      parts.metrics.features.subscriptions(size);
      parts.metrics.features.notifyDue(waiting);
    });
  }

  get current(): FeatureBackend | undefined {
    return this.#served;
  }

  /** Event packages that phones may subscribe to on a sip-interface now. */
  packagesOn(interfaceName: string): readonly string[] {
    const packages = this.#served?.subscriptions.packages ?? [];
    return this.#serves(interfaceName) ? packages : [];
  }

  /** A SUBSCRIBE or PUBLISH of anybody; false: it is not for feature keys. */
  receive(request: PackageRequest): boolean {
    if (!this.#serves(request.interfaceName)) return false;
    return this.#served?.subscriptions.receive(request) ?? false;
  }

  /** Survives reloads. */
  readonly onEvent = (listener: (event: FeatureEvent) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  async start(): Promise<void> {
    if (servesFeatureKeys(this.#config)) this.#served = await this.#open();
  }

  async reconfigure(next: Config): Promise<FeatureProblem | undefined> {
    const before = this.#config;
    const isServed = servesFeatureKeys(next);
    try {
      if (isServed) await this.#served?.prepare(next.featureKeys);
      this.#config = next;
      if (isServed) this.#served ??= await this.#open();
    } catch (error) {
      this.#config = before;
      const message = error instanceof Error ? error.message : String(error);
      return { path: ['feature-keys', 'provider'], message };
    }
    if (!isServed) {
      await this.close();
      return undefined;
    }
    this.#served?.subscriptions.reconfigure(next.featureKeys);
    this.#served?.subscriptions.keepOnly((name) => this.#serves(name));
    return undefined;
  }

  /** Sends the phones away; they find the SIP side still there. */
  async leave(): Promise<void> {
    await this.#served?.subscriptions.close();
  }

  async close(): Promise<void> {
    const served = this.#served;
    this.#served = undefined;
    await served?.close();
  }

  async #open(): Promise<ServedFeatures> {
    const served = await openServed({
      ...this.#parts,
      config: () => this.#config.featureKeys,
      isRoutable: this.#isRoutable,
    });
    served.service.onEvent((event) => {
      for (const listener of this.#listeners) listener(event);
    });
    return served;
  }

  #serves(interfaceName: string): boolean {
    return featureKeysModeAt(this.#config, interfaceName) === 'serve';
  }

  /** What the features do not act on is somebody else's to route. */
  readonly #isRoutable = (account: Presentity, uri: string): boolean =>
    !this.calls.actOn(account) || this.#targets.hasWay(this.#config, account, uri);

  #callFeatures(): CallFeatures {
    const config = (): FeatureKeysConfig => this.#config.featureKeys;
    const rules = new CurrentRules(config);
    return new AccountCallFeatures({
      config,
      isServed: () => servesFeatureKeys(this.#config),
      log: this.#parts.log,
      service: {
        forCall: async (presentity) => await this.#served?.service.forCall(presentity),
      },
      targetRefusal: (target, account) => {
        const verdict = rules.targets.judge(account, target);
        return verdict === 'allowed' ? undefined : verdict;
      },
    });
  }
}

interface ServedParts extends Pick<FeatureKeysParts, 'log' | 'metrics'> {
  readonly config: () => FeatureKeysConfig;
  readonly isRoutable: (account: Presentity, uri: string) => boolean;
}

/** The parts that run while feature keys are served. */
class ServedFeatures implements FeatureBackend {
  readonly service: FeatureService;
  readonly subscriptions: FeatureSubscriptions;
  readonly #config: () => FeatureKeysConfig;
  readonly #store: FeatureStore;

  constructor(
    config: () => FeatureKeysConfig,
    parts: {
      readonly store: FeatureStore;
      readonly service: FeatureService;
      readonly subscriptions: FeatureSubscriptions;
    },
  ) {
    this.#config = config;
    this.#store = parts.store;
    this.service = parts.service;
    this.subscriptions = parts.subscriptions;
  }

  get config(): FeatureKeysConfig {
    return this.#config();
  }

  listSubscriptions(presentity?: string): readonly FeatureSubscriptionView[] {
    return this.subscriptions.list(presentity).map(toView);
  }

  /** Opens what the next configuration needs; rejects, with everything as before, where it cannot. */
  async prepare(next: FeatureKeysConfig): Promise<void> {
    await this.#store.reload(next);
  }

  /** The store last: what is under way may still write. */
  async close(): Promise<void> {
    await this.subscriptions.close();
    await this.service.close();
    await this.#store.provider.close();
    await this.#store.history.close();
  }
}

async function openServed({
  config,
  isRoutable,
  log,
  metrics,
}: ServedParts): Promise<ServedFeatures> {
  const store = await openFeatureStore(config(), { log, nowMs: Date.now });
  const { provider, history } = store;
  const counters = metrics.features;
  const service = createFeatureService({ provider, history, config, log, counters, isRoutable });
  const phones = { config: config(), service, log, nowMs: steadyMs, counters };
  return new ServedFeatures(config, {
    store,
    service,
    subscriptions: new FeatureSubscriptions(phones),
  });
}

function toView({ due, lastNotify, ...view }: SubscriptionView): FeatureSubscriptionView {
  const { id, account, callId, userAgent, address, transport, expiresSeconds } = view;
  return {
    event: 'as-feature-event',
    account,
    id,
    callId,
    userAgent,
    remote: address,
    transport,
    expiresInSeconds: expiresSeconds,
    due: due.isFull ? ['full'] : due.features,
    ...(lastNotify === undefined ? {} : { lastNotify: toNotifyView(lastNotify) }),
  };
}

function toNotifyView({ atMs, status }: NonNullable<SubscriptionView['lastNotify']>) {
  const at = new Date(atMs).toISOString();
  return status === 0 ? { at } : { at, status };
}
