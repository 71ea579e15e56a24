/** How long only one peer of a stream has sent. Pure. */
import type { Side } from '../wire/side.ts';

/** RTP packets received from each side so far. */
export type ReceivedPackets = Readonly<Record<Side, number>>;

export interface OneWay {
  /** The side that has sent. */
  readonly from: Side;
  readonly durationMs: number;
}

/**
 * Looks at a stream now and then; each look judges the time since the one before.
 *
 *   both sent, or none   nothing            a side on hold at either look   nothing
 *   one sent             that time
 */
export class OneWayWatch {
  #last: { readonly atMs: number; readonly received: ReceivedPackets } | undefined;

  /** @param isTalking whether both peers may send: nobody is on hold, and both have a place for media */
  look(received: ReceivedPackets, isTalking: boolean, nowMs: number): OneWay | undefined {
    const last = this.#last;
    this.#last = isTalking ? { atMs: nowMs, received } : undefined;
    if (!isTalking || last === undefined) return undefined;
    const hasCaller = received.caller !== last.received.caller;
    const hasCallee = received.callee !== last.received.callee;
    if (hasCaller === hasCallee) return undefined;
    return { from: hasCaller ? 'caller' : 'callee', durationMs: nowMs - last.atMs };
  }
}
