/**
 * Arithmetic of counters that wrap: RTP sequence numbers (16 bit) and timestamps (32 bit).
 *
 * Wrapping counters are never compared with `<`; the signed distance says who is ahead:
 *
 *   sequenceDistance16(65535, 2) === 3      2 is three steps ahead of 65535
 *   sequenceDistance16(2, 65535) === -3     65535 is three steps behind 2
 *
 * Exactly half the range apart counts as behind, in both orders (RFC 1982 leaves it undefined).
 */

/** Signed steps from `from` to `to`, -32768 to 32767. */
export function sequenceDistance16(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Signed steps from `from` to `to`, -2147483648 to 2147483647. */
export function sequenceDistance32(from: number, to: number): number {
  return (to - from) | 0;
}

/** `value` moved by `steps`, which may be negative or more than the range. */
export function addSequence16(value: number, steps: number): number {
  return (value + steps) & 0xffff;
}

/** `value` moved by `steps`, which may be negative or more than the range; fractions are cut off. */
export function addSequence32(value: number, steps: number): number {
  return (value + steps) >>> 0;
}
