/** What a Refer-To of one side means, and how it is written for the other. */
import { parseNameAddr } from '../../wire/sip-headers.ts';
import { getHeaders, type SipMessage } from '../../wire/sip-message.ts';
import { parseReferTo, type ReferTo } from '../../wire/refer.ts';
import { formatHostPort, parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { LegNames } from '../headers/header-topology.ts';
import { rewrittenUri } from '../headers/identity-policy.ts';

/** A REFER that can be followed, or the status that it is refused with. */
export type ReferRequest =
  | Extract<ReferTo, { type: 'call' }>
  | { readonly type: 'refused'; readonly status: 400 | 404 | 416 | 603 };

/** Reads the REFER: one Refer-To that asks for a call to somebody (RFC 3515 §2.4.2). */
export function readRefer(message: SipMessage): ReferRequest {
  const [value, ...others] = getHeaders(message, 'Refer-To');
  if (value === undefined || others.length > 0) return { type: 'refused', status: 400 };
  try {
    const target = parseReferTo(value);
    if (target.type === 'scheme') return { type: 'refused', status: 416 };
    if (target.type === 'method') return { type: 'refused', status: 603 };
    const isSomebody = target.uri.startsWith('tel:') || parseSipUri(target.uri).user !== undefined;
    return isSomebody ? target : { type: 'refused', status: 404 };
  } catch (error) {
    if (error instanceof WireError) return { type: 'refused', status: 400 };
    throw error;
  }
}

/**
 * The URI under which `uri` is reached through us by the party that knows us as `ownContact`; `undefined` when the user
 * in it names the side it comes from.
 */
export function targetThroughUs(
  uri: string,
  ownContact: string | undefined,
  names: LegNames,
): string | undefined {
  if (ownContact === undefined) return undefined;
  const own = parseSipUri(parseNameAddr(ownContact).uri);
  const target = rewrittenUri(uri, formatHostPort(own.host, own.port), names);
  const transport = own.parameters.get('transport');
  if (target === undefined || target.startsWith('tel:') || transport === undefined) return target;
  return `${target};transport=${transport}`;
}
