import { ownText } from '../wire/own-bytes.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader } from '../wire/sip-message.ts';
import type { RespondOutcome } from './sip-connection.ts';

/** The dialog that a 2xx of ours to a SUBSCRIBE opened. */
export interface OpenDialog {
  readonly dialogId: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localContact: string | undefined;
}

/** `undefined` when the answer names none. */
export function dialogOf(sent: Extract<RespondOutcome, { type: 'sent' }>): OpenDialog | undefined {
  const { message, dialogId } = sent;
  const header = (name: string): string => getHeader(message, name) ?? '';
  const localTag = tagOf(header('To'));
  // A tag and an id are what a dialog is known by.
  if (localTag === undefined || dialogId === '') return undefined;
  const contact = getHeader(message, 'Contact');
  return {
    dialogId,
    callId: ownText(header('Call-ID')),
    localTag: ownText(localTag),
    remoteTag: ownText(tagOf(header('From')) ?? ''),
    localContact: contact === undefined ? undefined : ownText(contact),
  };
}
