/**
 * The Prometheus metrics of one SBC. Names of metrics live in the files *-metrics.ts; callers use the methods.
 *
 * Labels come from closed unions or from configured names, never from numbers, addresses or Call-IDs. What a peer may
 * choose freely (methods, status codes) is folded into a closed list here.
 */
import { Registry } from 'prom-client';
import { AdmissionMetrics, type AgentGauges } from './admission-metrics.ts';
import { CallMetrics } from './call-metrics.ts';
import { CdrMetrics } from './cdr-metrics.ts';
import type { DigitOutcome } from './digit-ledger.ts';
import { DigitMetrics } from './digit-metrics.ts';
import { prometheusText } from './exposition.ts';
import { FeatureMetrics } from './feature-metrics.ts';
import { ForwardMetrics } from './forward-metrics.ts';
import { HepMetrics } from './hep-metrics.ts';
import { MediaMetrics, type PoolPorts } from './media-metrics.ts';
import { Exemplars, toOpenMetrics } from './openmetrics.ts';
import { type BuildInfo, ProcessMetrics } from './process-metrics.ts';
import { RtpengineMetrics } from './rtpengine-metrics.ts';
import { Totals } from './totals.ts';

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

/** The two forms of the exposition. */
export type MetricsForm = 'prometheus' | 'openmetrics';

export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export type KpmlRole = 'notifier' | 'subscriber';
export type KpmlSubscriptionState = 'pending' | 'active';

/** One registry per SBC, so that several can live in one process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #exemplars = new Exemplars();
  /** Sums of what is counted here. */
  readonly totals = new Totals();
  /** Session agents and admission. */
  readonly admission = new AdmissionMetrics(this.#registry);
  /** Call records. */
  readonly cdr = new CdrMetrics(this.#registry);
  /** Feature keys. */
  readonly features = new FeatureMetrics(this.#registry);
  /** What feature keys do to calls. */
  readonly forwards = new ForwardMetrics(this.#registry);
  /** Capture by Homer. */
  readonly hep = new HepMetrics(this.#registry);
  /** The media servers of `media.engine: rtpengine`. */
  readonly rtpengine = new RtpengineMetrics(this.#registry);
  readonly #calls = new CallMetrics(this.#registry, this.#exemplars);
  readonly #media = new MediaMetrics(this.#registry);
  readonly #digits = new DigitMetrics(this.#registry, this.#exemplars);
  readonly #process = new ProcessMetrics(this.#registry);
  readonly #scrapeHooks: (() => void)[] = [];

  /** The exposition; OpenMetrics names a call beside buckets of the times of calls and digits. */
  async text(form: MetricsForm = 'prometheus'): Promise<string> {
    this.#bringUpToDate();
    const text = await prometheusText(this.#registry);
    return form === 'openmetrics' ? toOpenMetrics(text, this.#exemplars) : text;
  }

  #bringUpToDate(): void {
    for (const hook of this.#scrapeHooks) {
      try {
        hook();
      } catch {
        this.bug();
      }
    }
    this.#calls.update();
  }

  /** Every metric there is, by name. */
  catalog(): readonly MetricDescription[] {
    return this.#registry
      .getMetricsAsArray()
      .map((metric) => ({
        name: metric.name,
        type: String(metric.type),
        help: metric.help,
        labels:
          'labelNames' in metric && Array.isArray(metric.labelNames)
            ? metric.labelNames.map(String)
            : [],
      }))
      .toSorted((one, other) => one.name.localeCompare(other.name));
  }

  /** Runs `update` before each exposition, for values that are read rather than counted. */
  onScrape(update: () => void): void {
    this.#scrapeHooks.push(update);
  }

  /** All session agents there are; the series of others disappear. `states` are the values that `state` can have. */
  agents(agents: readonly AgentGauges[], states: readonly string[]): void {
    const names = new Set(agents.map(({ agent }) => agent));
    this.admission.agents(agents, states);
    this.admission.keepAgents(names);
    this.#calls.keepAgents(names);
  }

  /** All realms there are; the series of others disappear once they have no call. */
  realms(names: ReadonlySet<string>): void {
    this.#calls.keepRealms(names);
    this.#media.keepRealms(names);
  }

  legOpened(labels: LegLabels): void {
    this.#calls.legOpened(labels);
    if (labels.direction === 'inbound') this.totals.startedCalls += 1;
  }

  legClosed(labels: LegLabels): void {
    this.#calls.legClosed(labels);
  }

  /** An attempt that was refused before it had a leg: started and failed at once. */
  attemptRefused(labels: CallLabels): void {
    this.totals.startedCalls += 1;
    this.callEnded(labels);
  }

  callEnded(labels: CallLabels): void {
    this.#calls.ended(labels);
    const { direction, result } = labels;
    const isFailure = result === 'failed' || result === 'rejected';
    if (direction === 'inbound' && isFailure) this.totals.failedCalls += 1;
  }

  sipRequestAnswered(labels: SipRequestLabels, count = 1): void {
    this.#calls.requestAnswered(labels, count);
  }

  /** Requests, or stream connections, that got no answer. `reason` comes from a closed list of the SIP engine. */
  sipDropped(reason: string, count: number): void {
    this.#calls.dropped(reason, count);
  }

  /** INVITE received to first ringing or early media. */
  postDialDelay(delayMs: number, callId?: string): void {
    this.#calls.postDialDelay.observe(delayMs, callId);
  }

  /** Answer to end. */
  callDuration(durationMs: number, callId?: string): void {
    this.#calls.duration.observe(durationMs, callId);
  }

  rtpPackets(labels: LegLabels, count: number): void {
    this.#media.packets(labels, count);
    if (labels.direction === 'inbound') this.totals.rtpPackets += count;
  }

  rtpLost(count: number): void {
    this.#media.lost(count);
    this.totals.rtpLostPackets += count;
  }

  /** Of one leg that has received something since it was read last. */
  rtpJitter(jitterMs: number): void {
    this.#media.jitter(jitterMs);
  }

  /** Only one party of an answered call was heard. */
  rtpOneWay(durationMs: number): void {
    this.#media.oneWay(durationMs);
  }

  /** Of every realm there is; others disappear. */
  mediaPorts(pools: readonly PoolPorts[]): void {
    this.#media.ports(pools);
  }

  /** `io`: what moves packets in this process, `none` where they do not pass it. */
  mediaInfo(engine: string, io: string): void {
    this.#media.info(engine, io);
  }

  /** Directions of streams that the kernel forwards. */
  mediaKernelFlows(flows: number): void {
    this.#media.kernelFlows(flows);
  }

  /** Streams that could not be opened; a count of 0 makes the reason known. */
  mediaFailed(reason: string, count: number): void {
    this.#media.failed(reason, count);
  }

  mediaTimedOut(): void {
    this.#media.timedOut();
  }

  /** Packets that came from a source the leg does not accept. */
  mediaSourceViolations(count: number): void {
    this.#media.sourceViolations(count);
  }

  /** Hand this to the digit ledger. */
  digit(outcome: DigitOutcome): void {
    this.#digits.settled(outcome);
    if (outcome.type === 'delivered') this.totals.deliveredDigits += 1;
    else this.totals.droppedDigits += 1;
  }

  kpmlSubscriptions(role: KpmlRole, state: KpmlSubscriptionState, count: number): void {
    this.#digits.subscriptions(role, state, count);
  }

  /** Time from the answer of a call until the subscription that a leg needs was active. */
  kpmlGap(gapMs: number, callId?: string): void {
    this.#digits.gap.observe(gapMs, callId);
  }

  configLoaded(hash: string): void {
    this.#process.configLoaded(hash);
  }

  configReloaded(result: 'applied' | 'refused'): void {
    this.#process.configReloaded(result);
  }

  /** Hand this to `sampleLoopLag`. */
  eventLoopLag(lagSeconds: number): void {
    this.#process.eventLoopLag(lagSeconds);
  }

  workerRestarted(): void {
    this.#process.workerRestarted();
  }

  engineCrashed(): void {
    this.#process.engineCrashed();
  }

  buildInfo(info: BuildInfo): void {
    this.#process.buildInfo(info);
  }

  /** A broken invariant was caught. */
  bug(): void {
    this.#process.bug();
  }
}
