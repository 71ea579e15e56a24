/** Randomness nobody can guess, for port numbers, SSRCs and sequence numbers (RFC 3550 §5.1). */

import { randomInt } from 'node:crypto';

/** As many steps as `randomInt` can count. */
const STEPS = 2 ** 47;

/** Uniform in [0, 1). */
export function secureRandom(): number {
  return randomInt(STEPS) / STEPS;
}
