import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foreignTables, isLeaseOver } from '../../../src/media/kernel/dead-tables.ts';
import {
  carryText,
  type KernelFlow,
  leaseText,
  parseComplaint,
  parseCounts,
  readText,
  releaseText,
  SHARDS,
  shardOf,
  tableText,
} from '../../../src/media/kernel/nft-text.ts';

const TABLE = 'tonebridge_00c0ffee';

const FLOW: KernelFlow = {
  id: 7,
  source: { address: '192.0.2.9', port: 4000 },
  receiver: { address: '192.0.2.1', port: 20_000 },
  sender: { address: '198.51.100.1', port: 30_002 },
  destination: { address: '203.0.113.5', port: 5000 },
  head: 0x9008,
  ssrc: 0x11223344,
  hop: { address: '198.51.100.254', device: 'eth1' },
};

describe('what nft is told', () => {
  test('a table of our own, owned, with a lease, on the devices of our media', () => {
    const text = tableText({ name: TABLE, devices: ['eth0', 'bond0.12'], leaseSeconds: 10 });
    expect(text.split('\n')).toHaveLength(1);
    expect(text).toContain(`add table netdev ${TABLE} { flags owner; }`);
    expect(text).toContain('elements = { udp timeout 10s }');
    expect(text).toContain('hook ingress devices = { "eth0", "bond0.12" }');
    for (const condition of [
      'ip protocol udp',
      'meta pkttype host',
      'ip hdrlength 5',
      'ip ttl >= 32',
      'udp checksum != 0',
      'ip frag-off & 0x3fff == 0',
      '@th,90,6 != 0',
      'ip daddr . udp dport @gates',
    ]) {
      expect(text).toContain(condition);
    }
    const media = text.split('; ').filter((each) => each.includes(' media '));
    expect(media[1]).toBe(`add rule netdev ${TABLE} media ether type { 8021q, 8021ad } accept`);
  });

  test('a flow is put in whole, its gate last', () => {
    expect(carryText(TABLE, FLOW, 'LE').split('; ')).toEqual([
      `add element netdev ${TABLE} sport { 7 : 30002 }`,
      `add element netdev ${TABLE} dport { 7 : 5000 }`,
      `add element netdev ${TABLE} saddr { 7 : 198.51.100.1 }`,
      `add element netdev ${TABLE} daddr { 7 : 203.0.113.5 }`,
      `add element netdev ${TABLE} hop { 7 : 198.51.100.254 }`,
      `add element netdev ${TABLE} out { 7 : "eth1" }`,
      `add element netdev ${TABLE} legs16 { 192.0.2.9 . 4000 . 20000 . 0x890 . 0x44332211 : 7 }`,
      `add element netdev ${TABLE} gates { 192.0.2.1 . 20000 }`,
    ]);
    expect(carryText(TABLE, FLOW, 'BE')).toContain('. 0x90080000 . 0x11223344 : 7');
  });

  test('flows are taken out in three steps: gates, counters, the rest', () => {
    const other = { ...FLOW, id: 8, receiver: { address: '192.0.2.1', port: 20_128 } };
    const [gates, read, rest, ...more] = releaseText(TABLE, [FLOW, other], 'LE').split('\n');
    expect(more).toEqual([]);
    expect(gates).toBe(
      `delete element netdev ${TABLE} gates { 192.0.2.1 . 20000 }; ` +
        `delete element netdev ${TABLE} gates { 192.0.2.1 . 20128 }`,
    );
    // Both are in the same map, which is read once.
    expect(read).toBe(readText(TABLE, 16));
    expect(rest?.split('; ')).toHaveLength(14);
  });

  test('the lease is renewed whether or not it is over', () => {
    expect(leaseText(TABLE, 10)).toBe(
      `add element netdev ${TABLE} alive { udp }; delete element netdev ${TABLE} alive { udp }; ` +
        `add element netdev ${TABLE} alive { udp timeout 10s }`,
    );
  });

  test('every media port has its map, and a pair of ports the same one', () => {
    const ports = fc.integer({ min: 512, max: 32_767 }).map((half) => half * 2);
    fc.assert(
      fc.property(ports, (port) => {
        expect(shardOf(port)).toBe((port & (2 * SHARDS - 1)) >> 1);
        expect(shardOf(port + 1)).toBe(shardOf(port));
      }),
    );
  });
});

describe('what nft says', () => {
  test.each([
    ['', undefined],
    ['table netdev x {\n}\n', undefined],
    [
      'Error: Could not process rule: File exists\nadd …\n^^^',
      'Could not process rule: File exists',
    ],
    ['internal:0:0-0: Error: No such file\n', 'No such file'],
    ['sh: 1: exec: nft: not found', undefined],
  ])('complaint in %j', (answer, complaint) => {
    expect(parseComplaint(answer)).toBe(complaint);
  });

  test('counters, without the headers that the kernel counts as well', () => {
    const answer =
      'table netdev t {\n\tmap legs1 {\n\t\telements = { 10.0.0.1 . 1 . 2 . 0:80 . 0x00000001 counter packets 3 bytes 600 : 0x0000000a,\n' +
      '\t\t\t     10.0.0.1 . 1 . 4 . 0:80 . 0x00000001 counter packets 0 bytes 0 : 0xdeadbeef }\n\t}\n}\n';
    expect(parseCounts(answer)).toEqual([
      { id: 10, packets: 3, bytes: 516 },
      { id: 0xdeadbeef, packets: 0, bytes: 0 },
    ]);
  });

  test('anything else has no counters', () => {
    fc.assert(
      fc.property(fc.string(), (answer) => {
        expect(parseCounts(answer)).toEqual([]);
      }),
    );
  });
});

describe('tables of dead processes', () => {
  test('are those of this program but its own', () => {
    const listed =
      'table netdev tonebridge_00c0ffee\ntable netdev tonebridge_0badcafe\n' +
      'table netdev filter\ntable inet tonebridge_11111111\ntable netdev my_tonebridge_22222222\n';
    expect(foreignTables(listed, TABLE)).toEqual(['tonebridge_0badcafe']);
  });

  test.each([
    ['table netdev t {\n\tset alive {\n\t\ttype inet_proto\n\t\tflags timeout\n\t}\n}\n', true],
    ['set alive {\n\t\telements = { udp timeout 10s expires 3s }\n\t}\n', false],
    ['Error: No such file or directory\n', false],
  ])('lease in %j is over: %s', (shown, isOver) => {
    expect(isLeaseOver(shown)).toBe(isOver);
  });
});
