/** One direction of a stream that leaves as it comes: what tells its packets from all others, and where they go. */

import type { PacketSource } from '../source-lock.ts';

export interface SteadyFlow {
  /** Who sends it: the locked source of the leg it arrives on. */
  readonly source: PacketSource;
  /** Who gets it. */
  readonly destination: PacketSource;
  /** The first two bytes of its RTP packets: version, padding, extension, sources; payload type, marker not set. */
  readonly head: number;
  readonly ssrc: number;
}

/** Which streams go by the kernel: all that are steady, or those whose digits nobody reads or changes. */
export type KernelReach = 'every' | 'untranslated';

/** Whether both are the same packets to the same place. */
export function isSameFlow(a: SteadyFlow, b: SteadyFlow): boolean {
  return (
    a.ssrc === b.ssrc &&
    a.head === b.head &&
    a.source.port === b.source.port &&
    a.source.address === b.source.address &&
    a.destination.port === b.destination.port &&
    a.destination.address === b.destination.address
  );
}
