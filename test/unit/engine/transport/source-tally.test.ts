import { expect, test } from 'vitest';
import { SourceTally } from '../../../../src/engine/transport/source-tally.ts';

test('counts per source, a /64 as one, and never below nothing', () => {
  const tally = new SourceTally();
  tally.add('192.0.2.1');
  tally.add('2001:db8::1');
  tally.add('2001:db8::2');
  const before = ['192.0.2.1', '192.0.2.2', '2001:db8::9'].map((address) => tally.of(address));
  for (let index = 0; index < 3; index += 1) tally.remove('2001:db8::1');
  tally.add('2001:db8::3');
  expect([before, tally.of('2001:db8::1')]).toEqual([[1, 0, 2], 1]);
});
