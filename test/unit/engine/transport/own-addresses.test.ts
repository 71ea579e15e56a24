import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OwnAddresses } from '../../../../src/engine/transport/own-addresses.ts';

const MACHINE = [
  { address: '127.0.0.1', prefixBits: 8, isLoopback: true },
  { address: '198.51.100.7', prefixBits: 24, isLoopback: false },
  { address: '10.1.2.3', prefixBits: 16, isLoopback: false },
  { address: '::1', prefixBits: 128, isLoopback: true },
];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['127.0.0.5', '127.0.0.1', 'its own network'],
  ['10.1.99.9', '10.1.2.3', 'its own network'],
  ['203.0.113.1', '198.51.100.7', 'the first that leads outward'],
  ['2001:db8::1', '::1', 'the only one of the family'],
])('a peer at %s sees %s: %s', (remote, expected) => {
  expect(new OwnAddresses(() => MACHINE).towards(remote, '0.0.0.0')).toBe(expected);
});

test('without any address of the family the fallback stays', () => {
  expect(new OwnAddresses(() => []).towards('192.0.2.1', '0.0.0.0')).toBe('0.0.0.0');
});

test('the addresses of the machine are read again every 10 s', () => {
  let machine = MACHINE.slice(0, 2);
  const own = new OwnAddresses(() => machine);
  expect(own.towards('10.1.99.9', '')).toBe('198.51.100.7');
  machine = MACHINE;
  expect(own.towards('10.1.99.9', '')).toBe('198.51.100.7');
  vi.advanceTimersByTime(10_001);
  expect(own.towards('10.1.99.9', '')).toBe('10.1.2.3');
});

test('this machine has a loopback address', () => {
  expect(new OwnAddresses().towards('127.0.0.9', '')).toBe('127.0.0.1');
});
