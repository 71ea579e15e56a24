/**
 * HEP version 3, the encapsulation that Homer captures: one datagram per SIP message or record.
 *
 *   +------+--------+----------------------+----------------------+---
 *   | HEP3 | length | chunk                | chunk                | ...
 *   |  4   |   2    |                      |                      |
 *   +------+--------+----------------------+----------------------+---
 *                   | vendor | type | length (these 6 included) | value |
 *                   |   2    |  2   |   2                       |       |
 *
 * All numbers are big-endian, the vendor is 0; the length of the datagram counts its first 6 bytes too.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Payload type (chunk 11): a SIP message, or a JSON record. */
export const HEP_SIP = 1;
export const HEP_JSON = 100;

export type HepPayloadType = typeof HEP_SIP | typeof HEP_JSON;
export type HepTransport = 'udp' | 'tcp' | 'tls';

export interface HepEnd {
  /** IPv4 or IPv6 literal; anything else is written as the address that means none. */
  readonly address: string;
  readonly port: number;
}

export interface HepPacket {
  readonly type: HepPayloadType;
  readonly source: HepEnd;
  readonly destination: HepEnd;
  readonly transport: HepTransport;
  /** Wall clock in ms since 1970; fractions allowed. */
  readonly atMs: number;
  /** Joins what belongs to one call. */
  readonly correlationId: string;
  /** Cut when it is longer than a datagram holds. */
  readonly payload: string;
}

/** What every packet of one sender carries. */
export interface HepIdentity {
  /** 32 bits. */
  readonly captureId: number;
  /** Empty: none. */
  readonly nodeName: string;
  /** Empty: none. */
  readonly password: string;
}

/** More does not fit into a UDP datagram over IPv4 together with its chunks. */
export const PAYLOAD_LIMIT_BYTES = 60_000;
/** Of names, passwords and ids. */
const NAME_LIMIT_BYTES = 255;

const MAGIC = Buffer.from('HEP3');
const HEADER_BYTES = 6;
const CHUNK_HEADER_BYTES = 6;
const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 10;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const MS_PER_SECOND = 1_000;
const US_PER_MS = 1_000;
const GENERIC_VENDOR = 0;
const IPV6_BYTES = 16;
/** In front of an IPv4 address in an IPv6 one (RFC 4291 §2.5.5.2). */
const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Chunk types of the generic vendor. */
const CHUNK = {
  family: 1,
  protocol: 2,
  sourceIpv4: 3,
  destinationIpv4: 4,
  sourceIpv6: 5,
  destinationIpv6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  payloadType: 11,
  captureId: 12,
  password: 14,
  payload: 15,
  correlationId: 17,
  nodeName: 19,
} as const;

/** The datagram of `packet`. */
export function encodeHep(packet: HepPacket, identity: HepIdentity): Buffer {
  const chunks = new ChunkWriter();
  writeAddresses(chunks, packet.source.address, packet.destination.address);
  chunks.uint8(CHUNK.protocol, packet.transport === 'udp' ? PROTOCOL_UDP : PROTOCOL_TCP);
  chunks.uint16(CHUNK.sourcePort, packet.source.port);
  chunks.uint16(CHUNK.destinationPort, packet.destination.port);
  const seconds = Math.floor(packet.atMs / MS_PER_SECOND);
  chunks.uint32(CHUNK.seconds, seconds);
  const rest = (packet.atMs - seconds * MS_PER_SECOND) * US_PER_MS;
  chunks.uint32(CHUNK.microseconds, Math.floor(rest));
  chunks.uint8(CHUNK.payloadType, packet.type);
  chunks.uint32(CHUNK.captureId, identity.captureId);
  writeName(chunks, CHUNK.password, identity.password);
  writeName(chunks, CHUNK.correlationId, packet.correlationId);
  writeName(chunks, CHUNK.nodeName, identity.nodeName);
  chunks.text(CHUNK.payload, packet.payload, PAYLOAD_LIMIT_BYTES);
  return chunks.datagram();
}

/** Both addresses in one family: IPv4 beside IPv6 is written as an IPv4-mapped address. */
function writeAddresses(chunks: ChunkWriter, source: string, destination: string): void {
  if (isIPv6(source) || isIPv6(destination)) {
    chunks.uint8(CHUNK.family, FAMILY_IPV6);
    chunks.bytes(CHUNK.sourceIpv6, ipv6Bytes(source));
    chunks.bytes(CHUNK.destinationIpv6, ipv6Bytes(destination));
  } else {
    chunks.uint8(CHUNK.family, FAMILY_IPV4);
    chunks.bytes(CHUNK.sourceIpv4, ipv4Bytes(source));
    chunks.bytes(CHUNK.destinationIpv4, ipv4Bytes(destination));
  }
}

function writeName(chunks: ChunkWriter, type: number, text: string): void {
  if (text !== '') chunks.text(type, text, NAME_LIMIT_BYTES);
}

/** Where every datagram is put together before it gets bytes of its own: one after the other, none waits. */
const scratch = Buffer.alloc(65_536);

/** Writes chunks one behind the other into {@link scratch}. */
class ChunkWriter {
  #end = HEADER_BYTES;

  uint8(type: number, value: number): void {
    scratch.writeUInt8(value & 0xff, this.#begin(type, 1));
  }

  uint16(type: number, value: number): void {
    scratch.writeUInt16BE(value & 0xffff, this.#begin(type, 2));
  }

  uint32(type: number, value: number): void {
    scratch.writeUInt32BE(value >>> 0, this.#begin(type, 4));
  }

  bytes(type: number, value: readonly number[]): void {
    scratch.set(value, this.#begin(type, value.length));
  }

  /** At most `limit` bytes of UTF-8, no character torn. */
  text(type: number, value: string, limit: number): void {
    const at = this.#end + CHUNK_HEADER_BYTES;
    const length = scratch.write(value, at, limit);
    this.#begin(type, length);
  }

  /** A copy of what was written, with its length. */
  datagram(): Buffer {
    MAGIC.copy(scratch);
    scratch.writeUInt16BE(this.#end, MAGIC.length);
    return Buffer.from(scratch.subarray(0, this.#end));
  }

  /** Writes the head of a chunk; gives the place of its value. */
  #begin(type: number, length: number): number {
    const at = this.#end;
    scratch.writeUInt16BE(GENERIC_VENDOR, at);
    scratch.writeUInt16BE(type, at + 2);
    scratch.writeUInt16BE(CHUNK_HEADER_BYTES + length, at + 4);
    this.#end = at + CHUNK_HEADER_BYTES + length;
    return at + CHUNK_HEADER_BYTES;
  }
}

function ipv4Bytes(address: string): number[] {
  return isIPv4(address) ? address.split('.').map(Number) : [0, 0, 0, 0];
}

/** RFC 4291 §2.2: eight groups, `::` for those that are zero, the last two perhaps as IPv4. */
function ipv6Bytes(address: string): number[] {
  if (isIPv4(address)) return [...MAPPED, ...ipv4Bytes(address)];
  if (!isIPv6(address)) return zeros(IPV6_BYTES);
  const [plain = ''] = address.split('%');
  const [head = '', tail = ''] = plain.split('::');
  const first = groupBytes(head);
  const last = groupBytes(tail);
  return [...first, ...zeros(IPV6_BYTES - first.length - last.length), ...last];
}

function groupBytes(groups: string): number[] {
  return groups.split(':').flatMap((group) => {
    if (group === '') return [];
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}
