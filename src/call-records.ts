/** Joins the writer of call records with configuration, metrics and log. */
import type { Config } from './config/config.ts';
import { CdrWriter } from './observe/cdr-writer.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

export function openCallRecords({ cdr: config }: Config, metrics: Metrics, log: Log): CdrWriter {
  const writer = new CdrWriter({
    ...config,
    onWritten: (records) => metrics.cdr.written(records),
    onFailure: ({ part, error, lostRecords }) => {
      metrics.cdr.failed(part, lostRecords);
      log.error({ err: error, part, lostRecords }, 'CDR not written');
    },
  });
  metrics.onScrape(() => metrics.cdr.waiting(writer.waitingRecords));
  return writer;
}

/**
 * Closes the calls of a killed process. Only once the ports are ours: an SBC started beside a running one by mistake
 * must not close the calls of that one.
 */
export async function recoverCallRecords(
  writer: CdrWriter,
  metrics: Metrics,
  log: Log,
): Promise<void> {
  const { closedCalls, badLines, tail, keptAside } = await writer.start();
  metrics.cdr.recovered(closedCalls);
  if (closedCalls > 0 || badLines > 0) {
    log.warn({ closedCalls, badLines }, 'calls of a killed process closed');
  }
  if (tail !== 'whole') log.warn({ tail }, 'half-written CDR put right');
  if (keptAside !== undefined) log.error(keptAside, 'CDR journal not understood, kept aside');
}
