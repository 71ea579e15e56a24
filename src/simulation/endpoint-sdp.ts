/** The session descriptions of a simulated end: its offers, its answers, and what both come to. */
import type { PacketSource } from '../media/source-lock.ts';
import { addressFamily, isUnspecified } from '../wire/sdp-address.ts';
import { setDirection } from '../wire/sdp-direction.ts';
import { isVoice, type MediaDirection, type SdpMedia } from '../wire/sdp-media.ts';
import { setOrigin } from '../wire/sdp-topology.ts';
import { formatSdp, parseSdp, readOrigin, type Sdp } from '../wire/sdp.ts';
import type { SdpCodec, SdpSource } from './scenario.ts';

/** What an end without SDP of its own answers with. */
export const G711: readonly SdpCodec[] = [
  { payloadType: 0, name: 'PCMU', clockRate: 8000 },
  { payloadType: 8, name: 'PCMA', clockRate: 8000 },
];

/** What one end may send to the other. */
export interface MediaAgreement {
  /** `undefined`: nothing may be sent. */
  readonly remote: PacketSource | undefined;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Of telephone-event; `undefined`: not agreed. */
  readonly sentEvents: number | undefined;
  readonly receivedEvents: readonly number[];
}

const ANSWERED: Readonly<Record<MediaDirection, MediaDirection>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

export class EndpointSdp {
  readonly #source: SdpSource;
  readonly #place: PacketSource;
  /** What was sent last; `undefined` before the first. */
  #own: Sdp | undefined;

  /** @param place where RTP is awaited. */
  constructor(source: SdpSource, place: PacketSource) {
    this.#source = source;
    this.#place = place;
  }

  /** Where RTP is awaited: the address of a description that was given as text is its own. */
  get place(): PacketSource {
    const audio = this.#source.type === 'text' ? audioOf(parseSdp(this.#source.text)) : undefined;
    const address = audio?.connectionAddress;
    return audio === undefined || address === undefined
      ? this.#place
      : { address, port: audio.port };
  }

  /** A new offer; without `source` what was sent before, in another direction. What was given as text is sent as it is. */
  offer(direction: MediaDirection = 'sendrecv', source?: SdpSource): string {
    if (source === undefined && this.#own !== undefined) {
      return this.#send(turned(this.#own, direction));
    }
    const used = source ?? this.#source;
    const written = this.#written(used);
    return used.type === 'text' ? this.#sendAsIs(written) : this.#send(turned(written, direction));
  }

  /** Whether there is a codec in common. */
  canAnswer(offerText: string): boolean {
    const audio = audioOf(parseSdp(offerText));
    return audio !== undefined && this.#agreed(audio).length > 0;
  }

  answer(offerText: string): string {
    const offer = parseSdp(offerText);
    if (this.#source.type === 'text') return this.#answerAsWritten(offer);
    const { eventPayloadType } = this.#preset();
    const firstAudio = audioOf(offer);
    const sections = offer.media.map((media) => {
      if (media !== firstAudio) return [`m=${media.kind} 0 ${media.protocol} ${media.formats[0]}`];
      const agreed = this.#agreed(media);
      const event = eventPayloadType === undefined ? undefined : media.telephoneEvents[0];
      return agreed.length === 0
        ? [`m=audio 0 ${media.protocol} ${media.formats[0]}`]
        : [
            ...this.#audioLines(agreed, event?.payloadType, media.protocol),
            `a=${ANSWERED[media.direction]}`,
          ];
    });
    const lines = [...this.#sessionLines(), ...sections.flat()];
    return this.#send(parseSdp(lines.join('\r\n')));
  }

  /** What an exchange came to, seen from this end; `undefined` without an own description. */
  agreement(remoteText: string): MediaAgreement | undefined {
    const own = this.#own === undefined ? undefined : audioOf(this.#own);
    const remote = audioOf(parseSdp(remoteText));
    if (own === undefined || remote === undefined) return undefined;
    const maySend = isSending(own.direction) && isReceiving(remote.direction);
    const address = remote.connectionAddress ?? '';
    const isHere = remote.port > 0 && own.port > 0 && !isUnspecified(address) && maySend;
    const codec = remote.codecs.find((each) => isVoice(each) && own.codecs.some(sameAs(each)));
    const [sent] = remote.telephoneEvents;
    const received = own.telephoneEvents.map(({ payloadType }) => payloadType);
    return {
      remote: isHere && codec !== undefined ? { address, port: remote.port } : undefined,
      payloadType: codec?.payloadType ?? 0,
      clockRate: codec?.clockRate ?? 8000,
      sentEvents: received.length === 0 ? undefined : sent?.payloadType,
      receivedEvents: received,
    };
  }

  /** The offered codecs that are known here. */
  #agreed(offered: SdpMedia): readonly NamedCodec[] {
    const own =
      this.#source.type === 'text'
        ? (audioOf(parseSdp(this.#source.text))?.codecs ?? [])
        : this.#preset().codecs;
    return offered.codecs.filter((codec) => isVoice(codec) && own.some(sameAs(codec)));
  }

  /** The text as it is; turned only where it would send to one that has stopped listening, or listens to one that sends nothing. */
  #answerAsWritten(offer: Sdp): string {
    const written = this.#written(this.#source);
    if (this.#own === undefined) return this.#sendAsIs(written);
    const offered = audioOf(offer)?.direction ?? 'sendrecv';
    const isOpen = audioOf(written)?.direction === 'sendrecv';
    return this.#send(isOpen ? turned(this.#own, ANSWERED[offered]) : this.#own);
  }

  #written(source: SdpSource): Sdp {
    if (source.type === 'text') return parseSdp(source.text);
    const { codecs, eventPayloadType } = source.type === 'none' ? this.#preset() : source;
    const audio = this.#audioLines(codecs, eventPayloadType, 'RTP/AVP');
    return parseSdp([...this.#sessionLines(), ...audio, 'a=sendrecv'].join('\r\n'));
  }

  #preset(): Pick<Extract<SdpSource, { type: 'preset' }>, 'codecs' | 'eventPayloadType'> {
    return this.#source.type === 'preset'
      ? this.#source
      : { codecs: G711, eventPayloadType: undefined };
  }

  #sessionLines(): string[] {
    const { address } = this.#place;
    const at = `IN ${addressFamily(address) ?? 'IP4'} ${address}`;
    return ['v=0', `o=end 1 1 ${at}`, 's=-', `c=${at}`, 't=0 0'];
  }

  #audioLines(codecs: readonly SdpCodec[], event: number | undefined, protocol: string): string[] {
    const events = event === undefined ? [] : [event];
    const formats = [...codecs.map(({ payloadType }) => payloadType), ...events];
    return [
      `m=audio ${this.#place.port} ${protocol} ${formats.join(' ')}`,
      ...codecs.map((each) => `a=rtpmap:${each.payloadType} ${each.name}/${each.clockRate}`),
      ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-15`]),
    ];
  }

  /** What differs from the description before has the next version (RFC 3264 §8). */
  #send(sdp: Sdp): string {
    const before = this.#own;
    const isNew = before !== undefined && sdp !== before;
    return this.#sendAsIs(isNew ? withVersionAfter(before, sdp) : sdp);
  }

  #sendAsIs(sdp: Sdp): string {
    this.#own = sdp;
    return formatSdp(sdp);
  }
}

function withVersionAfter(before: Sdp, sdp: Sdp): Sdp {
  const origin = readOrigin(sdp);
  const last = readOrigin(before)?.version ?? '';
  if (origin === undefined || !/^\d{1,20}$/.test(last)) return sdp;
  return setOrigin(sdp, { ...origin, version: String(BigInt(last) + 1n) });
}

/** The same object where it has that direction already. */
function turned(sdp: Sdp, direction: MediaDirection): Sdp {
  const audio = audioOf(sdp);
  if (audio === undefined || audio.direction === direction) return sdp;
  return setDirection(sdp, audio.index, direction);
}

function audioOf(sdp: Sdp): SdpMedia | undefined {
  return sdp.media.find((media) => media.kind === 'audio' && media.port > 0);
}

function isSending(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function isReceiving(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

interface NamedCodec {
  readonly payloadType: number;
  readonly name: string;
  readonly clockRate: number;
}

function isSame(left: NamedCodec, right: NamedCodec): boolean {
  return left.name.toLowerCase() === right.name.toLowerCase() && left.clockRate === right.clockRate;
}

function sameAs(codec: NamedCodec): (other: NamedCodec) => boolean {
  return (other) => isSame(codec, other);
}
