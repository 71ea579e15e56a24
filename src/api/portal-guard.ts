/** What keeps other web pages and guessers away from the portal: headers, cookie, limits of signing in. */
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allowances } from './portal-limits.ts';
import { SESSION_MS } from './portal-sessions.ts';

const COOKIE = 'tonebridge-portal';
const COOKIE_PATH = '/features';
/** A page of another site cannot send it without asking the browser, which asks us. */
const PORTAL_HEADER = 'x-tonebridge-portal';

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

export function secureHeaders(reply: FastifyReply): void {
  reply.headers(HEADERS);
}

/** Whether our own page sent the request: the browser's word where it gives one, else Origin against Host. */
export function isOwnPage({ headers }: FastifyRequest): boolean {
  if (headers[PORTAL_HEADER] === undefined) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  return origin === undefined || URL.parse(origin)?.host === host?.toLowerCase();
}

/** The secret of the session in the Cookie header (RFC 6265 §4.2.1). */
export function sessionSecret({ headers }: FastifyRequest): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** Gives the browser the secret, or takes it away where it is empty. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string,
): void {
  const age = secret === '' ? 0 : SESSION_MS / 1000;
  // We speak plain HTTP; a browser that came through a TLS proxy must keep the secret on TLS.
  const isSecure = request.headers.origin?.startsWith('https://') === true;
  const attributes = [`Path=${COOKIE_PATH}`, `Max-Age=${age}`, 'HttpOnly', 'SameSite=Strict'];
  reply.header(
    'Set-Cookie',
    [`${COOKIE}=${secret}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; '),
  );
}

/** Failed sign-ins, so many at once and one more after each time. */
const PER_NAME_AND_ADDRESS = { burst: 10, refillMs: 30_000 };
const PER_ADDRESS = { burst: 30, refillMs: 2000 };
const PER_NAME = { burst: 100, refillMs: 30_000 };

/** Counts failed sign-ins: a guesser runs dry before the owner of the name does, who comes from another address. */
export class SignInLimits {
  readonly #byBoth: Allowances;
  readonly #byAddress: Allowances;
  readonly #byName: Allowances;

  constructor(nowMs: () => number) {
    this.#byBoth = new Allowances(PER_NAME_AND_ADDRESS, nowMs);
    this.#byAddress = new Allowances(PER_ADDRESS, nowMs);
    this.#byName = new Allowances(PER_NAME, nowMs);
  }

  /** Seconds until the next attempt may come; 0: now. */
  waitSeconds(name: string, address: string): number {
    const network = networkOf(address);
    return Math.max(
      this.#byBoth.waitSeconds(`${network} ${name}`),
      this.#byAddress.waitSeconds(network),
      this.#byName.waitSeconds(name),
    );
  }

  failed(name: string, address: string): void {
    const network = networkOf(address);
    this.#byBoth.use(`${network} ${name}`);
    this.#byAddress.use(network);
    this.#byName.use(name);
  }
}

/** The address, or of an IPv6 one the half that a single subscriber has to itself. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head.split(':');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const after = tail === '' ? [] : tail.split(':');
  const missing = Math.max(0, 8 - groups.length - after.length);
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...after].slice(0, 4).join(':');
}
