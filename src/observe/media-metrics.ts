import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { LegLabels } from './metrics.ts';
import { NamedSeries } from './named-series.ts';

const MS_PER_SECOND = 1_000;
const JITTER_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25];

/** The pairs of media ports of one realm; a stream takes one of each leg's. */
export interface PoolPorts {
  /** Name of the realm. */
  readonly pool: string;
  readonly free: number;
  readonly total: number;
}

/** The metrics of media streams and their ports. */
export class MediaMetrics {
  readonly #metrics: ReturnType<typeof mediaMetrics>;
  readonly #ofRealms = new NamedSeries();

  constructor(registry: Registry) {
    this.#metrics = mediaMetrics(registry);
  }

  packets({ realm, direction }: LegLabels, count: number): void {
    const labels = { realm, direction };
    this.#metrics.packets.inc(labels, count);
    this.#ofRealms.note(realm, direction, () => this.#metrics.packets.remove(labels));
  }

  jitter(jitterMs: number): void {
    this.#metrics.jitter.observe(jitterMs / MS_PER_SECOND);
  }

  lost(count: number): void {
    this.#metrics.lost.inc(count);
  }

  oneWay(durationMs: number): void {
    this.#metrics.oneWay.inc(durationMs / MS_PER_SECOND);
  }

  ports(pools: readonly PoolPorts[]): void {
    this.#metrics.portsFree.reset();
    this.#metrics.portsTotal.reset();
    for (const { pool, free, total } of pools) {
      this.#metrics.portsFree.set({ pool }, free);
      this.#metrics.portsTotal.set({ pool }, total);
    }
  }

  /** What carries media now; what did before is gone. */
  info(engine: string, io: string): void {
    this.#metrics.info.reset();
    this.#metrics.info.set({ engine, io }, 1);
  }

  kernelFlows(flows: number): void {
    this.#metrics.kernelFlows.set(flows);
  }

  failed(reason: string, count: number): void {
    this.#metrics.failures.inc({ reason }, count);
  }

  timedOut(): void {
    this.#metrics.timeouts.inc();
  }

  sourceViolations(count: number): void {
    this.#metrics.sourceViolations.inc(count);
  }

  keepRealms(names: ReadonlySet<string>): void {
    this.#ofRealms.keep(names);
  }
}

function mediaMetrics(registry: Registry) {
  const registers = [registry];
  return {
    packets: new Counter({
      name: 'sbc_rtp_packets_total',
      help: 'RTP packets received (inbound) and sent (outbound).',
      labelNames: ['realm', 'direction'],
      registers,
    }),
    lost: new Counter({
      name: 'sbc_rtp_lost_packets_total',
      help: 'RTP packets of peers that never arrived, by sequence numbers.',
      registers,
    }),
    jitter: new Histogram({
      name: 'sbc_rtp_jitter_seconds',
      help: 'Interarrival jitter of the RTP of peers (RFC 3550), at each reading and at the end of a call.',
      buckets: JITTER_BUCKETS,
      registers,
    }),
    oneWay: new Counter({
      name: 'sbc_rtp_one_way_seconds_total',
      help: 'Time in which RTP came from one side only of an answered call that was not on hold.',
      registers,
    }),
    ...carrierMetrics(registers),
    failures: new Counter({
      name: 'sbc_media_failures_total',
      help: 'Media streams that could not be opened, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    timeouts: new Counter({
      name: 'sbc_media_timeouts_total',
      help: 'Calls whose media stayed silent too long.',
      registers,
    }),
    sourceViolations: new Counter({
      name: 'sbc_media_source_violations_total',
      help: 'RTP packets from a source the leg does not accept.',
      registers,
    }),
  };
}

/** What carries media, and the ports it has. */
function carrierMetrics(registers: Registry[]) {
  return {
    portsFree: new Gauge({
      name: 'sbc_media_ports_free',
      help: 'Pairs of media ports that a new stream may take.',
      labelNames: ['pool'],
      registers,
    }),
    portsTotal: new Gauge({
      name: 'sbc_media_ports',
      help: 'Pairs of media ports that there are.',
      labelNames: ['pool'],
      registers,
    }),
    kernelFlows: new Gauge({
      name: 'sbc_media_kernel_flows',
      help: 'Directions of media streams that the kernel forwards by itself.',
      registers,
    }),
    info: new Gauge({
      name: 'sbc_media_info',
      help: 'The media engine, and what moves packets in this process.',
      labelNames: ['engine', 'io'],
      registers,
    }),
  };
}
