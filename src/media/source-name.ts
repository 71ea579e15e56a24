/** Names for sources of media that say nothing about them. */
import { createHmac, randomBytes } from 'node:crypto';
import type { RenameSource } from './rtcp-descriptions.ts';

const KEY_BYTES = 16;

/** A key for the names of one call. */
export function newNameKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/** The same name for the same source under one key; nobody can tell the source by it. */
export function renameWith(key: string): RenameSource {
  return (name) => {
    const digits = createHmac('sha256', key).update(name).digest('hex');
    return Buffer.alloc(name.length, digits);
  };
}
