/** Reads HEP version 3 as a capture server does; written from the published layout, not from our encoder. */

export interface HepDatagram {
  readonly family: number;
  readonly protocol: number;
  /** As RFC 5952 would not write it: IPv6 in eight full groups. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seconds: number;
  readonly microseconds: number;
  readonly payloadType: number;
  readonly captureId: number;
  readonly password: string | undefined;
  readonly correlationId: string | undefined;
  readonly nodeName: string | undefined;
  readonly payload: string;
  /** Types in order of appearance. */
  readonly chunkTypes: readonly number[];
}

/** @throws Error when lengths do not add up, a chunk stands twice or a mandatory one is missing. */
export function decodeHep(bytes: Buffer): HepDatagram {
  if (bytes.toString('latin1', 0, 4) !== 'HEP3') throw new Error('no HEP3');
  if (bytes.readUInt16BE(4) !== bytes.length) throw new Error('wrong length');
  const chunks = new Map<number, Buffer>();
  let at = 6;
  while (at < bytes.length) {
    if (bytes.readUInt16BE(at) !== 0) throw new Error('foreign vendor');
    const type = bytes.readUInt16BE(at + 2);
    const length = bytes.readUInt16BE(at + 4);
    if (length < 6 || at + length > bytes.length) throw new Error(`chunk ${type} of ${length}`);
    if (chunks.has(type)) throw new Error(`chunk ${type} twice`);
    chunks.set(type, bytes.subarray(at + 6, at + length));
    at += length;
  }
  const need = (type: number, length: number): Buffer => {
    const value = chunks.get(type);
    if (value?.length !== length) throw new Error(`chunk ${type} has not ${length} bytes`);
    return value;
  };
  const family = need(1, 1).readUInt8();
  const [source, destination] =
    family === 2 ? [ipv4(need(3, 4)), ipv4(need(4, 4))] : [ipv6(need(5, 16)), ipv6(need(6, 16))];
  const payload = chunks.get(15);
  if (payload === undefined) throw new Error('no payload');
  return {
    family,
    protocol: need(2, 1).readUInt8(),
    source,
    destination,
    sourcePort: need(7, 2).readUInt16BE(),
    destinationPort: need(8, 2).readUInt16BE(),
    seconds: need(9, 4).readUInt32BE(),
    microseconds: need(10, 4).readUInt32BE(),
    payloadType: need(11, 1).readUInt8(),
    captureId: need(12, 4).readUInt32BE(),
    password: chunks.get(14)?.toString(),
    correlationId: chunks.get(17)?.toString(),
    nodeName: chunks.get(19)?.toString(),
    payload: payload.toString(),
    chunkTypes: [...chunks.keys()],
  };
}

function ipv4(bytes: Buffer): string {
  return [...bytes].join('.');
}

function ipv6(bytes: Buffer): string {
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}
