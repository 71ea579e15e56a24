/**
 * Source descriptions in RTCP without what they say about a person or a network (RFC 3550 §6.5):
 *
 *   SSRC | type, length, text | type, length, text | 0 … to the next word | SSRC | …
 *
 * Every text keeps its length. A CNAME, by which a receiver joins the streams of one source, becomes another name for the
 * same source; what else people and devices are called by is blanked. Higher items number streams and stay.
 */
import { nextRtcpOffset, rtcpPacketBytes, rtcpPacketType } from '../wire/rtcp.ts';

const SOURCE_DESCRIPTION = 202;
const COUNT_MASK = 0x1f;
const ITEM_END = 0;
const ITEM_CNAME = 1;
const ITEM_PRIVATE = 8;
/** The last item that names somebody: the address in H.323. */
const LAST_NAMING_ITEM = 9;
const BLANK = 0x20;
/** More names in one compound are blanked: that many sources can be mixed (RFC 3550 §5.1), and one of ours. */
const MAX_NAMES = 16;

/** Gives another name of the same length. */
export type RenameSource = (name: Buffer) => Buffer;

/** Rewrites the source descriptions of `compound` in place. */
export function hideSources(compound: Buffer, rename: RenameSource): void {
  let names = 0;
  const renameSome: RenameSource = (name) => {
    names += 1;
    return names > MAX_NAMES ? name.fill(BLANK) : rename(name);
  };
  let offset: number | undefined = 0;
  while (offset !== undefined) {
    if (rtcpPacketType(compound, offset) === SOURCE_DESCRIPTION) {
      const end = Math.min(offset + rtcpPacketBytes(compound, offset), compound.length);
      const chunks = compound.readUInt8(offset) & COUNT_MASK;
      let at: number | undefined = offset + 4;
      for (let chunk = 0; chunk < chunks && at !== undefined; chunk++) {
        at = hideChunk(compound.subarray(0, end), at, renameSome);
      }
    }
    offset = nextRtcpOffset(compound, offset);
  }
}

/** Where the next chunk begins, `undefined` behind the last one. */
function hideChunk(packet: Buffer, start: number, rename: RenameSource): number | undefined {
  let at = start + 4;
  while (at < packet.length) {
    const type = packet.readUInt8(at);
    if (type === ITEM_END) return at + 4 - (at % 4);
    const textAt = at + 2;
    const length = textAt <= packet.length ? packet.readUInt8(at + 1) : 0;
    hideText(type, packet.subarray(textAt, textAt + length), rename);
    at = textAt + length;
  }
  return undefined;
}

function hideText(type: number, text: Buffer, rename: RenameSource): void {
  if (type > LAST_NAMING_ITEM || text.length === 0) return;
  if (type === ITEM_CNAME) {
    rename(text).copy(text);
    return;
  }
  text.fill(BLANK);
  // A private item begins with the length of its own name.
  if (type === ITEM_PRIVATE) text.writeUInt8(0, 0);
}
