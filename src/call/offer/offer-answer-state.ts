/** What an unfinished offer/answer exchange consists of. */

import { PackedSdp, type Sdp } from '../../wire/sdp.ts';
import { otherSide, type Side } from '../../wire/side.ts';
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

/** Both descriptions of one leg for the life of a call: they are wanted seldom, and read anew then. */
export class AgreedDescriptions implements LegDescriptions {
  readonly #own: PackedSdp;
  readonly #ours: PackedSdp;

  constructor({ own, ours }: LegDescriptions) {
    this.#own = new PackedSdp(own);
    this.#ours = new PackedSdp(ours);
  }

  get own(): Sdp {
    return this.#own.read();
  }

  get ours(): Sdp {
    return this.#ours.read();
  }

  /** What was written last on the leg, by the peer and by us. */
  get texts(): { readonly own: string; readonly ours: string } {
    return { own: this.#own.text, ours: this.#ours.text };
  }
}

/** The outcome of the last completed exchange. */
export interface Agreed {
  readonly legs: Readonly<Record<Side, AgreedDescriptions>>;
  readonly answerSide: Side;
  /** The section whose audio carries digits. */
  readonly digitStream: number | undefined;
  /** What is to be known of the offer that led to it, beside the descriptions. */
  readonly offer: Pick<Offered, 'from' | 'hasKpml' | 'isInResponse' | 'isDelayed'>;
  /** The offering side had been given its description before. */
  readonly wasInserted: boolean;
}

/** The answer to `offer` has led to `legs`. */
export function agreedOn(
  { from, hasKpml, isInResponse, isDelayed, inserted }: Offered,
  { caller, callee }: Readonly<Record<Side, LegDescriptions>>,
  digitStream: number | undefined,
): Agreed {
  return {
    legs: { caller: new AgreedDescriptions(caller), callee: new AgreedDescriptions(callee) },
    answerSide: otherSide(from),
    digitStream,
    offer: { from, hasKpml, isInResponse, isDelayed },
    wasInserted: inserted !== undefined,
  };
}

/** The offer agreed on last, open once more. */
export function reopened({ offer, legs, wasInserted }: Agreed): Offered {
  const { own, ours } = legs[offer.from];
  const inserted = wasInserted ? ours : undefined;
  const forwarded = legs[otherSide(offer.from)].ours;
  const open = { forwarded, answer: undefined, preview: undefined };
  return { type: 'offered', ...offer, sdp: own, inserted, ...open };
}
