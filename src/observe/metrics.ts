/**
 * The Prometheus metrics of one SBC. Names of metrics live here and in the other files
 * *-metrics.ts; callers use the methods.
 *
 * Labels come from closed unions or from configured names, never from numbers, addresses or Call-IDs. What a peer may
 * choose freely (methods, status codes) is folded into a closed list here.
 */
import { memoryUsage } from 'node:process';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { AdmissionMetrics } from './admission-metrics.ts';
import { CdrMetrics } from './cdr-metrics.ts';
import { DIGIT_DROP_REASONS } from './digit-ledger.ts';
import type { DigitOutcome } from './digit-ledger.ts';
import type { EventLoopLag } from './event-loop-lag.ts';
import { FeatureMetrics } from './feature-metrics.ts';
import { ForwardMetrics } from './forward-metrics.ts';
import { mediaMetrics } from './media-metrics.ts';
import { methodLabel, statusLabel } from './metric-labels.ts';

/** Inbound: the peer opened the leg; outbound: we did. */
export type LegDirection = 'inbound' | 'outbound';

export type CallResult = 'answered' | 'busy' | 'cancelled' | 'failed' | 'no-answer' | 'rejected';

export interface LegLabels {
  readonly realm: string;
  readonly direction: LegDirection;
}

export interface CallLabels {
  /** Name of the session-agent; undefined for a peer that is none. */
  readonly agent: string | undefined;
  readonly direction: LegDirection;
  readonly result: CallResult;
}

export interface SipRequestLabels {
  readonly direction: LegDirection;
  readonly method: string;
  readonly status: number;
  /** Why nobody has answered; the label then, in place of the status. */
  readonly unanswered?: 'timeout' | 'unreachable' | undefined;
}

export type KpmlRole = 'notifier' | 'subscriber';
export type KpmlSubscriptionState = 'pending' | 'active';

export interface BuildInfo {
  readonly version: string;
  readonly node: string;
}

const MS_PER_SECOND = 1_000;
const NO_AGENT = 'none';

const SET_UP_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60];
const CALL_BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400];
const DIGIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const GAP_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** One registry per SBC, so that several can live in one process. */
export class Metrics {
  readonly #registry = new Registry();
  /** Session agents and admission. */
  readonly admission = new AdmissionMetrics(this.#registry);
  /** Call records. */
  readonly cdr = new CdrMetrics(this.#registry);
  /** Feature keys. */
  readonly features = new FeatureMetrics(this.#registry);
  /** What feature keys do to calls. */
  readonly forwards = new ForwardMetrics(this.#registry);
  readonly #scrapeHooks: (() => void)[] = [];
  readonly #calls = callMetrics(this.#registry);
  readonly #media = mediaMetrics(this.#registry);
  readonly #digits = digitMetrics(this.#registry);
  readonly #process = processMetrics(this.#registry);

  /** Content-Type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition text. */
  async text(): Promise<string> {
    for (const hook of this.#scrapeHooks) hook();
    return await this.#registry.metrics();
  }

  /** Runs `update` before each exposition, for values that are read rather than counted. */
  onScrape(update: () => void): void {
    this.#scrapeHooks.push(update);
  }

  legOpened({ realm, direction }: LegLabels): void {
    this.#calls.active.inc({ realm, direction });
  }

  legClosed({ realm, direction }: LegLabels): void {
    this.#calls.active.dec({ realm, direction });
  }

  callEnded({ agent, direction, result }: CallLabels): void {
    this.#calls.total.inc({ agent: agent ?? NO_AGENT, direction, result });
  }

  sipRequestAnswered({ direction, method, status, unanswered }: SipRequestLabels): void {
    const code = unanswered ?? statusLabel(status);
    this.#calls.requests.inc({ direction, method: methodLabel(method), code });
  }

  /** Requests, or stream connections, that got no answer. `reason` comes from a closed list of the SIP engine. */
  sipDropped(reason: string, count: number): void {
    this.#calls.dropped.inc({ reason }, count);
  }

  /** INVITE received to first ringing or early media. */
  postDialDelay(delayMs: number): void {
    this.#calls.postDialDelay.observe(delayMs / MS_PER_SECOND);
  }

  /** Answer to end. */
  callDuration(durationMs: number): void {
    this.#calls.duration.observe(durationMs / MS_PER_SECOND);
  }

  rtpPackets({ realm, direction }: LegLabels, count: number): void {
    this.#media.packets.inc({ realm, direction }, count);
  }

  rtpLost(count: number): void {
    this.#media.lost.inc(count);
  }

  /** Only one party of an answered call was heard. */
  rtpOneWay(durationMs: number): void {
    this.#media.oneWay.inc(durationMs / MS_PER_SECOND);
  }

  /** `pool` is the name of the realm whose ports they are. */
  mediaPortsFree(pool: string, count: number): void {
    this.#media.portsFree.set({ pool }, count);
  }

  /** Streams that could not be opened; a count of 0 makes the reason known. */
  mediaFailed(reason: string, count: number): void {
    this.#media.failures.inc({ reason }, count);
  }

  mediaTimedOut(): void {
    this.#media.timeouts.inc();
  }

  /** Packets that came from a source the leg does not accept. */
  mediaSourceViolations(count: number): void {
    this.#media.sourceViolations.inc(count);
  }

  /** Hand this to the digit ledger. */
  digit(outcome: DigitOutcome): void {
    switch (outcome.type) {
      case 'delivered':
        this.#digits.total.inc({ from: outcome.from, to: outcome.to, result: 'delivered' });
        if (outcome.latencyMs !== undefined) {
          this.#digits.conversion.observe(outcome.latencyMs / MS_PER_SECOND);
        }
        break;
      case 'dropped':
        this.#digits.total.inc({ from: outcome.from, to: 'none', result: 'dropped' });
        this.#digits.dropped.inc({ reason: outcome.reason });
        break;
    }
  }

  kpmlSubscriptions(role: KpmlRole, state: KpmlSubscriptionState, count: number): void {
    this.#digits.subscriptions.set({ role, state }, count);
  }

  /** Time in which a leg that needs a subscription had none. */
  kpmlGap(gapMs: number): void {
    this.#digits.gap.observe(gapMs / MS_PER_SECOND);
  }

  configLoaded(hash: string): void {
    this.#process.configInfo.reset();
    this.#process.configInfo.set({ hash }, 1);
  }

  configReloaded(result: 'applied' | 'refused'): void {
    this.#process.configReloads.inc({ result });
  }

  eventLoopLag(lag: EventLoopLag): void {
    this.#process.eventLoopLag.set({ quantile: '0.5' }, lag.medianSeconds);
    this.#process.eventLoopLag.set({ quantile: '0.99' }, lag.p99Seconds);
    this.#process.eventLoopLag.set({ quantile: '1' }, lag.maxSeconds);
  }

  workerRestarted(): void {
    this.#process.workerRestarts.inc();
  }

  engineCrashed(): void {
    this.#process.engineRestarts.inc();
  }

  buildInfo({ version, node }: BuildInfo): void {
    this.#process.buildInfo.set({ version, node }, 1);
  }

  /** A broken invariant was caught. */
  bug(): void {
    this.#process.bugs.inc();
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
    postDialDelay: new Histogram({
      name: 'sbc_post_dial_delay_seconds',
      help: 'INVITE to first ringing or early media.',
      buckets: SET_UP_BUCKETS,
      registers,
    }),
    duration: new Histogram({
      name: 'sbc_call_duration_seconds',
      help: 'Answer to end of a call.',
      buckets: CALL_BUCKETS,
      registers,
    }),
  };
}

function digitMetrics(registry: Registry) {
  const registers = [registry];
  const dropped = new Counter({
    name: 'sbc_dtmf_dropped_total',
    help: 'Digits lost by reason.',
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
    conversion: new Histogram({
      name: 'sbc_dtmf_conversion_seconds',
      help: 'Press to the moment its translation was taken by socket or peer.',
      buckets: DIGIT_BUCKETS,
      registers,
    }),
    subscriptions: new Gauge({
      name: 'sbc_kpml_subscriptions',
      help: 'Live KPML subscriptions.',
      labelNames: ['role', 'state'],
      registers,
    }),
    gap: new Histogram({
      name: 'sbc_kpml_gap_seconds',
      help: 'Time without a KPML subscription on a leg that needs one.',
      buckets: GAP_BUCKETS,
      registers,
    }),
  };
}

function processMetrics(registry: Registry) {
  const registers = [registry];
  return {
    configReloads: new Counter({
      name: 'sbc_config_reloads_total',
      help: 'Configuration reloads by result.',
      labelNames: ['result'],
      registers,
    }),
    configInfo: new Gauge({
      name: 'sbc_config_info',
      help: 'The configuration in use, by hash.',
      labelNames: ['hash'],
      registers,
    }),
    eventLoopLag: new Gauge({
      name: 'sbc_event_loop_lag_seconds',
      help: 'Lateness of event loop timers in the last window.',
      labelNames: ['quantile'],
      registers,
    }),
    heap: new Gauge({
      name: 'sbc_heap_used_bytes',
      help: 'JavaScript heap in use, that of worker threads left out.',
      registers,
      collect() {
        this.set(memoryUsage().heapUsed);
      },
    }),
    workerRestarts: new Counter({
      name: 'sbc_worker_restarts_total',
      help: 'Relay workers started anew after a crash.',
      registers,
    }),
    engineRestarts: new Counter({
      name: 'sbc_engine_restarts_total',
      help: 'Crashes of the embedded SIP engine, which is then started anew.',
      registers,
    }),
    buildInfo: new Gauge({
      name: 'sbc_build_info',
      help: 'Version of the software.',
      labelNames: ['version', 'node'],
      registers,
    }),
    bugs: new Counter({
      name: 'sbc_bugs_total',
      help: 'Broken invariants caught at a boundary.',
      registers,
    }),
  };
}
