/** Session descriptions as they come in: read, held to what was said before, and to what the relay can send to. */
import {
  addressFamily,
  type AddressFamily,
  isMediaTarget,
  isMulticast,
  isUnspecified,
} from '../../wire/sdp-address.ts';
import type { SdpMedia } from '../../wire/sdp-media.ts';
import { disableMedia } from '../../wire/sdp-edit.ts';
import { parseSdp, type Sdp } from '../../wire/sdp.ts';
import { WireError } from '../../wire/wire-error.ts';
import { alignAnswer, needsStream } from './offer-answer-rewrite.ts';

/** Warn-codes of RFC 3261 §20.43. */
const WARNINGS = {
  'network protocol': 300,
  'address format': 301,
  multicast: 330,
  other: 399,
} as const;

/** A description that is one, but that no session can be made of. */
export class UnacceptableSdp extends WireError {
  override readonly name = 'UnacceptableSdp';
  /** Warn-code for whoever sent it (RFC 3261 §20.43). */
  readonly warning: number;

  /** @param message without `"` and `\`, and without text of the peer */
  constructor(warning: keyof typeof WARNINGS, message: string) {
    super(message);
    this.warning = WARNINGS[warning];
  }
}

/** The Warning header for who sent a description that `error` is about, without host names. */
export function warningOf(error: WireError): { readonly Warning?: string } {
  if (!(error instanceof UnacceptableSdp)) return {};
  return { Warning: `${error.warning} Tonebridge "${error.message}"` };
}

/** What an offer is held to. */
export interface OfferBounds {
  /** Of our media address on the leg; `undefined`: addresses are not looked at. */
  readonly family: AddressFamily | undefined;
  /** It answers this offer of ours, too. */
  readonly inserted: Sdp | undefined;
  /** What its sender wrote in the session so far. */
  readonly before: Sdp | undefined;
}

/** A description without the sections that nothing can be sent to. */
export interface ReceivedSdp {
  readonly sdp: Sdp;
  /** Why each of those is switched off now. */
  readonly switchedOff: readonly string[];
}

/** Reads an offer; one section that the relay can send to is enough. @throws WireError */
export function readOffer(text: string, { family, inserted, before }: OfferBounds): ReceivedSdp {
  const written = parseSdp(text);
  const refused = unreachable(written, family);
  const hasUsable = written.media.some((media) => isActive(media) && !refused.has(media.index));
  const [first] = refused.values();
  if (first !== undefined && !hasUsable) throw first;
  const { sdp, switchedOff } = without(written, refused);
  if (inserted !== undefined) return { sdp: alignAnswer(sdp, inserted), switchedOff };
  const expected = before?.media.length ?? 0;
  if (sdp.media.length < expected) {
    const got = sdp.media.length;
    throw new UnacceptableSdp('other', `expected ${expected} m= lines as before, got ${got}`);
  }
  return { sdp, switchedOff };
}

/** Reads an answer to `offer`; its first audio has to be one that the relay can send to. @throws WireError */
export function readAnswer(
  text: string,
  offer: Sdp,
  family: AddressFamily | undefined,
): ReceivedSdp {
  const written = parseSdp(text);
  const refused = unreachable(written, family);
  const streams = written.media.filter(needsStream);
  const main = streams.find(({ kind }) => kind === 'audio') ?? streams[0];
  const error = main === undefined ? undefined : refused.get(main.index);
  if (error !== undefined) throw error;
  const { sdp, switchedOff } = without(written, refused);
  return { sdp: alignAnswer(sdp, offer), switchedOff };
}

/** Sections without these, by m-line (RFC 3264 §6). */
function without(sdp: Sdp, refused: ReadonlyMap<number, UnacceptableSdp>): ReceivedSdp {
  let rest = sdp;
  for (const index of refused.keys()) rest = disableMedia(rest, index);
  return { sdp: rest, switchedOff: [...refused.values()].map(({ message }) => message) };
}

/** By m-line: media would be sent nowhere, and both ends would hear silence. */
function unreachable(
  sdp: Sdp,
  family: AddressFamily | undefined,
): ReadonlyMap<number, UnacceptableSdp> {
  const found = new Map<number, UnacceptableSdp>();
  if (family === undefined) return found;
  for (const media of sdp.media.filter(isActive)) {
    const error = obstacle(media, family);
    if (error !== undefined) found.set(media.index, error);
  }
  return found;
}

function isActive(media: SdpMedia): boolean {
  return needsStream(media) && media.direction !== 'inactive';
}

/** What keeps the relay from sending to a section; hold by 0.0.0.0 or :: is none. */
function obstacle(media: SdpMedia, family: AddressFamily): UnacceptableSdp | undefined {
  const address = media.connectionAddress;
  const place = `m-line ${media.index + 1}`;
  if (address === undefined) return new UnacceptableSdp('address format', `no c= for ${place}`);
  if (isUnspecified(address)) return undefined;
  const own = addressFamily(address);
  if (own === undefined) {
    const what = 'a host name or malformed address, not an IP address';
    return new UnacceptableSdp('address format', `c= of ${place} is ${what}`);
  }
  if (isMulticast(address)) {
    return new UnacceptableSdp('multicast', `c= of ${place} is a multicast address`);
  }
  if (!isMediaTarget(address)) {
    return new UnacceptableSdp('address format', `c= of ${place} is not the address of a host`);
  }
  if (own !== family) {
    return new UnacceptableSdp('network protocol', `c= of ${place} is ${own}, media is ${family}`);
  }
  return undefined;
}
