import type { Sdp } from '../../wire/sdp.ts';
import { type SdpMedia, isVoice } from '../../wire/sdp-media.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';

/** Descriptions with more sections are cut short. */
const MAX_SECTIONS = 4;

/**
 * A session description in one line, its sections apart by commas:
 * `audio 192.0.2.1:4000 PCMA telephone-event/101 sendrecv`, `video off`.
 */
export function summarizeSdp({ media }: Sdp): string {
  const shown = media.slice(0, MAX_SECTIONS).map((section) => summarizeMedia(section));
  const more = media.length > MAX_SECTIONS ? [`${media.length - MAX_SECTIONS} more`] : [];
  return [...shown, ...more].join(', ');
}

function summarizeMedia(media: SdpMedia): string {
  const { kind, port, connectionAddress = '', direction, codecs, telephoneEvents } = media;
  if (port === 0) return `${kind} off`;
  const isAudio = kind === 'audio';
  const codec = isAudio ? codecs.find((each) => isVoice(each)) : codecs[0];
  const events = telephoneEvents.map(({ payloadType }) => `telephone-event/${payloadType}`);
  return [
    kind,
    formatHostPort(connectionAddress, port),
    ...(codec === undefined ? [] : [codec.name]),
    ...events,
    direction,
  ].join(' ');
}
