import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeHep,
  HEP_JSON,
  HEP_SIP,
  type HepIdentity,
  type HepPacket,
  PAYLOAD_LIMIT_BYTES,
} from '../../../src/observe/hep.ts';
import { decodeHep } from '../../support/hep-decoder.ts';

const IDENTITY: HepIdentity = { captureId: 2001, nodeName: 'sbc1', password: 'pw' };

const PACKET: HepPacket = {
  type: HEP_SIP,
  source: { address: '192.0.2.1', port: 5060 },
  destination: { address: '198.51.100.255', port: 5062 },
  transport: 'udp',
  atMs: 1_700_000_000_123.456,
  correlationId: 'c0ffee',
  payload: 'BYE',
};

test('the bytes of one datagram', () => {
  const chunks = [
    ['0000 0001 0007', '02', 'family IPv4'],
    ['0000 0003 000a', 'c0000201', 'source'],
    ['0000 0004 000a', 'c63364ff', 'destination'],
    ['0000 0002 0007', '11', 'UDP'],
    ['0000 0007 0008', '13c4', 'source port'],
    ['0000 0008 0008', '13c6', 'destination port'],
    ['0000 0009 000a', '6553f100', 'seconds'],
    ['0000 000a 000a', '0001e240', 'microseconds'],
    ['0000 000b 0007', '01', 'SIP'],
    ['0000 000c 000a', '000007d1', 'capture id'],
    ['0000 000e 0008', '7077', 'password'],
    ['0000 0011 000c', '6330666665 65', 'correlation id'],
    ['0000 0013 000a', '73626331', 'node name'],
    ['0000 000f 0009', '425945', 'payload'],
  ];
  const body = chunks.map(([head, value]) => `${head}${value}`).join('');
  const expected = Buffer.from(`48455033 0084 ${body}`.replaceAll(' ', ''), 'hex');
  expect(encodeHep(PACKET, IDENTITY).toString('hex')).toBe(expected.toString('hex'));
});

describe('addresses', () => {
  const rows: readonly [source: string, destination: string, read: readonly string[]][] = [
    ['::1', '2001:db8::2', [`${'0000:'.repeat(7)}0001`, '2001:0db8:0000:0000:0000:0000:0000:0002']],
    ['fe80::1%eth0', '::', [`fe80:${'0000:'.repeat(6)}0001`, '0000:'.repeat(8).slice(0, -1)]],
    [
      '1:2:3:4:5:6:7:8',
      '::ffff:192.0.2.1',
      ['0001:0002:0003:0004:0005:0006:0007:0008', '0000:0000:0000:0000:0000:ffff:c000:0201'],
    ],
    [
      '192.0.2.1',
      '2001:db8::2',
      ['0000:0000:0000:0000:0000:ffff:c000:0201', '2001:0db8:0000:0000:0000:0000:0000:0002'],
    ],
    ['sip.example.com', '192.0.2.1', ['0.0.0.0', '192.0.2.1']],
    ['', '', ['0.0.0.0', '0.0.0.0']],
  ];
  test.each(rows)('%s to %s', (source, destination, read) => {
    const packet = {
      ...PACKET,
      source: { address: source, port: 1 },
      destination: { address: destination, port: 2 },
    };
    const decoded = decodeHep(encodeHep(packet, IDENTITY));
    expect([decoded.source, decoded.destination]).toEqual(read);
    expect(decoded.family).toBe(read[0]?.includes(':') === true ? 10 : 2);
  });
});

test('what is empty has no chunk', () => {
  const identity = { captureId: 1, nodeName: '', password: '' };
  const decoded = decodeHep(encodeHep({ ...PACKET, correlationId: '' }, identity));
  expect(decoded.chunkTypes.filter((type) => [14, 17, 19].includes(type))).toEqual([]);
});

test('a payload that is too long is cut between two characters', () => {
  const payload = `x${'ä'.repeat(40_000)}`;
  const decoded = decodeHep(encodeHep({ ...PACKET, payload }, IDENTITY));
  expect(payload.startsWith(decoded.payload)).toBe(true);
  expect(Buffer.byteLength(decoded.payload)).toBe(PAYLOAD_LIMIT_BYTES - 1);
});

test('whatever is sent is read the same', () => {
  const end = fc.record({
    address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
    port: fc.nat({ max: 65_535 }),
  });
  const packets = fc.record({
    type: fc.constantFrom(HEP_SIP, HEP_JSON),
    source: end,
    destination: end,
    transport: fc.constantFrom('udp', 'tcp', 'tls'),
    atMs: fc.double({ min: 0, max: 4_294_967_295_000, noNaN: true }),
    correlationId: fc.string({ maxLength: 300, unit: 'binary' }),
    payload: fc.string({ maxLength: 2_000, unit: 'binary' }),
  });
  const identities = fc.record({
    captureId: fc.nat({ max: 0xffff_ffff }),
    nodeName: fc.string({ maxLength: 300 }),
    password: fc.string({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(packets, identities, (packet, identity) => {
      const bytes = encodeHep(packet, identity);
      expect(bytes.length).toBeLessThan(65_508);
      const decoded = decodeHep(bytes);
      expect(decoded).toMatchObject({
        protocol: packet.transport === 'udp' ? 17 : 6,
        sourcePort: packet.source.port,
        destinationPort: packet.destination.port,
        payloadType: packet.type,
        captureId: identity.captureId,
        payload: Buffer.from(packet.payload).toString(),
      });
      expect(decoded.microseconds).toBeLessThan(1_000_000);
      const readMs = decoded.seconds * 1000 + decoded.microseconds / 1000;
      expect(Math.abs(readMs - packet.atMs)).toBeLessThan(0.01);
      expect(packet.correlationId.startsWith(decoded.correlationId ?? '')).toBe(true);
    }),
  );
});
