import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bracketHost,
  isLoopback,
  parseHostPort,
  parseSipPort,
} from '../../../src/config/address.ts';
import { formatDuration, parseDurationMs } from '../../../src/config/duration.ts';
import {
  editDistance,
  LETTERS_PER_SLIP_IN_NAME,
  listed,
  nearest,
} from '../../../src/config/suggestion.ts';
import { addNetwork } from '../../../src/config/values.ts';

describe('durations', () => {
  test.each<[string, number | undefined]>([
    ['100ms', 100],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['180d', 15_552_000_000],
    ['0', 0],
    ['0s', 0],
    ['60', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    ['1 s', undefined],
    ['s', undefined],
    ['', undefined],
    ['1S', undefined],
    ['9999999999999s', undefined],
  ])('%j is %s ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  test('what is written reads back the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 11 }), (durationMs) => {
        expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe('addresses', () => {
  test.each<[string, unknown]>([
    ['127.0.0.1', { host: '127.0.0.1', port: undefined }],
    ['127.0.0.1:5080', { host: '127.0.0.1', port: 5080 }],
    ['::1', { host: '::1', port: undefined }],
    ['[::1]', { host: '::1', port: undefined }],
    ['[2001:db8::1]:5061', { host: '2001:db8::1', port: 5061 }],
    ['sip.carrier.example', { host: 'sip.carrier.example', port: undefined }],
    ['sip.carrier.example:5070', { host: 'sip.carrier.example', port: 5070 }],
    ['127.0.0.1:65536', undefined],
    ['127.0.0.1:', undefined],
    ['10.0.0.300', undefined],
    ['[127.0.0.1]:1', undefined],
    ['[::1', undefined],
    ['-host', undefined],
    ['a b', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseHostPort(text)).toEqual(expected);
  });

  test.each<[string, unknown]>([
    ['udp/127.0.0.1:5060', { transport: 'udp', address: '127.0.0.1', port: 5060 }],
    ['tls/[::1]:5061', { transport: 'tls', address: '::1', port: 5061 }],
    ['tcp/127.0.0.1:0', { transport: 'tcp', address: '127.0.0.1', port: 0 }],
    ['udp/127.0.0.1', undefined],
    ['udp/localhost:5060', undefined],
    ['ws/127.0.0.1:80', undefined],
    ['127.0.0.1:5060', undefined],
  ])('SIP port %j', (text, expected) => {
    expect(parseSipPort(text)).toEqual(expected);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['localhost', true],
    ['128.0.0.1', false],
    ['127.example', false],
    ['0.0.0.0', false],
  ])('%s loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  test('IPv6 stands in brackets in a URI', () => {
    expect([bracketHost('::1'), bracketHost('10.0.0.1')]).toEqual(['[::1]', '10.0.0.1']);
  });

  test.each([
    ['10.0.0.0/8', true],
    ['10.0.0.1', true],
    ['2001:db8::/32', true],
    ['::1/128', true],
    ['10.0.0.0/33', false],
    ['10.0.0.0/', false],
    ['10.0.0.0/8/8', false],
    ['example/8', false],
  ])('network %s: %s', (text, expected) => {
    expect(addNetwork(new BlockList(), text)).toBe(expected);
  });
});

describe('suggestions', () => {
  test.each([
    ['', '', 0],
    ['realm', 'realm', 0],
    ['realm', 'reaml', 1],
    ['realm', 'realms', 1],
    ['abc', 'xyz', 3],
  ])('%s and %s differ by %i', (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
    expect(editDistance(right, left)).toBe(distance);
  });

  test.each([
    ['sipPorts', 'sip-ports'],
    ['SIP_PORTS', 'sip-ports'],
    ['reaml', 'realm'],
    ['alolw', 'allow'],
    ['alllwo', 'allow'],
    ['x', undefined],
    ['core', undefined],
    ['something-else', undefined],
  ])('%s suggests %s', (word, expected) => {
    expect(nearest(word, ['name', 'realm', 'sip-ports', 'allow'])).toBe(expected);
  });

  test('of a name two slips in five letters are taken for slips', () => {
    expect(nearest('tslaa', ['carrier', 'tlsa'], LETTERS_PER_SLIP_IN_NAME)).toBe('tlsa');
  });

  test.each([
    [[], ''],
    [['a', 'b', 'a'], 'a, b'],
    ['abcdefgh'.split(''), 'a, b, c, d, e, f, g, h'],
    ['abcdefghij'.split(''), 'a, b, c, d, e, f, g, h, …'],
  ])('%j are listed as %j', (names, expected) => {
    expect(listed(names)).toBe(expected);
  });
});
