/** Reads pcap files with raw IP packets that carry UDP, and refuses what is not right to the last bit. */

export interface ReadDatagram {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Buffer;
}

/** @throws Error naming the first thing that is wrong. */
export function readPcap(file: Buffer): ReadDatagram[] {
  check(file.readUInt32LE(0) === 0xa1b2c3d4, 'magic number');
  check(file.readUInt16LE(4) === 2 && file.readUInt16LE(6) === 4, 'version');
  check(file.readUInt32LE(20) === 101, 'link type');
  const snapLength = file.readUInt32LE(16);
  const datagrams: ReadDatagram[] = [];
  for (let offset = 24; offset < file.length;) {
    const [seconds, microseconds] = [file.readUInt32LE(offset), file.readUInt32LE(offset + 4)];
    const [captured, length] = [file.readUInt32LE(offset + 8), file.readUInt32LE(offset + 12)];
    check(microseconds < 1_000_000, 'microseconds');
    check(captured === length && captured <= snapLength, 'captured length');
    const packet = file.subarray(offset + 16, offset + 16 + captured);
    check(packet.length === captured, 'end of file');
    datagrams.push({ atMs: seconds * 1000 + microseconds / 1000, ...readPacket(packet) });
    offset += 16 + captured;
  }
  return datagrams;
}

function readPacket(packet: Buffer): Omit<ReadDatagram, 'atMs'> {
  const isIpv4 = packet.readUInt8(0) >> 4 === 4;
  check(isIpv4 || packet.readUInt8(0) >> 4 === 6, 'IP version');
  const headerLength = isIpv4 ? (packet.readUInt8(0) & 0xf) * 4 : 40;
  const header = packet.subarray(0, headerLength);
  const udp = packet.subarray(headerLength);
  if (isIpv4) {
    check(header.readUInt16BE(2) === packet.length, 'IPv4 length');
    check(sumOf(header) === 0xffff, 'IPv4 checksum');
  } else check(header.readUInt16BE(4) === udp.length, 'IPv6 length');
  check(header.readUInt8(isIpv4 ? 9 : 6) === 17, 'protocol');
  check(udp.readUInt16BE(4) === udp.length, 'UDP length');
  check(udp.readUInt16BE(6) !== 0, 'UDP checksum missing');
  const addresses = isIpv4 ? header.subarray(12, 20) : header.subarray(8, 40);
  const pseudo = Buffer.from([0, 17, udp.length >> 8, udp.length & 0xff]);
  check(sumOf(Buffer.concat([addresses, pseudo, udp])) === 0xffff, 'UDP checksum');
  const half = addresses.length / 2;
  return {
    from: addressOf(addresses.subarray(0, half)),
    to: addressOf(addresses.subarray(half)),
    fromPort: udp.readUInt16BE(0),
    toPort: udp.readUInt16BE(2),
    payload: udp.subarray(8),
  };
}

/** Ones' complement sum, byte by byte: another way than the writer's. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) {
    sum += index % 2 === 0 ? byte * 256 : byte;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** IPv6 in eight groups, none left out. */
function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  return groups.map((group) => group.toString(16)).join(':');
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`bad ${what}`);
}
