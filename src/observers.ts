/** Opens what tells of the SBC: metrics, ledger, ladder, call records, capture; and joins them to what they tell of. */
import { portViews } from './api/status-view.ts';
import { MEDIA_CAUSES } from './call/call-media.ts';
import type { CallRegistry } from './call/registry.ts';
import { openCallRecords } from './call-records.ts';
import type { Config } from './config/config.ts';
import { openHep } from './hep.ts';
import type { MediaSide } from './media-side.ts';
import type { CdrWriter } from './observe/cdr-writer.ts';
import { DigitLedger } from './observe/digit-ledger.ts';
import { LadderRecorder } from './observe/ladder.ts';
import type { Log } from './observe/log.ts';
import { sampleLoopLag } from './observe/loop-lag-sampler.ts';
import { Metrics } from './observe/metrics.ts';
import type { AgentRegistry } from './trunk/agent-registry.ts';

/** What is told of. */
export interface Observed {
  readonly media: MediaSide;
  readonly calls: CallRegistry;
  readonly agents: AgentRegistry;
}

export interface Observers {
  readonly metrics: Metrics;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly cdr: CdrWriter;
  /** Reads `observed` from now on, for what is read rather than counted. */
  watch(observed: Observed): void;
  /** Takes over a new configuration. */
  apply(config: Config): void;
}

/** Each part that must be closed again is pushed to `closers`. */
export function startObserving(
  config: Config,
  log: Log,
  version: string,
  closers: (() => Promise<void> | void)[],
): Observers {
  const showDigits = !config.dtmf.maskDigits;
  const metrics = new Metrics();
  metrics.buildInfo({ version, node: process.version });
  metrics.configLoaded(config.hash);
  const hep = openHep(config, metrics, log);
  closers.push(() => hep.close());
  const ledger = new DigitLedger({
    showDigits,
    onOutcome: (outcome, record) => {
      metrics.digit(outcome);
      hep.capture.digit(record);
    },
  });
  const ladder = new LadderRecorder({ showDigits, onRow: (...row) => hep.capture.row(...row) });
  const cdr = openCallRecords(config, metrics, log);
  closers.push(() => cdr.close());
  const lag = sampleLoopLag((lagSeconds) => metrics.eventLoopLag(lagSeconds));
  closers.push(() => lag.stop());
  let current = config;
  return {
    metrics,
    ledger,
    ladder,
    cdr,
    watch: (observed) => {
      hep.knowAddresses({
        endOf: (...leg) => ladder.endOf(...leg),
        addressOf: (agentName) => observed.agents.addressOf(agentName),
      });
      reportGauges(metrics, observed, () => current);
    },
    apply: (loaded) => {
      current = loaded;
      hep.apply(loaded);
    },
  };
}

/** Values that are read when the metrics are, rather than counted. */
function reportGauges(
  metrics: Metrics,
  { media: { engine, ioInUse, kernelFlows }, calls }: Observed,
  config: () => Config,
): void {
  let restarts = 0;
  for (const cause of MEDIA_CAUSES) metrics.mediaFailed(cause, 0);
  metrics.onScrape(() => {
    metrics.mediaPorts(portViews(config(), engine));
    metrics.mediaInfo(config().media.engine, ioInUse() ?? 'none');
    metrics.mediaKernelFlows(kernelFlows());
    metrics.rtpengine.nodes(engine.engineNodes ?? []);
    metrics.realms(new Set(config().realms.map(({ name }) => name)));
    for (; restarts < engine.workerRestarts; restarts += 1) metrics.workerRestarted();
    for (const { role, state, count } of calls.countSubscriptions()) {
      metrics.kpmlSubscriptions(role, state, count);
    }
  });
}
