/**
 * Who may read and who may write.
 *
 *   from          token configured   token sent   read      write
 *   loopback      no                 –            allowed   allowed
 *   loopback      yes                none         allowed   401
 *   elsewhere     no                 –            403       403
 *   elsewhere     yes                none         401       401
 *   anywhere      yes                right        allowed   allowed
 *   anywhere      yes                wrong        401       401
 *
 * Without a token the machine itself is trusted, yet not every page its browser shows: a name that was made to resolve
 * to loopback, or a form on a foreign page, is refused by its Host and Origin.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';

export interface AccessRequest {
  readonly isWrite: boolean;
  /** Address at the other end of the socket; forwarding headers are not believed. */
  readonly remoteAddress: string;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

export type Access =
  | { readonly type: 'allowed' }
  | { readonly type: 'refused'; readonly status: 401 | 403; readonly message: string };

const ALLOWED: Access = { type: 'allowed' };
const BEARER = /^bearer +(\S+) *$/i;
const LOOPBACK_NAME = /^(?:.+\.)?localhost$/i;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Applies the table above; `token` is empty when none is configured. */
export function decideAccess(token: string, request: AccessRequest): Access {
  if (token !== '' && request.authorization !== undefined) {
    const sent = BEARER.exec(request.authorization)?.[1];
    const isRight = sent !== undefined && isEqual(sent, token);
    return isRight ? ALLOWED : unauthorized('the token is not the right one');
  }
  if (!isLoopback(request.remoteAddress)) {
    if (token === '') return forbidden('without a configured token only loopback is served');
    return unauthorized('a token is required');
  }
  if (token !== '' && request.isWrite)
    return unauthorized('a token is required to change anything');
  if (isForeignPage(request)) return forbidden('requests of foreign web pages need the token');
  return ALLOWED;
}

function isForeignPage({ host, origin }: AccessRequest): boolean {
  if (host === undefined) return true;
  const own = URL.parse(`http://${host}`);
  if (own === null || !isLoopbackName(own.hostname)) return true;
  return origin !== undefined && URL.parse(origin)?.host !== own.host;
}

function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAME.test(name) || isLoopback(name.replace(/^\[(.*)\]$/, '$1'));
}

function isLoopback(address: string): boolean {
  // An IPv4 address mapped into IPv6 matches the IPv4 rule as well.
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Takes the same time wherever the two differ, and whatever their lengths are. */
function isEqual(sent: string, token: string): boolean {
  return timingSafeEqual(digest(sent), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized(message: string): Access {
  return { type: 'refused', status: 401, message };
}

function forbidden(message: string): Access {
  return { type: 'refused', status: 403, message };
}
