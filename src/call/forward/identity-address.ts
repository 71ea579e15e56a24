import { parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import { WireError } from '../../wire/wire-error.ts';

/** The URI of who calls: what a trusted side asserts, else From; `undefined` when it cannot be read. */
export function identityAddress(message: SipMessage, isTrusted: boolean): string | undefined {
  const asserted = isTrusted ? getHeader(message, 'P-Asserted-Identity') : undefined;
  try {
    const [first = ''] = splitHeaderList(asserted ?? getHeader(message, 'From') ?? '');
    return parseNameAddr(first).uri;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
