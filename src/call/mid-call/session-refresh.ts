/** Requests of our own that keep a session going without a change to it. */
import { withRefresh } from '../../sip/dialog-refresh.ts';
import type { DialogResponse } from '../../sip/dialog.ts';
import type { SipHeaders } from '../../sip/sip-connection.ts';
import { ALLOWED_METHODS } from '../../sip/stray-requests.ts';
import { parseCSeq } from '../../wire/sip-headers.ts';
import { getHeader, type SipRequest } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { CallSession } from '../call-session.ts';
import { contentType } from './mid-call-messages.ts';

/**
 * What makes an INVITE the next one in the dialog that `sent` was to open (RFC 4028 §7.3); nothing without `sent`, or when
 * it cannot be read.
 */
export function repeatHeaders(sent: SipRequest | undefined): Record<string, string> {
  const callId = sent === undefined ? undefined : getHeader(sent, 'Call-ID');
  if (sent === undefined || callId === undefined) return {};
  try {
    const { number } = parseCSeq(getHeader(sent, 'CSeq') ?? '');
    const from = getHeader(sent, 'From') ?? '';
    return { 'Call-ID': callId, From: from, CSeq: `${number + 1} INVITE` };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return {};
  }
}

/** A message with `added` among its headers. */
export function withHeaders<T extends { readonly headers?: SipHeaders }>(
  message: T,
  added: SipHeaders,
): T {
  return { ...message, headers: withRefresh(message.headers ?? {}, added) };
}

/**
 * Sends `side` our last description again, with the same version in its o= line. What the peer answers is passed over
 * unless it says something new; `undefined` when there is nothing to repeat or nobody to repeat it to.
 */
export async function repeatDescription(
  session: CallSession,
  side: Side,
): Promise<DialogResponse | undefined> {
  const { dialog } = session.legs[side];
  const { negotiation } = session;
  if (dialog?.isConfirmed !== true) return undefined;
  const body = negotiation.repeatOffer(side);
  if (body === undefined) return undefined;
  const isKpml = negotiation.advertised(side) !== 'no';
  const headers = {
    ...contentType(body),
    ...(isKpml ? { 'Allow-Events': 'kpml' } : {}),
    Allow: ALLOWED_METHODS,
  };
  const response = await dialog.request('INVITE', { headers, body });
  if (response.status < 300) response.acknowledge();
  const { message } = response;
  const said = message?.body.toString() ?? '';
  if (
    message === undefined ||
    response.status >= 300 ||
    isSame(said, negotiation.agreedDescription(side))
  ) {
    session.abandonOffer();
    return response;
  }
  try {
    session.forwardAnswer(side, message, true);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    session.abandonOffer();
  }
  return response;
}

/** Whether two descriptions differ in nothing but their o= lines. */
function isSame(description: string, other: string | undefined): boolean {
  return other !== undefined && withoutOrigin(description) === withoutOrigin(other);
}

function withoutOrigin(description: string): string {
  return description
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('o='))
    .join('\n')
    .trim();
}
