import type { DialogIdentity } from '../sip/dialog.ts';
import { parseReplaces } from '../wire/replaces.ts';
import { getHeaders, type SipMessage } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';

/**
 * The status for an INVITE that asks to take the place of a dialog; `undefined` when it asks for nothing.
 *
 * Nobody is authorised to take over a leg of a call, so what RFC 3891 §3 says of that is the answer: 403 for a dialog of
 * ours, 481 for any other, 400 for more than one. To ignore the header would place a second call beside the first.
 */
export function replacesRefusal(
  invite: SipMessage,
  dialogs: Iterable<DialogIdentity>,
): 400 | 403 | 481 | undefined {
  const [value, ...others] = getHeaders(invite, 'Replaces');
  if (value === undefined) return undefined;
  if (others.length > 0) return 400;
  try {
    const { callId, localTag, remoteTag } = parseReplaces(value);
    for (const dialog of dialogs) {
      const isNamed =
        dialog.callId === callId && dialog.localTag === localTag && dialog.remoteTag === remoteTag;
      if (isNamed) return 403;
    }
    return 481;
  } catch (error) {
    if (error instanceof WireError) return 400;
    throw error;
  }
}
