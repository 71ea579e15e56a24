import { randomBytes } from 'node:crypto';

/** A name for a call attempt in logs, records and the API. */
export function newCallId(): string {
  return randomBytes(8).toString('hex');
}

/** A numeric id for o= lines (RFC 8866 §5.2), unguessable from the other leg's. */
export function newSessionId(): string {
  return String(randomBytes(4).readUInt32BE(0));
}
