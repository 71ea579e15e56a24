/** Opens our own relay, moving packets as the configuration asks and this machine allows. */
import type { Config, MediaConfig } from './config/config.ts';
import { ffiProblem } from './media-io-probes.ts';
import { warnOfPorts } from './media-ports.ts';
import {
  chooseIo,
  type IoChoice,
  ioName,
  kernelAddressProblem,
  kernelTimeoutProblem,
} from './media/io-choice.ts';
import { KernelPath, type KernelTrouble } from './media/kernel/kernel-path.ts';
import { RelayPool } from './media/relay-pool.ts';
import type { Log } from './observe/log.ts';

export interface OpenedRelay {
  readonly engine: RelayPool;
  /** As `ioName` has it. */
  readonly ioInUse: () => string;
  /** Directions of streams that the kernel forwards now. */
  readonly kernelFlows: () => number;
  readonly close: () => Promise<void>;
}

const FALLEN_BACK = 'media.io is not what was asked for';

export async function openRelay(config: Config, log: Log): Promise<OpenedRelay> {
  const { media, realms } = config;
  await warnOfPorts(realms, log);
  let kernel: KernelPath | undefined;
  const choice = await chooseIo(media.io, {
    ffiProblem,
    kernelProblem: async () => {
      const opened = await openKernel(config, log);
      if (typeof opened === 'string') return opened;
      kernel = opened;
      return undefined;
    },
  });
  tell(media.io, choice, log);
  let { sockets } = choice;
  const ioInUse = (): string => ioName({ sockets, kernel: kernel?.isUp === true });
  const engine = new RelayPool({
    workers: media.workers,
    io: sockets,
    kernel,
    inactivityTimeoutMs: media.inactivityTimeoutMs,
    holdTimeoutMs: media.holdTimeoutMs,
    quarantineMs: media.portQuarantineMs,
    onWorkerLost: (error, streams) => log.error({ err: error, streams }, 'relay worker lost'),
    onIoFallback: (reason) => {
      sockets = 'dgram';
      log.warn({ configured: media.io, inUse: ioInUse(), reason }, FALLEN_BACK);
    },
  });
  return {
    engine,
    ioInUse,
    kernelFlows: () => kernel?.carried ?? 0,
    close: async () => {
      await engine.close();
      await kernel?.close();
    },
  };
}

/** What it cannot, in words. */
async function openKernel(config: Config, log: Log): Promise<KernelPath | string> {
  const addresses = config.realms.map(({ media }) => media.address);
  const { inactivityTimeoutMs } = config.media;
  const problem = kernelAddressProblem(addresses) ?? kernelTimeoutProblem(inactivityTimeoutMs);
  if (problem !== undefined) return problem;
  const opened = await KernelPath.open({
    addresses,
    reach: config.media.io === 'kernel' ? 'every' : 'untranslated',
    onTrouble: (trouble) => tellTrouble(trouble, log),
  });
  return opened.type === 'unavailable' ? opened.reason : opened;
}

function tellTrouble(trouble: KernelTrouble, log: Log): void {
  if (trouble.type === 'up') {
    log.info('kernel path of media is back');
    return;
  }
  const { reason, flows } = trouble;
  log.warn({ reason, flows }, 'kernel path of media lost, the relay threads go on');
}

/** One line: what is in use, and why it is not what was asked for. */
function tell(configured: MediaConfig['io'], choice: IoChoice, log: Log): void {
  const { shortfalls } = choice;
  const facts = { configured, inUse: ioName(choice) };
  if (shortfalls.length === 0) log.info(facts, 'media relay');
  else if (configured === 'auto') log.info({ ...facts, without: shortfalls }, 'media relay');
  else log.warn({ ...facts, reason: shortfalls.join('; ') }, FALLEN_BACK);
}
