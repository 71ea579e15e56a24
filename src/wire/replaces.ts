import { parseHeaderParameters } from './sip-headers.ts';
import { WireError } from './wire-error.ts';

/** The dialog that an INVITE asks to take the place of (RFC 3891 §6.1), as its reader knows it. */
export interface Replaces {
  readonly callId: string;
  /** Tag of the reader of the header. */
  readonly localTag: string;
  readonly remoteTag: string;
  readonly isEarlyOnly: boolean;
}

/** @throws WireError when `value` does not name exactly one dialog. */
export function parseReplaces(value: string): Replaces {
  const semicolon = value.indexOf(';');
  const callId = value.slice(0, Math.max(semicolon, 0)).trim();
  const parameters = parseHeaderParameters(semicolon < 0 ? '' : value.slice(semicolon));
  const localTag = parameters.get('to-tag') ?? '';
  const remoteTag = parameters.get('from-tag') ?? '';
  if (!/^[^\s,;]+$/.test(callId) || localTag === '' || remoteTag === '') {
    throw new WireError('expected call-id;to-tag=…;from-tag=…');
  }
  return { callId, localTag, remoteTag, isEarlyOnly: parameters.has('early-only') };
}

export function formatReplaces({ callId, localTag, remoteTag, isEarlyOnly }: Replaces): string {
  const early = isEarlyOnly ? ';early-only' : '';
  return `${callId};to-tag=${localTag};from-tag=${remoteTag}${early}`;
}
