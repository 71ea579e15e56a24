/**
 * SIP messages as a classic pcap file with raw IP packets (link type 101): one UDP datagram each, IPv4 or IPv6, whatever
 * transport they travelled over. Checksums are right, so that every reader takes them. Pure.
 *
 *   file header     magic, version 2.4, snap length, link type                      24 bytes
 *   per packet      seconds, microseconds, captured length, length                  16 bytes
 *                   IPv4 header (RFC 791) 20 or IPv6 header (RFC 8200) 40 bytes, UDP header (RFC 768) 8, the message
 */

/** One end of a datagram. */
export interface PcapEnd {
  /** IPv4 or IPv6 literal, IPv6 without brackets and zone. */
  readonly address: string;
  readonly port: number;
}

export interface PcapDatagram {
  /** Wall clock in ms since 1970; fractions allowed. */
  readonly atMs: number;
  readonly from: PcapEnd;
  readonly to: PcapEnd;
  /** Cut where one IP packet ends. */
  readonly payload: Uint8Array;
  /** Of the message, where `payload` is only its beginning. */
  readonly wholeBytes?: number | undefined;
}

const MAGIC = 0xa1b2c3d4;
const LINK_TYPE_RAW = 101;
const SNAP_LENGTH = 262_144;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const UDP_HEADER_BYTES = 8;
/** An IPv4 packet counts its header too. */
const MAX_PAYLOAD_BYTES = 65_535 - IPV4_HEADER_BYTES - UDP_HEADER_BYTES;
const PROTOCOL_UDP = 17;
const HOP_LIMIT = 64;
const DONT_FRAGMENT = 0x4000;
const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;

/** The whole file. */
export function writePcap(datagrams: readonly PcapDatagram[]): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_LENGTH, 16);
  header.writeUInt32LE(LINK_TYPE_RAW, 20);
  return Buffer.concat([header, ...datagrams.map((datagram) => record(datagram))]);
}

function record(datagram: PcapDatagram): Buffer {
  const packet = ipPacket(datagram);
  const us = Math.max(0, Math.round(datagram.atMs * US_PER_MS));
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32LE(Math.floor(us / US_PER_SECOND) >>> 0, 0);
  header.writeUInt32LE(us % US_PER_SECOND, 4);
  header.writeUInt32LE(packet.length, 8);
  const kept = Math.min(datagram.payload.length, MAX_PAYLOAD_BYTES);
  header.writeUInt32LE(packet.length - kept + payloadBytesOf(datagram), 12);
  return Buffer.concat([header, packet]);
}

/** Payload of the packet that was on the wire, of which less may be here. */
function payloadBytesOf({ payload, wholeBytes = 0 }: PcapDatagram): number {
  return Math.min(Math.max(payload.length, wholeBytes), MAX_PAYLOAD_BYTES);
}

/** Ends of two families meet in IPv6, as on a socket of both (RFC 4291 §2.5.5.2). */
function ipPacket(datagram: PcapDatagram): Buffer {
  const { from, to, payload } = datagram;
  const source = addressBytes(from.address);
  const target = addressBytes(to.address);
  const isIpv4 = source.length === 4 && target.length === 4;
  const ends = isIpv4 ? [source, target] : [mapped(source), mapped(target)];
  const [sourceBytes = source, targetBytes = target] = ends;
  const data = payload.subarray(0, MAX_PAYLOAD_BYTES);
  const udp = Buffer.alloc(UDP_HEADER_BYTES + data.length);
  udp.writeUInt16BE(portOf(from), 0);
  udp.writeUInt16BE(portOf(to), 2);
  const udpLength = UDP_HEADER_BYTES + payloadBytesOf(datagram);
  udp.writeUInt16BE(udpLength, 4);
  udp.set(data, UDP_HEADER_BYTES);
  const pseudo = pseudoHeader(sourceBytes, targetBytes, udpLength);
  // Zero means that there is none, as for a datagram that is not here as a whole.
  const isWhole = udpLength === udp.length;
  if (isWhole) udp.writeUInt16BE(checksum(pseudo, udp) || 0xffff, 6);
  const header = isIpv4 ? ipv4Header(udpLength) : ipv6Header(udpLength);
  const addressesAt = isIpv4 ? 12 : 8;
  header.set(sourceBytes, addressesAt);
  header.set(targetBytes, addressesAt + sourceBytes.length);
  if (isIpv4) header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, udp]);
}

function ipv4Header(payloadLength: number): Buffer {
  const header = Buffer.alloc(IPV4_HEADER_BYTES);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(IPV4_HEADER_BYTES + payloadLength, 2);
  header.writeUInt16BE(DONT_FRAGMENT, 6);
  header.writeUInt8(HOP_LIMIT, 8);
  header.writeUInt8(PROTOCOL_UDP, 9);
  return header;
}

function ipv6Header(payloadLength: number): Buffer {
  const header = Buffer.alloc(IPV6_HEADER_BYTES);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payloadLength, 4);
  header.writeUInt8(PROTOCOL_UDP, 6);
  header.writeUInt8(HOP_LIMIT, 7);
  return header;
}

/** Both of RFC 768 and of RFC 8200 §8.1: in the sum the widths of length and protocol make no difference. */
function pseudoHeader(source: Buffer, target: Buffer, udpLength: number): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(PROTOCOL_UDP, 0);
  tail.writeUInt16BE(udpLength, 2);
  return Buffer.concat([source, target, tail]);
}

/** The ones' complement of the ones' complement sum (RFC 1071). */
function checksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let offset = 0; offset + 1 < part.length; offset += 2) sum += part.readUInt16BE(offset);
    if (part.length % 2 === 1) sum += part.readUInt8(part.length - 1) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function portOf({ port }: PcapEnd): number {
  return Number.isInteger(port) && port >= 0 && port <= 0xffff ? port : 0;
}

function mapped(bytes: Buffer): Buffer {
  if (bytes.length === 16) return bytes;
  return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), bytes]);
}

/** 4 or 16 bytes; 0.0.0.0 for what is no address. */
function addressBytes(address: string): Buffer {
  const ipv4 = ipv4Bytes(address);
  if (ipv4 !== undefined) return ipv4;
  return ipv6Bytes(address) ?? Buffer.alloc(4);
}

function ipv4Bytes(address: string): Buffer | undefined {
  const parts = address.split('.');
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part));
  const bytes = parts.map(Number);
  return isAddress && bytes.every((byte) => byte <= 0xff) ? Buffer.from(bytes) : undefined;
}

function ipv6Bytes(address: string): Buffer | undefined {
  const [plain = ''] = address.split('%');
  const halves = plain.split('::');
  if (halves.length > 2 || !plain.includes(':')) return undefined;
  const [head, tail] = [groupsOf(halves[0] ?? ''), groupsOf(halves[1] ?? '')];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of a part without `::`; the last two may be written as an IPv4 address. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    const ipv4 = ipv4Bytes(part);
    if (ipv4 !== undefined) groups.push(ipv4.readUInt16BE(0), ipv4.readUInt16BE(2));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
