/** Answers that come when the other party has had its own already. */
import { isTelephoneEvent, type MediaDirection, type SdpMedia } from '../../wire/sdp-media.ts';
import { parseSdp } from '../../wire/sdp.ts';

const ANSWERS: Readonly<Record<MediaDirection, MediaDirection>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/**
 * Whether the answer of a party says less than was taken for granted when the offer to it was made: the other party has
 * to hear of it. Telephone-event does not count, it can be translated.
 *
 * @throws WireError when `answered` is no SDP
 */
export function isShortOf(offered: string, answered: string): boolean {
  const answers = parseSdp(answered).media;
  return parseSdp(offered).media.some((offer, index) => {
    const answer = answers[index];
    if (offer.port === 0) return false;
    if (answer === undefined || answer.port === 0) return true;
    const formats = new Set(answer.formats);
    const isComplete = voiceFormats(offer).every((format) => formats.has(format));
    return !isComplete || answer.direction !== ANSWERS[offer.direction];
  });
}

function voiceFormats(media: SdpMedia): readonly string[] {
  const events = media.codecs.filter(isTelephoneEvent).map(({ payloadType }) => `${payloadType}`);
  return media.formats.filter((format) => !events.includes(format));
}
