import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { statusLabel } from './metric-labels.ts';

export type FeatureUpdateResult = 'applied' | 'unchanged' | 'refused' | 'failed';

/** What became of a NOTIFY. */
export const NOTIFY_RESULTS = [
  'told',
  'challenged',
  'later',
  'refused',
  'removed',
  'timeout',
] as const;
export type NotifyResult = (typeof NOTIFY_RESULTS)[number];

export type ProviderOperation = 'get' | 'set' | 'configure';
export type ProviderResult = 'ok' | 'unknown-account' | 'error' | 'timeout';

/** Few, since each stands there once for every operation and result; calls give up at 0.5, requests at 3 seconds. */
const PROVIDER_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 3];

/** The metrics about feature keys. */
export class FeatureMetrics {
  readonly #metrics: ReturnType<typeof featureMetrics>;

  constructor(registry: Registry) {
    this.#metrics = featureMetrics(registry);
  }

  /** Feature and source come from closed unions. */
  updated(feature: string, source: string, result: FeatureUpdateResult): void {
    this.#metrics.updates.inc({ feature, source, result });
  }

  subscriptions(count: number): void {
    this.#metrics.subscriptions.set(count);
  }

  /** A SUBSCRIBE was answered. */
  subscribeAnswered(status: number): void {
    this.#metrics.subscribes.inc({ code: statusLabel(status) });
  }

  notifyAnswered(result: NotifyResult): void {
    this.#metrics.notifies.inc({ result });
  }

  /** Dialogs that still have something to be told. */
  notifyDue(count: number): void {
    this.#metrics.due.set(count);
  }

  providerAnswered(op: ProviderOperation, result: ProviderResult, seconds: number): void {
    this.#metrics.provider.observe({ op, result }, seconds);
  }

  loopGuardTripped(): void {
    this.#metrics.loopGuard.inc();
  }
}

function featureMetrics(registry: Registry) {
  const registers = [registry];
  const notifies = new Counter({
    name: 'sbc_dfks_notify_total',
    help: 'NOTIFYs about feature keys by what became of them.',
    labelNames: ['result'],
    registers,
  });
  // Present from the start, so that the first failure already shows as a rise.
  for (const result of NOTIFY_RESULTS) notifies.inc({ result }, 0);
  return {
    notifies,
    updates: new Counter({
      name: 'sbc_dfks_updates_total',
      help: 'Changes of feature keys by who asked and what came of it.',
      labelNames: ['feature', 'source', 'result'],
      registers,
    }),
    subscriptions: new Gauge({
      name: 'sbc_dfks_subscriptions',
      help: 'Phones now subscribed to feature keys.',
      registers,
    }),
    subscribes: new Counter({
      name: 'sbc_dfks_subscribe_total',
      help: 'SUBSCRIBEs for feature keys by answer.',
      labelNames: ['code'],
      registers,
    }),
    due: new Gauge({
      name: 'sbc_dfks_notify_due',
      help: 'Subscriptions that still have something to be told.',
      registers,
    }),
    provider: new Histogram({
      name: 'sbc_dfks_provider_seconds',
      help: 'Operations of the store of feature keys.',
      labelNames: ['op', 'result'],
      buckets: PROVIDER_BUCKETS,
      registers,
    }),
    loopGuard: new Counter({
      name: 'sbc_dfks_loop_guard_total',
      help: 'Times that phones toggling each other were stopped.',
      registers,
    }),
  };
}
