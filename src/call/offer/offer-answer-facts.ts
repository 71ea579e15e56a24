import type { Sdp } from '../../wire/sdp.ts';
import { digitSection, needsStream } from './offer-answer-rewrite.ts';

/** What an offer asks of media. */
export interface OfferFacts {
  /** False for a request that leaves the offer to the other side. */
  readonly hasSdp: boolean;
  /** How many media streams must be open: m-line i uses stream i. */
  readonly streamCount: number;
  /** The m-line whose audio carries digits, if there is one. */
  readonly digitStream: number | undefined;
}

export function factsOf(sdp: Sdp | undefined, hasSdp: boolean): OfferFacts {
  if (sdp === undefined) return { hasSdp, streamCount: 0, digitStream: undefined };
  const streamCount = sdp.media.findLastIndex(needsStream) + 1;
  return { hasSdp, streamCount, digitStream: digitSection(sdp)?.index };
}
