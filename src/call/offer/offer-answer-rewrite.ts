/** One description on its way from one leg to the other: topology, ports, telephone-event. */

import { decideAnswer, decideOffer } from '../../dtmf/interworking-offer.ts';
import type { PlanInput } from '../../dtmf/interworking-legs.ts';
import {
  chooseEventFormats,
  disableMedia,
  DTMF_EVENTS,
  hasVoice,
  insertTelephoneEvents,
  removeTelephoneEvents,
  renumberFormats,
  setMediaAddress,
  voiceClockRates,
} from '../../wire/sdp-edit.ts';
import type { EventFormat } from '../../wire/sdp-edit.ts';
import { agreedTransportOf, transportOf } from '../../wire/sdp-protocol.ts';
import { isUnspecified } from '../../wire/sdp-address.ts';
import { allowedInAnswer, setDirection } from '../../wire/sdp-direction.ts';
import type { SdpMedia } from '../../wire/sdp-media.ts';
import { hideTopology } from '../../wire/sdp-topology.ts';
import { buildSdp } from '../../wire/sdp.ts';
import type { Sdp } from '../../wire/sdp.ts';
import { otherSide } from '../../wire/side.ts';
import type { Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { FormatMemory } from './sdp-memory.ts';

/** An address and port pair of ours, as written in SDP. */
export interface LocalPorts {
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** Our ports on the leg that gets the description, by m-line. */
export type LocalByMedia = readonly (LocalPorts | undefined)[];

/** More m-lines than this are offered with port 0: one offer must not empty the port pool. */
export const MAX_STREAMS = 4;

/** Written where we have no address to show, because nothing is relayed. */
const NO_ADDRESS = '0.0.0.0';

/** Whether a section gets media ports: switched on, over UDP, among the first few. */
export function needsStream(media: SdpMedia): boolean {
  if (media.port === 0 || media.index >= MAX_STREAMS) return false;
  return transportOf(media) !== 'other';
}

/** The address of our o= line. */
export function originAddress(local: LocalByMedia): string {
  return local.find((ports) => ports !== undefined)?.address ?? NO_ADDRESS;
}

/** The section that decides about digits: the first one with voice (RFC 3264 allows several). */
export function digitSection(sdp: Sdp): SdpMedia | undefined {
  return sdp.media.find((media) => hasVoice(media) && needsStream(media));
}

/** Whether the section announces nothing but SRTP. */
export function isSrtp(media: SdpMedia | undefined): boolean {
  return media !== undefined && transportOf(media) === 'srtp';
}

/** The same of an answer, whose keys beside RTP/AVP are in use. */
export function isSrtpAnswer(media: SdpMedia | undefined): boolean {
  return media !== undefined && agreedTransportOf(media) === 'srtp';
}

/** Whether the section lists telephone-event. */
export function hasEvents(media: SdpMedia | undefined): boolean {
  return media !== undefined && media.telephoneEvents.length > 0;
}

/** The leg that gets a description. */
export interface RewriteContext {
  readonly input: PlanInput;
  readonly to: Side;
  readonly memory: FormatMemory;
}

/** An offer as the other leg gets it: our addresses, telephone-event where it is preferred. */
export function rewriteOffer(offer: Sdp, local: LocalByMedia, context: RewriteContext): Sdp {
  const { input, to, memory } = context;
  let rewritten = anchor(offer, local);
  for (const media of rewritten.media) {
    // Nobody but the ends can put digits into SRTP.
    if (!hasVoice(media) || isSrtp(media)) continue;
    const { insertTelephoneEvent, payloadType } = decideOffer(input, {
      offerSide: otherSide(to),
      offerHasTelephoneEvent: hasEvents(media),
      allowEventsKpml: false,
    });
    if (insertTelephoneEvent) {
      rewritten = insertIntoOffer(rewritten, media.index, memory, payloadType);
    }
  }
  return rewritten;
}

/** An answer as the offerer gets it; `received` is its offer, `forwarded` what became of that. */
export function rewriteAnswer(
  answer: Sdp,
  { received, forwarded }: { readonly received: Sdp; readonly forwarded: Sdp },
  local: LocalByMedia,
  { input, to }: RewriteContext,
): Sdp {
  const accepted = local.map((ports, index) =>
    forwarded.media[index]?.port === 0 ? undefined : ports,
  );
  let rewritten = anchor(answer, accepted);
  for (const offered of received.media) {
    const { keepTelephoneEvent } = decideAnswer(input, {
      offerSide: to,
      offerHasTelephoneEvent: hasEvents(offered),
      offerAllowEventsKpml: false,
      answerHasTelephoneEvent: hasEvents(answer.media[offered.index]),
      allowEventsKpml: false,
    });
    rewritten = fitAnswerSection(rewritten, offered, keepTelephoneEvent);
    rewritten = fitDirection(rewritten, offered);
  }
  return rewritten;
}

/** A holder that is answered `sendrecv` may hang up: what the answer may not say is left out (RFC 3264 §6.1). */
function fitDirection(answer: Sdp, offered: SdpMedia): Sdp {
  const answered = answer.media[offered.index];
  if (answered === undefined || answered.port === 0) return answer;
  const direction = allowedInAnswer(offered.direction, answered.direction);
  return direction === answered.direction ? answer : setDirection(answer, offered.index, direction);
}

/** Codecs of an offer made for a caller that sent none: PCMU and PCMA. */
const INSERTED_FORMATS = '0 8';

/** The offer for a side that left it to the other one, where nothing was agreed before. */
export function newOffer(): Sdp {
  const session = ['v=0', 's=-', 't=0 0'];
  return buildSdp(session, [[`m=audio 9 RTP/AVP ${INSERTED_FORMATS}`]]);
}

/** Our addresses instead of the sender's; sections without ports of ours are switched off. */
function anchor(sdp: Sdp, local: LocalByMedia): Sdp {
  const address = originAddress(local);
  const origin = { username: '-', sessionId: '0', version: '0', address };
  let anchored = hideTopology(sdp, origin);
  for (const media of sdp.media) {
    const ports = needsStream(media) ? local[media.index] : undefined;
    anchored =
      ports === undefined
        ? disableMedia(anchored, media.index)
        : setMediaAddress(anchored, media.index, { ...ports, address: shownAddress(media, ports) });
  }
  return anchored;
}

/** Inserts telephone-event into one section of an offer, numbered for the leg that gets it. */
function insertIntoOffer(sdp: Sdp, index: number, memory: FormatMemory, configured: number): Sdp {
  const media = sdp.media[index];
  if (media === undefined) return sdp;
  const formats = chooseEventFormats(media, {
    configured,
    avoid: memory.others(index),
    earlier: memory.earlierEvents(index),
  });
  return insertTelephoneEvents(sdp, index, formats);
}

/** An old-style hold stays one: the other side must see the "nowhere" too. */
function shownAddress(media: SdpMedia, ports: LocalPorts): string {
  const isHeld = media.connectionAddress !== undefined && isUnspecified(media.connectionAddress);
  if (!isHeld) return ports.address;
  return ports.address.includes(':') ? '::' : NO_ADDRESS;
}

/**
 * Makes the telephone-event of one section of an answer what its offerer expects: gone when it
 * was not offered, under the offerer's number when it was, and there although refused with `keep`.
 */
function fitAnswerSection(sdp: Sdp, offered: SdpMedia, keep: boolean): Sdp {
  const { index } = offered;
  const media = sdp.media[index];
  if (media === undefined || !hasVoice(media)) return sdp;
  if (offered.telephoneEvents.length === 0) return removeTelephoneEvents(sdp, index);
  // What the ends call a format inside SRTP stays; events in it cannot be ended by us.
  if (isSrtpAnswer(media)) return sdp;
  if (media.telephoneEvents.length > 0) {
    return renumberFormats(sdp, index, offeredNumbers(media, offered));
  }
  return keep ? insertTelephoneEvents(sdp, index, keptFormats(media, offered)) : sdp;
}

/**
 * Holds the answer to the offer's m-lines (RFC 3264 §6): missing ones count as refused.
 *
 * @throws WireError when there are more of them or of another kind.
 */
export function alignAnswer(answer: Sdp, offer: Sdp): Sdp {
  if (answer.media.length > offer.media.length) {
    throw new WireError(
      `expected ${offer.media.length} m= lines as offered, got ${answer.media.length}`,
    );
  }
  for (const { index, kind } of answer.media) {
    const offered = offer.media[index]?.kind;
    if (offered !== kind) {
      throw new WireError(`expected m=${offered} at place ${index + 1} as offered, got m=${kind}`);
    }
  }
  const missing = offer.media.slice(answer.media.length);
  if (missing.length === 0) return answer;
  return buildSdp(answer.session, [
    ...answer.media.map((media) => media.lines),
    ...missing.map((media) => [`m=${[media.kind, 0, media.protocol, ...media.formats].join(' ')}`]),
  ]);
}

function offeredNumbers(media: SdpMedia, offered: SdpMedia): ReadonlyMap<number, number> {
  const numbers = new Map<number, number>();
  for (const { payloadType, clockRate } of media.telephoneEvents) {
    const wanted = offered.telephoneEvents.find((event) => event.clockRate === clockRate);
    if (wanted !== undefined && wanted.payloadType !== payloadType) {
      numbers.set(payloadType, wanted.payloadType);
    }
  }
  return numbers;
}

/** The offerer's own formats for the clocks of the accepted codecs; we end those events ourselves. */
function keptFormats(media: SdpMedia, offered: SdpMedia): readonly EventFormat[] {
  const rates = voiceClockRates(media);
  const matching = offered.telephoneEvents.filter((event) => rates.includes(event.clockRate));
  const chosen = matching.length > 0 ? matching : offered.telephoneEvents.slice(0, 1);
  return chosen
    .filter((event) => !media.formats.includes(String(event.payloadType)))
    .map(({ payloadType, clockRate, events }) => ({
      payloadType,
      clockRate,
      events: events ?? DTMF_EVENTS,
    }));
}
