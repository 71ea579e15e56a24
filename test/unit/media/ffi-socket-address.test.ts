/** Addresses as the kernel has them, beside those Node's own sockets would name. */
import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readSocketAddress,
  type Scopes,
  SOCKET_ADDRESS_BYTES,
  writeSocketAddress,
} from '../../../src/media/ffi/socket-address.ts';

const SCOPES: Scopes = {
  indexOf: (name) => (name === 'eth0' ? 2 : 0),
  nameOf: (index) => (index === 2 ? 'eth0' : undefined),
};

function written(address: string, port: number): { hex: string; view: DataView; length: number } {
  const view = new DataView(new ArrayBuffer(SOCKET_ADDRESS_BYTES));
  const length = writeSocketAddress(view, { address, port }, SCOPES);
  return { hex: Buffer.from(view.buffer, 0, length).toString('hex'), view, length };
}

describe('an address is written as the kernel reads it', () => {
  test.each([
    ['192.0.2.1', 4000, '02000fa0c00002010000000000000000'],
    ['255.255.255.255', 65_535, '0200ffffffffffff0000000000000000'],
    ['2001:db8::1', 4000, '0a000fa00000000020010db800000000000000000000000100000000'],
    ['2001:DB8:0:0:0:0:0:1', 1, '0a0000010000000020010db800000000000000000000000100000000'],
    ['::', 5060, '0a0013c4000000000000000000000000000000000000000000000000'],
    ['::1', 5060, '0a0013c4000000000000000000000000000000000000000100000000'],
    ['::ffff:192.0.2.1', 9, '0a0000090000000000000000000000000000ffffc000020100000000'],
    ['fe80::1%eth0', 9, '0a00000900000000fe80000000000000000000000000000102000000'],
    ['fe80::1%7', 9, '0a00000900000000fe80000000000000000000000000000107000000'],
  ])('%s port %i', (address, port, hex) => {
    expect(written(address, port).hex).toBe(hex);
  });

  test.each([
    ['a host name', 'media.example', 4000],
    ['nothing', '', 4000],
    ['three parts', '192.0.2', 4000],
    ['a part too high', '192.0.2.256', 4000],
    ['two gaps', '2001::db8::1', 4000],
    ['a group too long', '2001:db8::12345', 4000],
    ['an interface that is not there', 'fe80::1%eth9', 4000],
    ['interface 0', 'fe80::1%0', 4000],
    ['IPv4 with an interface', '192.0.2.1%eth0', 4000],
    ['a port too high', '192.0.2.1', 65_536],
    ['a negative port', '192.0.2.1', -1],
    ['half a port', '192.0.2.1', 0.5],
  ])('%s is refused', (_name, address, port) => {
    expect(written(address, port).length).toBe(0);
  });
});

describe('an address is read as Node writes it', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::192.0.2.1', '::192.0.2.1'],
    ['::1', '::1'],
    ['::', '::'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::1%7', 'fe80::1%7'],
    ['2001:db8::1%eth0', '2001:db8::1'],
  ])('%s as %s', (address, expected) => {
    const { view, length } = written(address, 4000);
    expect(readSocketAddress(view, length, SCOPES)).toEqual({ address: expected, port: 4000 });
  });

  test('whatever the address is', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 65_535 }), (values, port) => {
        const text = values.map((value) => value.toString(16)).join(':');
        const { view, length } = written(text, port);
        const { address } = new SocketAddress({ address: text, family: 'ipv6' });
        expect(readSocketAddress(view, length, SCOPES)).toEqual({ address, port });
      }),
    );
  });

  test('what is none gives nothing', () => {
    const { view } = written('2001:db8::1', 4000);
    for (const length of [0, 2, 15, 27]) {
      expect(readSocketAddress(view, length, SCOPES)).toBeUndefined();
    }
    view.setUint16(0, 1, true);
    expect(readSocketAddress(view, SOCKET_ADDRESS_BYTES, SCOPES)).toBeUndefined();
  });

  test('any bytes at all do no harm', () => {
    const bytes = fc.uint8Array({
      minLength: SOCKET_ADDRESS_BYTES,
      maxLength: SOCKET_ADDRESS_BYTES,
    });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 128 }), (content, length) => {
        const view = new DataView(Uint8Array.from(content).buffer);
        const source = readSocketAddress(view, length, SCOPES);
        if (source === undefined) return;
        expect(writeSocketAddress(view, source, SCOPES)).toBeGreaterThan(0);
      }),
    );
  });
});
