/** The longest wait of the end that owns the Call-ID, and the shortest, milliseconds (RFC 3261 §14.1). */
const OWNER_MS = { shortest: 2100, longest: 4000 };
const OTHER_MS = { shortest: 0, longest: 2000 };
const STEP_MS = 10;

/**
 * How long an offer of ours waits after a 491 before it is made again, milliseconds (RFC 3261 §14.1).
 *
 * @param role `uac`: we sent the INVITE that began the dialog, and chose its Call-ID
 * @param random at least 0, below 1
 */
export function glareDelayMs(role: 'uac' | 'uas', random: number): number {
  const { shortest, longest } = role === 'uac' ? OWNER_MS : OTHER_MS;
  const steps = (longest - shortest) / STEP_MS + 1;
  return shortest + Math.floor(random * steps) * STEP_MS;
}
