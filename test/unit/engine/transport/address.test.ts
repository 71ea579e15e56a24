import { expect, test } from 'vitest';
import {
  defaultPort,
  familyOf,
  isWildcard,
  pathKey,
  plainAddress,
} from '../../../../src/engine/transport/address.ts';

test.each([
  ['192.0.2.1', 4],
  ['2001:db8::1', 6],
  ['::ffff:192.0.2.1', 6],
  ['example.com', undefined],
  ['[::1]', undefined],
])('the family of %s', (address, family) => {
  expect(familyOf(address)).toBe(family);
});

test.each([
  ['0.0.0.0', true],
  ['::', true],
  ['0:0:0:0:0:0:0:0', true],
  ['127.0.0.1', false],
  ['::1', false],
  ['example.com', false],
])('%s is a wildcard: %s', (address, expected) => {
  expect(isWildcard(address)).toBe(expected);
});

test.each([
  ['[::1]', '::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['host', 'host'],
])('%s in plain', (address, expected) => {
  expect(plainAddress(address)).toBe(expected);
});

test('default ports', () => {
  expect([defaultPort('udp'), defaultPort('tcp'), defaultPort('tls')]).toEqual([5060, 5060, 5061]);
});

test('a path is told by peer and connection', () => {
  const flow = { protocol: 'tcp', remoteAddress: '::1', remotePort: 5 } as const;
  expect(pathKey(flow)).not.toBe(pathKey({ ...flow, connectionId: 1 }));
  expect(pathKey(flow)).not.toBe(pathKey({ ...flow, protocol: 'udp' }));
  expect(pathKey(flow)).toBe(pathKey({ ...flow }));
});
