/** The proxies that stay on the way between the ends of a dialog (RFC 3261 §12.1, §12.2.1.1). */
import { attempt } from './wire-error.ts';
import { parseNameAddr, splitHeaderList } from './sip-headers.ts';
import { getHeaders, type SipMessage } from './sip-message.ts';

/** How a request gets along a route set. */
export interface RoutedRequest {
  readonly uri: string;
  /** Values of its Route header, in this order. */
  readonly routes: readonly string[];
  /** The URI that says where it goes. */
  readonly nextHop: string;
}

/** The Record-Route values in the order of the message; none when they cannot be read. */
export function recordRoutesOf(message: SipMessage): string[] {
  return readable(() => getHeaders(message, 'Record-Route').flatMap(splitHeaderList)) ?? [];
}

/**
 * The way of a request to `target`: loose routing, or RFC 2543 strict routing when the first route says no `lr`.
 *
 * @param routeSet values as in Record-Route, the next proxy first.
 */
export function routeAlong(routeSet: readonly string[], target: string): RoutedRequest {
  const [value] = routeSet;
  const first = value === undefined ? undefined : readable(() => parseNameAddr(value).uri);
  if (first === undefined) return { uri: target, routes: [], nextHop: target };
  if (/;lr(?:[;=?]|$)/i.test(first)) return { uri: target, routes: routeSet, nextHop: first };
  return { uri: first, routes: [...routeSet.slice(1), `<${target}>`], nextHop: first };
}

function readable<T>(action: () => T): T | undefined {
  return attempt<T | undefined>(action, () => undefined);
}
