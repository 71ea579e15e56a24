import { Counter, Gauge, type Registry } from 'prom-client';
import { methodLabel, statusLabel } from './metric-labels.ts';
import type { CallLabels, LegDirection, LegLabels, SipRequestLabels } from './metrics.ts';
import { NamedSeries } from './named-series.ts';
import type { Exemplars } from './openmetrics.ts';
import { TimedHistogram } from './timed-histogram.ts';

const NO_AGENT = 'none';
const SET_UP_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60];
const CALL_BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400];

/** The metrics about calls and the SIP requests they are made of. */
export class CallMetrics {
  readonly postDialDelay: TimedHistogram;
  readonly duration: TimedHistogram;
  readonly #metrics: ReturnType<typeof callMetrics>;
  /** By realm; the gauge is made of it at each exposition, so that realms that are gone and empty disappear. */
  readonly #open = new Map<string, Record<LegDirection, number | undefined>>();
  readonly #ofAgents = new NamedSeries();

  constructor(registry: Registry, exemplars: Exemplars) {
    this.#metrics = callMetrics(registry);
    const postDialDelay = {
      name: 'sbc_post_dial_delay_seconds',
      help: 'INVITE to first ringing or early media.',
      buckets: SET_UP_BUCKETS,
    };
    this.postDialDelay = new TimedHistogram(postDialDelay, registry, exemplars);
    const duration = {
      name: 'sbc_call_duration_seconds',
      help: 'Answer to end of a call.',
      buckets: CALL_BUCKETS,
    };
    this.duration = new TimedHistogram(duration, registry, exemplars);
  }

  legOpened({ realm, direction }: LegLabels): void {
    const open = this.#open.get(realm) ?? { inbound: undefined, outbound: undefined };
    open[direction] = (open[direction] ?? 0) + 1;
    this.#open.set(realm, open);
  }

  legClosed({ realm, direction }: LegLabels): void {
    const open = this.#open.get(realm);
    if (open !== undefined) open[direction] = (open[direction] ?? 0) - 1;
  }

  ended({ agent = NO_AGENT, direction, result }: CallLabels): void {
    const labels = { agent, direction, result };
    this.#metrics.total.inc(labels);
    this.#ofAgents.note(agent, `${direction} ${result}`, () => this.#metrics.total.remove(labels));
  }

  requestAnswered(labels: SipRequestLabels, count: number): void {
    const { direction, method, status, unanswered } = labels;
    const code = unanswered ?? statusLabel(status);
    this.#metrics.requests.inc({ direction, method: methodLabel(method), code }, count);
  }

  dropped(reason: string, count: number): void {
    this.#metrics.dropped.inc({ reason }, count);
  }

  keepAgents(names: ReadonlySet<string>): void {
    this.#ofAgents.keep(new Set([...names, NO_AGENT]));
  }

  keepRealms(names: ReadonlySet<string>): void {
    for (const [realm, { inbound = 0, outbound = 0 }] of this.#open) {
      if (!names.has(realm) && inbound + outbound === 0) this.#open.delete(realm);
    }
  }

  /** Brings the gauges up to date. */
  update(): void {
    this.#metrics.active.reset();
    for (const [realm, open] of this.#open) {
      for (const direction of ['inbound', 'outbound'] as const) {
        const legs = open[direction];
        if (legs !== undefined) this.#metrics.active.set({ realm, direction }, legs);
      }
    }
  }
}

function callMetrics(registry: Registry) {
  const registers = [registry];
  return {
    active: new Gauge({
      name: 'sbc_calls_active',
      help: 'Call legs now open.',
      labelNames: ['realm', 'direction'],
      registers,
    }),
    total: new Counter({
      name: 'sbc_calls_total',
      help: 'Ended call legs by result.',
      labelNames: ['agent', 'direction', 'result'],
      registers,
    }),
    requests: new Counter({
      name: 'sbc_sip_requests_total',
      help: 'SIP requests by their final answer; timeout and unreachable where nobody gave one.',
      labelNames: ['direction', 'method', 'code'],
      registers,
    }),
    dropped: new Counter({
      name: 'sbc_sip_dropped_total',
      help: 'SIP messages and connections dropped without an answer by reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
