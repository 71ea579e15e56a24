/** Joins capture by Homer to the configuration, the ladder, the metrics and the log. */
import type { Config } from './config/config.ts';
import { HepCapture } from './observe/hep-capture.ts';
import { HepSender } from './observe/hep-sender.ts';
import type { LadderEnd, LadderLeg } from './observe/ladder.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

/** What knows addresses; it comes to be later than the capture. */
export interface KnownAddresses {
  readonly endOf: (callId: string, leg: LadderLeg) => LadderEnd | undefined;
  readonly addressOf: (agentName: string) => string | undefined;
}

export interface Hep {
  /** Hand this to ladder and ledger. */
  readonly capture: HepCapture;
  /** Before this, packets say nothing of addresses. */
  knowAddresses(known: KnownAddresses): void;
  /** Takes over a new configuration. */
  apply(config: Config): void;
  close(): void;
}

export function openHep({ hep: config }: Config, metrics: Metrics, log: Log): Hep {
  let known: KnownAddresses | undefined;
  const sender = new HepSender({
    onResult: (content, result) => metrics.hep.sent(content, result),
    onTrouble: (server, reason) => log.warn({ ...server, reason }, 'capture server not reached'),
  });
  const capture = new HepCapture({
    sender,
    settings: config,
    endOf: (callId, leg) => known?.endOf(callId, leg),
    addressOf: (agentName) => known?.addressOf(agentName),
  });
  sender.apply(config.server);
  return {
    capture,
    knowAddresses: (addresses) => {
      known = addresses;
    },
    apply: ({ hep }) => {
      capture.apply(hep);
      sender.apply(hep.server);
    },
    close: () => sender.close(),
  };
}
