import { parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipMessage } from '../../wire/sip-message.ts';
import { attempt } from '../../wire/wire-error.ts';

/** The URIs of who calls: all that a trusted side asserts (RFC 3325 §9.1: a SIP and a tel URI), else that of From. */
export function identityAddresses(message: SipMessage, isTrusted: boolean): readonly string[] {
  const asserted = isTrusted ? getHeaders(message, 'P-Asserted-Identity') : [];
  const values = asserted.length > 0 ? asserted : [getHeader(message, 'From') ?? ''];
  return values.flatMap((value) =>
    attempt(
      () => splitHeaderList(value).map((each) => parseNameAddr(each).uri),
      () => [],
    ),
  );
}
