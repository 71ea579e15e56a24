import { Counter, Gauge, type Registry } from 'prom-client';

/** The metrics of media streams and their ports. */
export function mediaMetrics(registry: Registry) {
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
    oneWay: new Counter({
      name: 'sbc_rtp_one_way_seconds_total',
      help: 'Time in which RTP came from one side only of an answered call that was not on hold.',
      registers,
    }),
    portsFree: new Gauge({
      name: 'sbc_media_ports_free',
      help: 'Media ports that a new stream may take.',
      labelNames: ['pool'],
      registers,
    }),
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
