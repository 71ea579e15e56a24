import { randomBytes, randomInt } from 'node:crypto';

export function newCallId(): string {
  return randomBytes(16).toString('hex');
}

/** First CSeq of a dialog, with room to count up (RFC 3261 §8.1.1.5). */
export function newCSeq(): number {
  return randomInt(1, 0x4000_0000);
}

/** First RSeq (RFC 3262 §3). */
export function newRSeq(): number {
  return randomInt(1, 0x4000_0000);
}
