/** What of a running direction a new offer/answer leaves as it is. */

import type { LegMedia } from './media-engine.ts';
import { eventFormatsOf } from './relay-leg.ts';

/** Whether a digit that is playing can go on under the new media. */
export function isSameEventStream(before: LegMedia | undefined, after: LegMedia): boolean {
  if (before === undefined) return true;
  return (
    after.maySend &&
    before.remote?.address === after.remote?.address &&
    before.remote?.rtpPort === after.remote?.rtpPort &&
    sentFormats(before) === sentFormats(after)
  );
}

function sentFormats(media: LegMedia): string {
  return eventFormatsOf(media)
    .map(({ sendPayloadType, clockRate }) => `${sendPayloadType}/${clockRate}`)
    .join(' ');
}

/** Whether the detector of the media before serves the media after. */
export function canDetectAlike(before: LegMedia | undefined, after: LegMedia): boolean {
  return (
    after.event !== undefined &&
    before?.event?.clockRate === after.event.clockRate &&
    before.repairMovedEnd === after.repairMovedEnd &&
    before.mergeWindowMs === after.mergeWindowMs
  );
}
