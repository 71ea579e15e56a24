import { Counter, Gauge, type Registry } from 'prom-client';
import { DIGIT_DROP_REASONS, type DigitOutcome } from './digit-ledger.ts';
import type { KpmlRole, KpmlSubscriptionState } from './metrics.ts';
import type { Exemplars } from './openmetrics.ts';
import { TimedHistogram } from './timed-histogram.ts';

const DIGIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const GAP_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** The metrics about digits and the subscriptions they need. */
export class DigitMetrics {
  readonly gap: TimedHistogram;
  readonly #conversion: TimedHistogram;
  readonly #metrics: ReturnType<typeof digitMetrics>;

  constructor(registry: Registry, exemplars: Exemplars) {
    this.#metrics = digitMetrics(registry);
    const conversion = {
      name: 'sbc_dtmf_conversion_seconds',
      help: 'Press to the moment its translation was sent; of a NOTIFY or INFO, once it is answered 2xx.',
      buckets: DIGIT_BUCKETS,
    };
    this.#conversion = new TimedHistogram(conversion, registry, exemplars);
    const gap = {
      name: 'sbc_kpml_gap_seconds',
      help: 'Answer of a call until the KPML subscription that a leg needs is active.',
      buckets: GAP_BUCKETS,
    };
    this.gap = new TimedHistogram(gap, registry, exemplars);
  }

  settled(outcome: DigitOutcome): void {
    switch (outcome.type) {
      case 'delivered':
        this.#metrics.total.inc({ from: outcome.from, to: outcome.to, result: 'delivered' });
        if (outcome.latencyMs !== undefined) {
          this.#conversion.observe(outcome.latencyMs, outcome.callId);
        }
        break;
      case 'dropped':
        this.#metrics.total.inc({ from: outcome.from, to: 'none', result: 'dropped' });
        this.#metrics.dropped.inc({ reason: outcome.reason });
        break;
    }
  }

  subscriptions(role: KpmlRole, state: KpmlSubscriptionState, count: number): void {
    this.#metrics.subscriptions.set({ role, state }, count);
  }
}

function digitMetrics(registry: Registry) {
  const registers = [registry];
  const dropped = new Counter({
    name: 'sbc_dtmf_dropped_total',
    help: 'Digits not passed on by reason, which says whether they are lost.',
    labelNames: ['reason'],
    registers,
  });
  // Present from the start, so that the first loss already shows as a rise.
  for (const reason of DIGIT_DROP_REASONS) dropped.inc({ reason }, 0);
  return {
    dropped,
    total: new Counter({
      name: 'sbc_dtmf_digits_total',
      help: 'Digits by how they came, how they left and what became of them.',
      labelNames: ['from', 'to', 'result'],
      registers,
    }),
    subscriptions: new Gauge({
      name: 'sbc_kpml_subscriptions',
      help: 'Live KPML subscriptions.',
      labelNames: ['role', 'state'],
      registers,
    }),
  };
}
