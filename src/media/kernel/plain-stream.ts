/** Whether one direction of a relay leaves as it comes: pure. */

import type { OwnStream } from '../own-stream.ts';
import { PAYLOAD_AUDIO, type RelayLeg } from '../relay-leg.ts';
import type { SequenceOffset } from '../sequence-offset.ts';
import type { StreamClock } from '../stream-clock.ts';
import type { SteadyFlow } from './steady-flow.ts';

/** What a direction is doing now. */
export interface DirectionState {
  readonly clock: StreamClock;
  /** A digit of ours plays or waits. */
  readonly isBusy: boolean;
  /** A key of the sender is down. */
  readonly isPressed: boolean;
  /** Events of the sender go no further. */
  readonly absorbs: boolean;
}

/** A direction as far as it is asked here. */
export interface JudgedDirection {
  readonly numbers: SequenceOffset;
  readonly own: OwnStream;
  readonly state: DirectionState;
}

/** What tells the audio from `from` from other packets, while nothing of it is changed and nothing about to be put in. */
export function plainStream(
  { numbers, own, state }: JudgedDirection,
  from: RelayLeg,
): Pick<SteadyFlow, 'head' | 'ssrc'> | undefined {
  const { clock, isBusy } = state;
  const { head, ssrc } = clock;
  const payloadType = head & 0x7f;
  const isPlain =
    from.payloadKinds[payloadType] === PAYLOAD_AUDIO &&
    from.payloadTypeMap[payloadType] === payloadType &&
    numbers.ssrc === ssrc &&
    numbers.isTransparent &&
    !own.hasBegun &&
    !isBusy;
  return isPlain && ssrc !== undefined ? { head, ssrc } : undefined;
}
