import { createHash, randomBytes } from 'node:crypto';
import type { DigestHash, HashFunction } from '../wire/digest.ts';

const NODE_NAMES: Readonly<Record<DigestHash, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/** The hashes of digest authentication. */
export const digestHash: HashFunction = (hash, data) =>
  createHash(NODE_NAMES[hash]).update(data).digest('hex');

/** 128 random bits in hexadecimal. */
export function newClientNonce(): string {
  return randomBytes(16).toString('hex');
}
