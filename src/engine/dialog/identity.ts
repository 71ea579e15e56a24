import { getHeader } from '../../wire/sip-message.ts';
import type { SipMessage } from '../../wire/sip-message.ts';
import { parseCSeq, parseNameAddr } from '../../wire/sip-headers.ts';
import type { CSeq, NameAddr } from '../../wire/sip-headers.ts';

/** The fields by which a message is matched to a dialog (RFC 3261 §12). */
export interface MessageIdentity {
  readonly callId: string;
  /** '' for the tag a very old implementation did not write (RFC 3261 §12.1.1). */
  readonly fromTag: string;
  readonly toTag: string | undefined;
  readonly cseq: CSeq;
}

/** Reads them; undefined when one is missing or cannot be read. */
export function readIdentity(message: SipMessage): MessageIdentity | undefined {
  const callId = getHeader(message, 'Call-ID');
  const from = readAddress(getHeader(message, 'From'));
  const to = readAddress(getHeader(message, 'To'));
  const cseq = readCSeq(getHeader(message, 'CSeq'));
  if (callId === undefined || from === undefined || to === undefined || cseq === undefined) {
    return undefined;
  }
  const toTag = to.parameters.get('tag');
  return { callId, fromTag: from.parameters.get('tag') ?? '', toTag, cseq };
}

/** A name-addr, undefined when there is none or it cannot be read. */
export function readAddress(value: string | undefined): NameAddr | undefined {
  if (value === undefined) return undefined;
  try {
    return parseNameAddr(value);
  } catch {
    return undefined;
  }
}

/** A CSeq, undefined when there is none or it cannot be read. */
export function readCSeq(value: string | undefined): CSeq | undefined {
  if (value === undefined) return undefined;
  try {
    return parseCSeq(value);
  } catch {
    return undefined;
  }
}
