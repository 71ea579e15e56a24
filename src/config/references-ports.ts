/** Ports that two parts of the file would both bind. */
import { isIP } from 'node:net';
import { isWildcard, parseHostPort, parseSipPort } from './address.ts';
import type { Finding, Path } from './problem.ts';
import { entriesOf, mapAt, textAt, textsAt } from './raw-access.ts';
import type { RawMap } from './yaml-source.ts';

/** One or many ports of one protocol on one address. */
interface Claim {
  readonly path: Path;
  /** For messages: `udp/127.0.0.1:5060`, `media of realm core`. */
  readonly label: string;
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly low: number;
  readonly high: number;
}

export function portFindings(root: RawMap): Finding[] {
  const claims = [
    ...sipClaims(root),
    ...apiClaims(root),
    ...mediaClaims(root),
    ...reportClaims(root),
  ];
  return [...emptyRanges(root), ...overlaps(claims)];
}

/** A range must hold at least one pair of RTP (even) and RTCP (odd) ports. */
function emptyRanges(root: RawMap): Finding[] {
  return entriesOf(root, 'realms').flatMap(({ index, map }): Finding[] => {
    const range = rangeOf(mapAt(map, 'media'));
    if (range === undefined) return [];
    const firstEven = range.low + (range.low % 2);
    if (firstEven + 1 <= range.high) return [];
    const message = `port-min ${range.low} to port-max ${range.high} holds no pair of RTP and RTCP ports`;
    return [{ path: ['realms', index, 'media', 'port-max'], at: 'value', message }];
  });
}

function overlaps(claims: readonly Claim[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, later] of claims.entries()) {
    const earlier = claims.slice(0, index).find((claim) => collide(claim, later));
    if (earlier === undefined) continue;
    const message = `${later.label} overlaps with ${earlier.label}`;
    findings.push({ path: later.path, at: 'value', message });
  }
  return findings;
}

function collide(a: Claim, b: Claim): boolean {
  if (a.protocol !== b.protocol || a.low > b.high || b.low > a.high) return false;
  if (a.address === b.address) return true;
  const isSameFamily = isIP(a.address) === isIP(b.address);
  return isSameFamily && (isWildcard(a.address) || isWildcard(b.address));
}

function sipClaims(root: RawMap): Claim[] {
  return entriesOf(root, 'sip-interfaces').flatMap(({ index, map }) =>
    textsAt(map, 'sip-ports').flatMap(({ index: position, text }): Claim[] => {
      const parsed = parseSipPort(text);
      // Port 0 is chosen by the system and collides with nothing.
      if (parsed === undefined || parsed.port === 0) return [];
      const { address, port } = parsed;
      const path = ['sip-interfaces', index, 'sip-ports', position];
      const protocol = parsed.transport === 'udp' ? 'udp' : 'tcp';
      return [{ path, label: text, protocol, address, low: port, high: port }];
    }),
  );
}

function apiClaims(root: RawMap): Claim[] {
  const text = textAt(mapAt(root, 'api'), 'listen') ?? '127.0.0.1:8080';
  const parsed = parseHostPort(text);
  if (parsed?.port === undefined || parsed.port === 0) return [];
  const { host: address, port } = parsed;
  const label = `api.listen ${text}`;
  return [{ path: ['api', 'listen'], label, protocol: 'tcp', address, low: port, high: port }];
}

/** None with rtpengine, which has a range of its own. */
function mediaClaims(root: RawMap): Claim[] {
  if (isOnRtpengine(root)) return [];
  return entriesOf(root, 'realms').flatMap(({ index, map }): Claim[] => {
    const media = mapAt(map, 'media');
    const address = textAt(media, 'address');
    const range = rangeOf(media);
    if (address === undefined || range === undefined) return [];
    const label = `media of realm "${textAt(map, 'name') ?? index}" (${range.low}-${range.high})`;
    const path = ['realms', index, 'media', 'port-min'];
    return [{ path, label, protocol: 'udp', address, ...range }];
  });
}

/** Where rtpengines report digits; several may share one. */
function reportClaims(root: RawMap): Claim[] {
  const media = mapAt(root, 'media') ?? {};
  if (!isOnRtpengine(root)) return [];
  const claims = entriesOf(media, 'rtpengine').flatMap(({ index, map }): [string, Claim][] => {
    const text = textAt(map, 'dtmf-listen') ?? '';
    const parsed = parseHostPort(text);
    if (parsed?.port === undefined || parsed.port === 0) return [];
    const { host: address, port } = parsed;
    const path = ['media', 'rtpengine', index, 'dtmf-listen'];
    const label = `dtmf-listen ${text}`;
    return [[text, { path, label, protocol: 'udp', address, low: port, high: port }]];
  });
  return [...new Map(claims.toReversed()).values()];
}

function isOnRtpengine(root: RawMap): boolean {
  return textAt(mapAt(root, 'media'), 'engine') === 'rtpengine';
}

function rangeOf(media: RawMap | undefined): { low: number; high: number } | undefined {
  const low = Number(textAt(media, 'port-min') ?? Number.NaN);
  const high = Number(textAt(media, 'port-max') ?? Number.NaN);
  return Number.isInteger(low) && Number.isInteger(high) ? { low, high } : undefined;
}
