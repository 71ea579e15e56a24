/** What crosses between the legs by requests and responses inside their dialogs. */
import type { DialogResponse } from '../../sip/dialog.ts';
import { ALLOWED_METHODS } from '../../sip/stray-requests.ts';
import type { SipMessage } from '../../wire/sip-message.ts';
import type { Forwarded } from '../call-session.ts';
import { crossing, type HeaderPath, leaving, methodOf } from '../headers/header-crossing.ts';
import { allowEventsHeader, contentHeaders } from '../headers/header-policy.ts';

/** The ACK of a delayed offer, of which nothing counts but the answer in it. */
export function ackWith(body: string): SipMessage {
  return { type: 'request', method: 'ACK', uri: '', headers: [], body: Buffer.from(body) };
}

/** An offer that we make again ourselves, as if its owner had sent it. */
export function inviteWith(body: string, hasKpml: boolean): SipMessage {
  const headers = hasKpml ? [{ name: 'Allow-Events', value: 'kpml' }] : [];
  return { type: 'request', method: 'INVITE', uri: '', headers, body: Buffer.from(body) };
}

/** What a CANCEL says to the other leg. */
export function cancelHeaders(
  cancel: SipMessage | undefined,
  path: HeaderPath,
): Record<string, string> {
  return cancel === undefined ? {} : sentTo(path, cancel, crossing(cancel, path).headers);
}

interface Relayed {
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly reason?: string;
}

/** A message for the other leg with its body as it is. */
export function relayed(message: SipMessage, path: HeaderPath): Relayed {
  const { headers: crossed, phrase } = crossing(message, path);
  const headers = sentTo(path, message, { ...crossed, ...contentHeaders(message) });
  const body = message.body.length === 0 ? {} : { body: message.body.toString() };
  return { ...phrase, headers, ...body };
}

/** A refusal of the other leg without its body. */
export function refusal(message: SipMessage | undefined, path: HeaderPath): Relayed {
  if (message === undefined) return { headers: {} };
  const { headers, phrase } = crossing(message, path);
  return { ...phrase, headers: sentTo(path, message, headers) };
}

/** An offer in a dialog for the other leg. */
export function offerOptions(message: SipMessage, offer: Forwarded, path: HeaderPath): Relayed {
  const headers = {
    ...crossing(message, path).headers,
    ...allowEventsHeader(message, offer.allowEvents),
    ...contentType(offer.sdp),
    Allow: ALLOWED_METHODS,
  };
  const body = offer.sdp === undefined ? {} : { body: offer.sdp };
  return { headers: sentTo(path, message, headers), ...body };
}

function sentTo(
  { to }: HeaderPath,
  message: SipMessage,
  headers: Record<string, string>,
): Record<string, string> {
  const status = message.type === 'response' ? message.status : undefined;
  return leaving(headers, to, { method: methodOf(message), status });
}

export function contentType(sdp: string | undefined): Record<string, string> {
  return sdp === undefined ? {} : { 'Content-Type': 'application/sdp' };
}

/** The 200 to an offer on account of that of the other leg. */
export function answerOptions(
  message: NonNullable<DialogResponse['message']>,
  forwarded: Forwarded,
  path: HeaderPath,
): Relayed {
  const own = {
    ...crossing(message, path).headers,
    ...allowEventsHeader(message, forwarded.allowEvents),
    ...contentType(forwarded.sdp),
    Allow: ALLOWED_METHODS,
  };
  const headers = sentTo(path, message, own);
  return forwarded.sdp === undefined ? { headers } : { headers, body: forwarded.sdp };
}
