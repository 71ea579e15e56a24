import { expect, test } from 'vitest';
import { KnownNetworks } from '../../../../src/engine/transport/known-networks.ts';

const known = new KnownNetworks([
  '192.0.2.7',
  '198.51.100.0/24',
  '2001:db8::6',
  '2001:db8:1::/48',
  'sip.carrier.example',
  '10.0.0.0/99',
]);

test.each([
  ['192.0.2.7', true],
  ['::ffff:192.0.2.7', true],
  ['192.0.2.8', false],
  ['198.51.100.200', true],
  ['2001:db8::6', true],
  ['2001:db8::7', false],
  ['2001:db8:1:ffff::1', true],
  ['10.0.0.1', false],
  ['no address', false],
])('%s known: %s', (address, isKnown) => {
  expect(known.has(address)).toBe(isKnown);
});
