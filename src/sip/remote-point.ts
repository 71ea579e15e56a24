/** How a peer is reached, as its messages say (RFC 3261 §12.1). */
import { parseNameAddr, splitHeaderList } from '../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipMessage } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';

/** The URI in Contact; `undefined` when there is none that can be read. */
export function contactUriOf(message: SipMessage): string | undefined {
  const contact = getHeader(message, 'Contact');
  return contact === undefined ? undefined : uriIn(contact);
}

/**
 * The URI of the proxy that stands first on our way to the peer: the top Record-Route of a request that created a
 * dialog, the bottom one of a response.
 */
export function firstRouteOf(message: SipMessage): string | undefined {
  const routes = getHeaders(message, 'Record-Route').flatMap((value) => elementsOf(value));
  const first = message.type === 'request' ? routes[0] : routes.at(-1);
  return first === undefined ? undefined : uriIn(first);
}

function uriIn(value: string): string | undefined {
  return read(() => parseNameAddr(value).uri);
}

function elementsOf(value: string): string[] {
  return read(() => splitHeaderList(value)) ?? [];
}

function read<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
