import { randomBytes } from 'node:crypto';

/** A tag of 8 random bytes, which nobody can guess (RFC 3261 §19.3 asks for at least 4). */
export function createTag(): string {
  return randomBytes(8).toString('hex');
}
