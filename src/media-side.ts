/** Builds the media side: the engine that the configuration names. */
import type { Config } from './config/config.ts';
import type { MediaEngine } from './media/media-engine.ts';
import { openRelay } from './media-relay.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

export interface MediaSideParts {
  /** Gets what must be closed again, last opened last. */
  readonly closers: (() => Promise<void> | void)[];
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface MediaSide {
  readonly engine: MediaEngine;
  /** What moves packets now, as `ioName` has it; `undefined`: they do not pass this process. */
  readonly ioInUse: () => string | undefined;
  /** Directions of streams that the kernel forwards now. */
  readonly kernelFlows: () => number;
}

export async function startMediaSide(config: Config, parts: MediaSideParts): Promise<MediaSide> {
  return config.media.engine === 'rtpengine'
    ? await startRtpengine(config, parts)
    : await startRelay(config, parts);
}

async function startRtpengine({ media }: Config, parts: MediaSideParts): Promise<MediaSide> {
  // Its client is a burden on memory that our own relay need not bear.
  const { openRtpengine } = await import('./media-rtpengine.ts');
  const engine = await openRtpengine(media, parts);
  parts.closers.push(() => engine.close());
  return { engine, ioInUse: () => undefined, kernelFlows: () => 0 };
}

async function startRelay(config: Config, { log, closers }: MediaSideParts): Promise<MediaSide> {
  const { close, ...relay } = await openRelay(config, log);
  closers.push(close);
  return relay;
}
