/** A direction of a relay and its lane (fast-lanes.ts): pure. */

import { addSequence16 } from '../wire/sequence.ts';
import type { JudgedDirection } from './kernel/plain-stream.ts';
import type { LaneCount, LaneStart } from './lane-state.ts';
import { PAYLOAD_AUDIO, type RelayLeg } from './relay-leg.ts';

/** A direction as far as it is asked here, with the legs that it leads from and to. */
export interface LedDirection {
  readonly direction: JudgedDirection & { readonly nextAtMs: number | undefined };
  readonly from: RelayLeg;
  readonly to: RelayLeg;
}

/** How the direction goes on, while nothing is about to be put in or taken out. */
export function laneStartOf({ direction, from, to }: LedDirection): LaneStart | undefined {
  const { numbers, own, state, nextAtMs } = direction;
  const { next } = state.clock;
  const isQuiet = !own.hasBegun && !state.isBusy && !state.isPressed && nextAtMs === undefined;
  if (next === undefined || !isQuiet || !to.canSend || from.isOpaque || to.isOpaque) {
    return undefined;
  }
  const { ssrc, head, ticks } = next;
  const received = head & 0x7f;
  const last = addSequence16(next.sequenceNumber, -1);
  const numberOffset = numbers.offsetBehind(ssrc, last);
  const transit = from.reception.transitBehind(ssrc, last);
  const payloadType = from.payloadTypeMap[received];
  const isAudio = from.payloadKinds[received] === PAYLOAD_AUDIO;
  if (numberOffset === undefined || transit === undefined) return undefined;
  if (payloadType === undefined || !isAudio) return undefined;
  const { sequenceNumber: nextSequenceNumber, timestamp: nextTimestamp } = next;
  const numbersOfLane = { nextSequenceNumber, nextTimestamp, ticks, numberOffset };
  return { ssrc, head, payloadType, ...numbersOfLane, transit };
}

/** Counts what went on as `laneStartOf` said. */
export function countLane({ direction, from, to }: LedDirection, count: LaneCount): void {
  const { packets, bytes, sequenceNumber, atMs } = count;
  from.counters.receivedPackets += packets;
  from.counters.receivedBytes += bytes;
  to.counters.sentPackets += packets;
  to.counters.sentBytes += bytes;
  from.lastReceivedAtMs = atMs;
  from.reception.countLane(count);
  direction.state.clock.jump(count);
  direction.numbers.jump(sequenceNumber);
}
