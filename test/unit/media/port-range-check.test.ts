import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { checkPortRange, localOverlap, samplePorts } from '../../../src/media/port-range-check.ts';
import { openFailureOf } from '../../../src/media/relay-sockets.ts';
import { freePortRange } from '../../support/free-ports.ts';

test.each([
  [20_000, 20_003, [20_000, 20_002]],
  [20_001, 20_003, [20_002]],
  [20_001, 20_002, []],
])('of %i to %i the ports %j are tried', (portMin, portMax, ports) => {
  expect(samplePorts({ address: '127.0.0.1', portMin, portMax })).toEqual(ports);
});

test('of a long range first, last and some between are tried', () => {
  const ports = samplePorts({ address: '127.0.0.1', portMin: 20_000, portMax: 29_999 });
  expect([ports.length, ports[0], ports.at(-1)]).toEqual([16, 20_000, 29_998]);
  expect(ports.every((port) => port % 2 === 0)).toBe(true);
});

test.each([
  ['32768\t60999\n', '', [20_000, 29_999], undefined],
  ['32768\t60999\n', '', [30_000, 39_999], { first: 32_768, last: 39_999 }],
  ['32768\t60999\n', '8080,32768-39999\n', [30_000, 39_999], undefined],
  ['32768\t60999\n', '32768-39998\n', [30_000, 39_999], { first: 32_768, last: 39_999 }],
  ['', '', [1, 65_535], undefined],
] as const)('local %j, reserved %j: %j overlaps in %j', (local, reserved, range, overlap) => {
  const [portMin, portMax] = range;
  expect(localOverlap({ portMin, portMax }, local, reserved)).toEqual(overlap);
});

const isAboutPorts = ({ type }: { type: string }): boolean => type !== 'overlaps-local-ports';

test('a free range has no finding, one that is held says how many ports', async () => {
  const { first, last } = await freePortRange(8);
  const range = { address: '127.0.0.1', portMin: first, portMax: last };
  expect((await checkPortRange(range)).filter(isAboutPorts)).toEqual([]);
  const holder = createSocket('udp4');
  await new Promise<void>((done) => holder.bind(first, '127.0.0.1', done));
  const held = await checkPortRange(range);
  await new Promise<void>((done) => holder.close(done));
  expect(held.filter(isAboutPorts)).toEqual([{ type: 'ports-taken', taken: 1, tried: 4 }]);
});

test('an address that is not local is one finding', async () => {
  const findings = await checkPortRange({ address: '192.0.2.1', portMin: 20_000, portMax: 20_100 });
  expect(findings).toEqual([{ type: 'address-unavailable', code: 'EADDRNOTAVAIL' }]);
});

test.each([
  ['EADDRINUSE', 'port-taken'],
  ['EACCES', 'port-taken'],
  ['EMFILE', 'no-descriptors'],
  ['ENFILE', 'no-descriptors'],
  ['EADDRNOTAVAIL', 'address-unavailable'],
])('%s means %s', (code, reason) => {
  expect(openFailureOf(code)).toBe(reason);
});
