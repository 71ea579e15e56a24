/** How a peer is reached, as its messages say (RFC 3261 §12.1). */
import { recordRoutesOf } from '../wire/route-set.ts';
import { parseNameAddr } from '../wire/sip-headers.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';

/** The URI in Contact; `undefined` when there is none that can be read. */
export function contactUriOf(message: SipMessage): string | undefined {
  const contact = getHeader(message, 'Contact');
  return contact === undefined ? undefined : uriIn(contact);
}

/** The proxies on our way to a peer. */
export interface RemoteRoute {
  /** URI of the first one. */
  readonly firstRoute?: string;
  /** Values of the Route header, the next proxy first. */
  readonly routeSet?: readonly string[];
}

/** The way to the peer: Record-Route of a request that created a dialog, of a response in reverse; empty without. */
export function routeOf(message: SipMessage): RemoteRoute {
  const recorded = recordRoutesOf(message);
  const routeSet = message.type === 'request' ? recorded : recorded.toReversed();
  const [first] = routeSet;
  const firstRoute = first === undefined ? undefined : uriIn(first);
  return firstRoute === undefined ? {} : { firstRoute, routeSet };
}

/** The URI of a From, To, Contact or Route value; `undefined` when it cannot be read. */
export function uriIn(value: string): string | undefined {
  return read(() => parseNameAddr(value).uri);
}

function read<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
