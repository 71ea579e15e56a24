/** What an unfinished offer/answer exchange consists of. */

import type { Sdp } from '../../wire/sdp.ts';
import type { Side } from '../../wire/side.ts';
import type { LegDescriptions } from './offer-answer-streams.ts';

/** A request that leaves the offer to the other side. */
export interface Requested {
  readonly type: 'requested';
  readonly from: Side;
  readonly hasKpml: boolean;
  /** SDP insertion: the offer we make in its place, still with the addresses it was made from. */
  readonly insertion: Sdp | undefined;
  /** The inserted offer as sent. */
  inserted: Sdp | undefined;
}

/** A message of the answering side. */
export interface Answer {
  readonly sdp: Sdp | undefined;
  readonly hasKpml: boolean;
}

export interface Offered {
  readonly type: 'offered';
  readonly from: Side;
  readonly sdp: Sdp;
  readonly hasKpml: boolean;
  /** The offer answers a request without SDP. */
  readonly isInResponse: boolean;
  /** The call began with a request without SDP. */
  readonly isDelayed: boolean;
  /** The offering side has already been given this description: it answered an inserted offer. */
  readonly inserted: Sdp | undefined;
  /** As sent to the other leg. */
  forwarded: Sdp | undefined;
  /** The last message of the answering side. */
  answer: Answer | undefined;
  /** The last answer in a message that was not final. */
  preview: Sdp | undefined;
}

/** The offer of `from` in force, made once more: `from` has had its answer, the reader has seen `forwarded`. */
export function repeatedOffer(
  of: Pick<Offered, 'from' | 'sdp' | 'inserted'>,
  forwarded: Sdp,
): Offered {
  const rest = { hasKpml: false, isInResponse: false, isDelayed: false };
  return { type: 'offered', ...of, ...rest, forwarded, answer: undefined, preview: undefined };
}

export type Negotiation = { readonly type: 'idle' } | Requested | Offered;

/** The outcome of the last completed exchange. */
export interface Agreed {
  readonly legs: Readonly<Record<Side, LegDescriptions>>;
  readonly answerSide: Side;
  /** The section whose audio carries digits. */
  readonly digitStream: number | undefined;
}
