/**
 * Which dialog of ours a SUBSCRIBE outside every dialog names by call-id, local-tag and remote-tag (RFC 4730 §4.2).
 *
 *   local-tag is the notifier's own tag, hence ours; some peers take the two the other way round.
 *
 *   exactly one dialog as named            that one
 *   none, but exactly one with tags turned that one
 *   otherwise, or without call-id          none: with a Call-ID alone two dialogs of a loop would look the same
 */
import { matchDialog, type DialogReference } from '../../wire/event-headers.ts';

/** Tags and Call-ID of a dialog, seen from us. */
export interface NamedDialog {
  readonly identity: Required<DialogReference>;
}

export function findReferenced<T extends NamedDialog>(
  reference: DialogReference,
  dialogs: Iterable<T>,
): T | undefined {
  if (reference.callId === undefined) return undefined;
  const same: T[] = [];
  const swapped: T[] = [];
  for (const dialog of dialogs) {
    const { callId, localTag, remoteTag } = dialog.identity;
    const match = matchDialog(reference, { callId, localTag, remoteTag });
    if (match === 'same') same.push(dialog);
    else if (match === 'swapped') swapped.push(dialog);
  }
  const found = same.length > 0 ? same : swapped;
  return found.length === 1 ? found[0] : undefined;
}
