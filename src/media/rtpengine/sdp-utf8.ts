/** The rule for bytes in SDP that are no UTF-8: the ng protocol carries text, and its decoder replaces such bytes. */

/** What a decoder leaves in place of bytes that are no UTF-8, and halves of surrogate pairs. */
const UNREADABLE = /[\uFFFD\p{Surrogate}]/u;
const EACH_UNREADABLE = /[\uFFFD\p{Surrogate}]/gu;
/** Lines for people only: nothing is derived from what they say. */
const FOR_PEOPLE = /^[siuep]=/;

/**
 * `sdp` as it can be handed to an engine: unreadable characters become `?` in lines for people.
 *
 * @returns `undefined` when another line has one, which may mean anything.
 */
export function utf8Sdp(sdp: string): string | undefined {
  if (!UNREADABLE.test(sdp)) return sdp;
  const lines = sdp.split('\n');
  if (lines.some((line) => UNREADABLE.test(line) && !FOR_PEOPLE.test(line))) return undefined;
  return lines.map((line) => line.replace(EACH_UNREADABLE, '?')).join('\n');
}
