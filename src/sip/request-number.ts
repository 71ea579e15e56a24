import { getHeader, type SipRequest } from '../wire/sip-message.ts';

/** The number in CSeq, which an ACK shares with its INVITE; `undefined` when there is none that can be read. */
export function cseqOf(message: SipRequest): number | undefined {
  const digits = /^\s*(\d{1,10})\s/.exec(getHeader(message, 'CSeq') ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
