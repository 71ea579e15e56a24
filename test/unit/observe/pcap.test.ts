import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pcapLadder } from '../../../src/observe/ladder-pcap.ts';
import type { LadderEnd, LadderRow } from '../../../src/observe/ladder.ts';
import { writePcap } from '../../../src/observe/pcap.ts';
import { readPcap } from '../../support/pcap-reader.ts';

const PORT = fc.integer({ min: 0, max: 0xffff });
const IPV4 = fc.ipV4();
const GROUPS = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
const IPV6 = GROUPS.map((groups) => groups.map((group) => group.toString(16)).join(':'));
/** Whole microseconds, which is what the file can hold. */
const AT_US = fc.integer({ min: 0, max: 4_000_000_000 * 1_000_000 });

describe('the writer', () => {
  test.each([
    ['IPv4', IPV4],
    ['IPv6', IPV6],
  ])('what it writes about %s is read back as it was', (_family, address) => {
    const end = fc.record({ address, port: PORT });
    const datagram = fc.record({
      atMs: AT_US.map((us) => us / 1_000),
      from: end,
      to: end,
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 5 }), (datagrams) => {
        const read = readPcap(writePcap(datagrams));
        expect(
          read.map(({ from, to, fromPort, toPort, payload }) => ({
            from: { address: from, port: fromPort },
            to: { address: to, port: toPort },
            payload: new Uint8Array(payload),
          })),
        ).toEqual(datagrams.map(({ from, to, payload }) => ({ from, to, payload })));
        for (const [index, { atMs }] of read.entries()) {
          expect(atMs).toBeCloseTo(datagrams[index]?.atMs ?? 0, 2);
        }
      }),
    );
  });

  test.each([
    ['::1', '0:0:0:0:0:0:0:1'],
    ['2001:db8::5', '2001:db8:0:0:0:0:0:5'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
    ['::ffff:192.0.2.1', '0:0:0:0:0:ffff:c000:201'],
    ['192.0.2.1', '192.0.2.1'],
    ['sbc.example', '0.0.0.0'],
    ['1.2.3.999', '0.0.0.0'],
    ['1::2::3', '0.0.0.0'],
    ['1:2:3', '0.0.0.0'],
    ['', '0.0.0.0'],
  ])('%j is %s', (address, expected) => {
    const end = { address, port: 5060 };
    const [read] = readPcap(
      writePcap([{ atMs: 0, from: end, to: end, payload: Buffer.from('x') }]),
    );
    expect([read?.from, read?.to]).toEqual([expected, expected]);
  });

  test('ends of two families meet in IPv6', () => {
    const from = { address: '192.0.2.1', port: 1 };
    const to = { address: '2001:db8::1', port: 2 };
    const [read] = readPcap(writePcap([{ atMs: 0, from, to, payload: Buffer.alloc(3) }]));
    expect([read?.from, read?.to]).toEqual(['0:0:0:0:0:ffff:c000:201', '2001:db8:0:0:0:0:0:1']);
  });

  test('a message that no packet can hold is cut', () => {
    const end = { address: '192.0.2.1', port: 5060 };
    const payload = Buffer.alloc(70_000, 'x');
    const [read] = readPcap(writePcap([{ atMs: 0, from: end, to: end, payload }]));
    expect(read?.payload).toHaveLength(65_507);
  });

  test('without messages it is a file all the same', () => {
    expect(readPcap(writePcap([]))).toEqual([]);
  });
});

const INVITE = 'INVITE sip:1@sbc SIP/2.0\r\n\r\n';
const end = (changes: Partial<LadderEnd> = {}): LadderEnd => ({
  leg: 'caller',
  sinceMs: 0,
  name: 'phone',
  transport: 'tcp',
  local: '10.0.0.1:5060',
  remote: '10.0.0.2:40000',
  ...changes,
});
const row = (changes: Partial<LadderRow> = {}): LadderRow => ({
  atMs: 1_000,
  kind: 'sip',
  leg: 'caller',
  direction: 'in',
  summary: 'INVITE',
  text: INVITE,
  ...changes,
});
const linesOf = (rows: readonly LadderRow[], ends: readonly LadderEnd[]): string[] =>
  readPcap(pcapLadder({ rows, ends, droppedRows: 0, gapAt: 0, droppedTexts: 0 })).map(
    ({ from, fromPort, to, toPort }) => `${from}:${fromPort} > ${to}:${toPort}`,
  );

describe('a ladder', () => {
  test.each<[string, LadderRow, LadderEnd[], string]>([
    ['what came in', row(), [end()], '10.0.0.2:40000 > 10.0.0.1:5060'],
    ['what went out', row({ direction: 'out' }), [end()], '10.0.0.1:5060 > 10.0.0.2:40000'],
    [
      'a message from another address than the leg',
      row({ remote: '10.0.0.9:1' }),
      [end()],
      '10.0.0.9:1 > 10.0.0.1:5060',
    ],
    [
      'the callee that was tried then',
      row({ leg: 'callee', atMs: 50 }),
      [
        end({ leg: 'callee', name: 'a', remote: '10.0.1.1:5060' }),
        end({ leg: 'callee', name: 'b', sinceMs: 60, remote: '10.0.1.2:5060' }),
      ],
      '10.0.1.1:5060 > 10.0.0.1:5060',
    ],
    [
      'an INVITE that went to a name: the address that answered',
      row({ leg: 'callee', atMs: 50 }),
      [
        end({ leg: 'callee', remote: 'trunk.example' }),
        end({ leg: 'callee', sinceMs: 60, remote: '10.0.1.2:5070' }),
      ],
      '10.0.1.2:5070 > 10.0.0.1:5060',
    ],
    [
      'a leg of which nothing is known',
      row({ leg: 'callee' }),
      [end()],
      '192.0.2.2:5060 > 192.0.2.254:5060',
    ],
    [
      'IPv6',
      row(),
      [end({ local: '[::1]:5060', remote: '[2001:db8::2]:5061' })],
      '2001:db8:0:0:0:0:0:2:5061 > 0:0:0:0:0:0:0:1:5060',
    ],
  ])('%s', (_name, message, ends, expected) => {
    expect(linesOf([message], ends)).toEqual([expected]);
  });

  test('a message that is kept in part says how long it was', () => {
    const ends = { from: { address: '10.0.0.1', port: 1 }, to: { address: '10.0.0.2', port: 2 } };
    const [whole] = readPcap(writePcap([{ atMs: 0, ...ends, payload: Buffer.alloc(9_000) }]));
    const file = writePcap([{ atMs: 0, ...ends, payload: Buffer.alloc(8_000), wholeBytes: 9_000 }]);
    expect(whole?.payload).toHaveLength(9_000);
    // Captured and real length of the record; of the IP packet and of the UDP datagram.
    expect([file.readUInt32LE(32), file.readUInt32LE(36)]).toEqual([8_028, 9_028]);
    expect([file.readUInt16BE(42), file.readUInt16BE(64)]).toEqual([9_028, 9_008]);
  });

  test('only SIP messages whose text is kept become packets', () => {
    const { text: _text, ...bare } = row();
    const rows = [bare, row({ kind: 'media' }), row()];
    const [packet, ...others] = readPcap(
      pcapLadder({ rows, ends: [end()], droppedRows: 0, gapAt: 0, droppedTexts: 1 }),
    );
    expect([packet?.payload.toString(), packet?.atMs, others]).toEqual([INVITE, 1_000, []]);
  });
});
