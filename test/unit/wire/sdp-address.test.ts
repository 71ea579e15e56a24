import { describe, expect, test } from 'vitest';
import {
  addressFamily,
  formatConnection,
  isMediaTarget,
  isUnspecified,
  parseConnection,
  plainAddress,
} from '../../../src/wire/sdp-address.ts';

describe('address family', () => {
  // oxfmt-ignore
  test.each([
    ['192.0.2.1', 'IP4'], ['255.255.255.255', 'IP4'], ['0.0.0.0', 'IP4'],
    ['256.0.2.1', undefined], ['192.0.2', undefined], ['192.0.2.01', undefined], ['192.0.2.1.5', undefined],
    ['2001:db8::1', 'IP6'], ['::', 'IP6'], ['::1', 'IP6'], ['1::', 'IP6'], ['::ffff:192.0.2.1', 'IP6'],
    ['1:2:3:4:5:6:7:8', 'IP6'], ['1:2:3:4:5:6:192.0.2.1', 'IP6'],
    ['1:2:3:4:5:6:7', undefined], ['1:2:3:4:5:6:7:8:9', undefined], ['1::2::3', undefined],
    ['1:2:3:4:5:6:7::8', undefined], ['192.0.2.1::1', undefined], ['12345::1', undefined], ['g::1', undefined],
    [':::', undefined], ['host.example.com', undefined], ['', undefined], ['1'.repeat(50), undefined],
  ] as const)('%s: %s', (address, family) => {
    expect(addressFamily(address)).toBe(family);
  });
});

describe('the address that media goes to', () => {
  test.each([
    ['::ffff:192.0.2.2', '192.0.2.2'],
    ['::FFFF:c000:0202', '192.0.2.2'],
    ['0:0:0:0:0:ffff:192.0.2.2', '192.0.2.2'],
    ['0::0:ffff:c000:202', '192.0.2.2'],
    ['0:0:0:0:0:ffff::', '0.0.0.0'],
    ['::ffff:0:0', '0.0.0.0'],
    ['::ffff:255.255.255.255', '255.255.255.255'],
    // Neither IPv4-compatible nor IPv4-translated addresses are IPv4-mapped ones.
    ['::192.0.2.2', '::192.0.2.2'],
    ['::ffff:0:192.0.2.2', '::ffff:0:192.0.2.2'],
    ['64:ff9b::192.0.2.2', '64:ff9b::192.0.2.2'],
    ['1::ffff:192.0.2.2', '1::ffff:192.0.2.2'],
    ['2001:db8::1', '2001:db8::1'],
    ['::', '::'],
    ['192.0.2.2', '192.0.2.2'],
    ['host.example.com', 'host.example.com'],
    ['::ffff:192.0.2.256', '::ffff:192.0.2.256'],
  ])('%s: %s', (address, expected) => {
    expect(plainAddress(address)).toBe(expected);
  });
});

describe('where media may go', () => {
  // oxfmt-ignore
  test.each([
    ['192.0.2.1', true], ['2001:db8::1', true], ['127.0.0.1', true], ['223.255.255.255', true],
    ['0.0.0.0', false], ['0.1.2.3', false], ['::', false], ['224.0.0.1', false], ['255.255.255.255', false],
    ['ff02::1', false], ['host.example.com', false],
  ] as const)('%s: %s', (address, expected) => {
    expect(isMediaTarget(address)).toBe(expected);
  });

  test.each([
    ['0.0.0.0', true],
    ['::', true],
    ['0:0:0:0:0:0:0:0', true],
    ['::1', false],
    ['0.0.0.1', false],
  ])('%s is the address of a hold: %s', (address, expected) => {
    expect(isUnspecified(address)).toBe(expected);
  });
});

test.each([
  ['IN IP4 192.0.2.1', '192.0.2.1'],
  ['IN IP4 224.2.1.1/127/3', '224.2.1.1'],
  [' IN  IP6  2001:db8::1 ', '2001:db8::1'],
  ['IN IP4', undefined],
  ['IN', undefined],
  ['', undefined],
])('the address of c=%s is %s', (value, address) => {
  expect(parseConnection(value)).toBe(address);
});

test('an address is written with its family', () => {
  expect(formatConnection('192.0.2.1')).toBe('IN IP4 192.0.2.1');
  expect(formatConnection('2001:db8::1')).toBe('IN IP6 2001:db8::1');
});
