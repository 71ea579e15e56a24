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
  /** Why sections that the sender had switched on were switched off. */
  readonly switchedOff: readonly string[];
}

export function factsOf(
  sdp: Sdp | undefined,
  hasSdp: boolean,
  switchedOff: readonly string[] = [],
): OfferFacts {
  if (sdp === undefined) return { hasSdp, streamCount: 0, digitStream: undefined, switchedOff };
  const streamCount = sdp.media.findLastIndex(needsStream) + 1;
  return { hasSdp, streamCount, digitStream: digitSection(sdp)?.index, switchedOff };
}
