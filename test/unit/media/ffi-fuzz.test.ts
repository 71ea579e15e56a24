/** Sockets made of system calls under whatever may happen to them; the long form is test/long/ffi-fuzz.ts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FUZZ_KINDS, fuzzIo } from '../../support/io-fuzz.ts';

const actions = fc.array(
  fc.record({
    kind: fc.constantFrom(...FUZZ_KINDS),
    stream: fc.nat(5),
    peer: fc.nat(2),
    port: fc.nat(3),
    length: fc.oneof(fc.nat(2000), fc.constantFrom(0, 1, 12, 172)),
  }),
  { minLength: 20, maxLength: 120 },
);

test('packets of any length and closes at any moment: nothing of a stream reaches another', async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (list) => {
      expect(await fuzzIo(list)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
