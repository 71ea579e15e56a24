/**
 * The Allow-Events header: the event packages a party can notify (RFC 6665 §8.2.2).
 *
 * Read in all its spellings: `Allow-Events`, the compact `u`, and `Allow-Event`, which some
 * devices send by mistake. What comes out is the value of one `Allow-Events` header.
 */

/** What is needed of a message: its header fields in order. */
export interface AllowEventsSource {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export type AllowEventsEdit = 'keep' | 'remove-kpml' | 'add-kpml';

const SPELLINGS: ReadonlySet<string> = new Set(['allow-events', 'u', 'allow-event']);
const KPML = 'kpml';

/** The event tokens of all Allow-Events headers, as written and in order. */
export function readAllowEvents(message: AllowEventsSource): readonly string[] {
  return message.headers
    .filter((header) => SPELLINGS.has(header.name.trim().toLowerCase()))
    .flatMap((header) => header.value.split(','))
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** Whether the message announces kpml; the token is taken without regard to case. */
export function hasKpml(message: AllowEventsSource): boolean {
  return readAllowEvents(message).some(isKpml);
}

/**
 * The Allow-Events value for the other leg: all lists in one. Removing takes the kpml token
 * alone; adding never doubles it.
 *
 * @returns `undefined` when no token is left: the header is not written.
 */
export function editAllowEvents(
  message: AllowEventsSource,
  edit: AllowEventsEdit,
): string | undefined {
  const tokens = readAllowEvents(message);
  const kept = edit === 'remove-kpml' ? tokens.filter((token) => !isKpml(token)) : [...tokens];
  if (edit === 'add-kpml' && !kept.some(isKpml)) kept.push(KPML);
  return kept.length === 0 ? undefined : kept.join(', ');
}

/** A token may carry parameters, which do not change the package it names. */
function isKpml(token: string): boolean {
  return token.split(';', 1)[0]?.trim().toLowerCase() === KPML;
}
