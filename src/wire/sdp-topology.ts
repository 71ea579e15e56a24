/** Removes from an SDP whatever tells one side of a call where the other one is. */

import { mentionsAny } from './address-mention.ts';
import { formatConnection, isUnspecified, parseConnection } from './sdp-address.ts';
import { parseAttribute } from './sdp-media.ts';
import { buildSdp, readOrigin, readSessionDefaults } from './sdp.ts';
import type { Sdp, SdpOrigin } from './sdp.ts';

/**
 * Attributes that carry addresses, name the device, or ask for what an anchoring relay does not
 * pass on: ICE, both media on one port (RFC 5761, RFC 9143), other addresses to choose from.
 */
const HIDDEN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'candidate',
  'remote-candidates',
  'end-of-candidates',
  'ice-ufrag',
  'ice-pwd',
  'ice-options',
  'ice-lite',
  'ice-mismatch',
  'ice-pacing',
  'ice2',
  'rtcp-mux',
  'rtcp-mux-only',
  'bundle-only',
  'source-filter',
  'alt',
  'altc',
  'path',
  'tool',
  'msid',
  'msid-semantic',
]);

/** What a source of media is called by the device, beside its number: in RTCP it has another name (RFC 5576 §6.1). */
const SOURCE_NAME = /^\d+\s+(?:cname|msid|mslabel):/i;

/** Keys of the media: random text that names nobody, without which there is no media. */
const KEYING_ATTRIBUTES: ReadonlySet<string> = new Set(['crypto', 'fingerprint', 'key-mgmt']);

/** Session lines that name a person or page of the other side. */
const HIDDEN_LINES = /^[uep]=/;

/** Lines without which the text would be no SDP; those with an address are rewritten. */
const KEPT_LINES = /^[vosctm]=/;

/** Shorter names are no addresses worth looking for, longer ones are no host names. */
const SHORTEST_ADDRESS = 3;
const LONGEST_ADDRESS = 255;

/**
 * Puts our o= line in, our address into every c= line (an old-style hold keeps 0.0.0.0), drops
 * what names the sender, and every attribute that repeats one of its addresses. Ports are left
 * to `setMediaAddress`.
 */
export function hideTopology(sdp: Sdp, origin: SdpOrigin): Sdp {
  const hidden = addressesIn(sdp);
  const session = setOriginLine(hideLines(sdp.session, origin.address, hidden), origin);
  const sections = sdp.media.map((media) => hideLines(media.lines, origin.address, hidden));
  return buildSdp(
    session
      // Free text about the session may hold anything; that of a stream names the stream.
      .filter((line) => !line.startsWith('i=') && parseAttribute(line)?.name !== 'rtcp')
      .map((line) => (line.startsWith('s=') ? 's=-' : line)),
    sections,
  );
}

/** Replaces the o= line, or adds it behind v=. */
export function setOrigin(sdp: Sdp, origin: SdpOrigin): Sdp {
  return { ...sdp, session: setOriginLine(sdp.session, origin) };
}

function setOriginLine(session: readonly string[], origin: SdpOrigin): readonly string[] {
  const { username, sessionId, version, address } = origin;
  const line = `o=${username} ${sessionId} ${version} ${formatConnection(address)}`;
  const [first, ...rest] = session.filter((candidate) => !candidate.startsWith('o='));
  return first === undefined ? [line] : [first, line, ...rest];
}

function hideLines(
  lines: readonly string[],
  address: string,
  hidden: readonly string[],
): readonly string[] {
  let connections = 0;
  return lines.flatMap((line) => {
    if (line.startsWith('c=')) {
      connections += 1;
      if (connections > 1) return [];
      return [isHold(line) ? line : `c=${formatConnection(address)}`];
    }
    return isHidden(line, hidden) ? [] : [line];
  });
}

function isHold(line: string): boolean {
  const address = parseConnection(line.slice(2));
  return address !== undefined && isUnspecified(address);
}

function isHidden(line: string, hidden: readonly string[]): boolean {
  if (KEPT_LINES.test(line)) return false;
  if (HIDDEN_LINES.test(line)) return true;
  const attribute = parseAttribute(line);
  if (attribute === undefined) return mentionsAny(line, hidden);
  const { name, value } = attribute;
  if (HIDDEN_ATTRIBUTES.has(name.toLowerCase())) return true;
  if (KEYING_ATTRIBUTES.has(name.toLowerCase())) return false;
  if (name === 'ssrc' && SOURCE_NAME.test(value)) return true;
  if (name === 'group' && /^\s*BUNDLE\b/i.test(value)) return true;
  return name !== 'rtcp' && mentionsAny(line, hidden);
}

/** The addresses by which the sender shows itself, without the "nowhere" of a hold. */
function connectionIn(line: string): string | undefined {
  return line.startsWith('c=') ? parseConnection(line.slice(2)) : undefined;
}

function addressesIn(sdp: Sdp): readonly string[] {
  const found = new Set<string>();
  for (const address of [
    readOrigin(sdp)?.address,
    readSessionDefaults(sdp.session).connectionAddress,
    ...sdp.media.flatMap((media) => [media.connectionAddress, media.rtcp?.address]),
    // As written: an IPv4-mapped address has several spellings.
    ...[sdp.session, ...sdp.media.map(({ lines }) => lines)].flat().map(connectionIn),
  ]) {
    if (address === undefined || isUnspecified(address)) continue;
    if (address.length < SHORTEST_ADDRESS || address.length > LONGEST_ADDRESS) continue;
    found.add(address.toLowerCase());
  }
  return [...found];
}
