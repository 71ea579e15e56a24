import type { LegMedia, StreamUpdate } from '../../media/media-engine.ts';
import type { Side } from '../../wire/side.ts';
import type { DtmfInterworking } from './dtmf-interworking.ts';

/** `update`, and what of a key held while its party came from another call was reported there already. */
export function withPressesBefore(
  { legs, events }: StreamUpdate,
  dtmf: Pick<DtmfInterworking, 'pressBefore'>,
): StreamUpdate {
  const withPress = (side: Side): LegMedia => {
    const press = dtmf.pressBefore(side);
    if (press === undefined) return legs[side];
    const { ssrc, rtpTimestamp, eventCode } = press;
    return { ...legs[side], pressBefore: { ssrc, rtpTimestamp, eventCode } };
  };
  return { legs: { caller: withPress('caller'), callee: withPress('callee') }, events };
}
