/**
 * Builds the feature keys from the configuration, gives them to SIP side, API and calls, and replaces them on reload.
 *
 *   store (outlives reloads) <- service (the one write path) <- subscriptions of phones, API, portal, calls
 */
import type { FeatureBackend, FeatureSubscriptionView } from './api/feature-backend.ts';
import type { FeatureKeysPart, FeatureProblem } from './api/sbc-backend.ts';
import type { CallFeatures } from './call/forward/call-features.ts';
import type { Config } from './config/config.ts';
import type { FeatureKeysConfig } from './config/feature-keys-config.ts';
import { AccountCallFeatures } from './feature-keys/call-features.ts';
import { CurrentRules } from './feature-keys/feature-rules.ts';
import type { FeatureEvent, FeatureService } from './feature-keys/feature-service.ts';
import { FeatureSubscriptions } from './feature-keys/feature-subscriptions.ts';
import { createFeatureService } from './feature-keys/feature-write-path.ts';
import { type FeatureStore, openFeatureStore } from './feature-keys/providers/open-store.ts';
import type { SubscriptionView } from './feature-keys/subscription-view.ts';
import { nowMs } from './observe/clock.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { PackageRequest } from './sip/package-request.ts';

export interface FeatureKeysParts {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Never goes back: a clock that is put right must not hold up NOTIFYs or subscriptions. */
const steadyMs = (): number => Math.floor(nowMs());

/** Opens the store; rejects when it cannot be opened. */
export async function openFeatureKeys(
  config: Config,
  parts: FeatureKeysParts,
): Promise<FeatureKeys> {
  const features = new FeatureKeys(config.featureKeys, parts);
  await features.start();
  return features;
}

/** The feature keys of one SBC, whether they are served now or not. */
export class FeatureKeys implements FeatureKeysPart {
  /** For calls; acts on none while nothing is served. */
  readonly calls: CallFeatures;
  readonly #parts: FeatureKeysParts;
  readonly #listeners = new Set<(event: FeatureEvent) => void>();
  #config: FeatureKeysConfig;
  #served: ServedFeatures | undefined;

  constructor(config: FeatureKeysConfig, parts: FeatureKeysParts) {
    this.#config = config;
    this.#parts = parts;
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

  /** Event packages that phones may subscribe to now. */
  get packages(): readonly string[] {
    return this.#served?.subscriptions.packages ?? [];
  }

  /** A SUBSCRIBE or PUBLISH of anybody; false: it is not for feature keys. */
  receive(request: PackageRequest): boolean {
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
    if (isServed(this.#config)) this.#served = await this.#open();
  }

  async reconfigure({ featureKeys: next }: Config): Promise<FeatureProblem | undefined> {
    const before = this.#config;
    try {
      if (isServed(next)) await this.#served?.prepare(next);
      this.#config = next;
      if (isServed(next)) this.#served ??= await this.#open();
    } catch (error) {
      this.#config = before;
      const message = error instanceof Error ? error.message : String(error);
      return { path: ['feature-keys', 'provider'], message };
    }
    if (isServed(next)) this.#served?.subscriptions.reconfigure(next);
    else await this.close();
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
    const served = await openServed(() => this.#config, this.#parts);
    served.service.onEvent((event) => {
      for (const listener of this.#listeners) listener(event);
    });
    return served;
  }

  #callFeatures(): CallFeatures {
    const config = (): FeatureKeysConfig => this.#config;
    const rules = new CurrentRules(config);
    return new AccountCallFeatures({
      config,
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

async function openServed(
  config: () => FeatureKeysConfig,
  { log, metrics }: FeatureKeysParts,
): Promise<ServedFeatures> {
  const store = await openFeatureStore(config(), { log, nowMs: Date.now });
  const { provider, history } = store;
  const counters = metrics.features;
  const service = createFeatureService({ provider, history, config, log, counters });
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

function isServed({ enabled, mode }: FeatureKeysConfig): boolean {
  return enabled && mode === 'serve';
}
