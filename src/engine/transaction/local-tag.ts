import { randomBytes } from 'node:crypto';

/** A To tag that nobody can guess (RFC 3261 §19.3). */
export function createTag(): string {
  return randomBytes(6).toString('hex');
}
