import { WireError } from './wire-error.ts';

/**
 * A SIP or SIPS URI (RFC 3261 §19.1).
 *
 *   sip : user : password @ host : port ; parameters ? headers
 *
 * Escapes (%xx) stay as they are in every part, so that nothing changes its meaning on the way through.
 */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user?: string;
  readonly password?: string;
  /** Host name or address, lower case; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Names in lower case; the value is '' for a parameter without one (`;lr`). */
  readonly parameters: ReadonlyMap<string, string>;
  /** What follows the question mark. */
  readonly headers?: string;
}

const SCHEME = /^(sips?):/i;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;
// Wider than the grammar: phones put `#` and the like into the user part without escaping them.
const USER_INFO = /^[^\s\p{Cc}@<>"]+$/u;
const PARAMETERS = /^[^\s\p{Cc}<>"]*$/u;

/** @throws WireError when `text` is no SIP or SIPS URI. */
export function parseSipUri(text: string): SipUri {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new WireError(`expected a sip or sips URI, got ${show(text)}`);
  const rest = text.slice(scheme.length + 1);
  const atSign = rest.indexOf('@');
  const userInfo = atSign < 0 ? undefined : rest.slice(0, atSign);
  const afterUser = rest.slice(atSign + 1);
  const hostEnd = endOfHostPort(afterUser);
  const questionMark = afterUser.indexOf('?', hostEnd);
  const parameterEnd = questionMark < 0 ? afterUser.length : questionMark;
  return {
    scheme: scheme === 'sips' ? 'sips' : 'sip',
    ...parseUserInfo(userInfo, text),
    ...parseHostPort(afterUser.slice(0, hostEnd)),
    parameters: parseUriParameters(afterUser.slice(hostEnd, parameterEnd)),
    ...(questionMark < 0 ? {} : { headers: checkedHeaders(afterUser.slice(questionMark + 1)) }),
  };
}

export function formatSipUri(uri: SipUri): string {
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const user = uri.user === undefined ? '' : `${uri.user}${password}@`;
  let text = `${uri.scheme}:${user}${formatHostPort(uri.host, uri.port)}`;
  for (const [name, value] of uri.parameters)
    text += value === '' ? `;${name}` : `;${name}=${value}`;
  return uri.headers === undefined ? text : `${text}?${uri.headers}`;
}

/** `host:port` with brackets around IPv6. */
export function formatHostPort(host: string, port?: number): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? bracketed : `${bracketed}:${port}`;
}

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
 *
 * @throws WireError when it is none of them.
 */
export function parseHostPort(text: string): { host: string; port?: number } {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  const colon = bracket < 0 ? text.indexOf(':') : text.indexOf(':', bracket);
  const hostEnd = colon < 0 ? text.length : colon;
  const host = bracket < 0 ? text.slice(0, hostEnd) : text.slice(1, bracket);
  const isValid =
    bracket < 0 ? HOST_NAME.test(host) : hostEnd === bracket + 1 && looksLikeIpv6(host);
  if (!isValid) throw new WireError(`expected a host, got ${show(text)}`);
  if (colon < 0) return { host: host.toLowerCase() };
  const digits = text.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 65_536;
  if (port > 65_535) throw new WireError(`expected a port, got ${show(digits)}`);
  return { host: host.toLowerCase(), port };
}

/** The URI scheme in lower case, '' when there is none. */
export function uriScheme(uri: string): string {
  return /^([A-Za-z][A-Za-z0-9+.-]{0,31}):/.exec(uri)?.[1]?.toLowerCase() ?? '';
}

function looksLikeIpv6(host: string): boolean {
  return IPV6.test(host) && host.includes(':') && !host.includes(':::');
}

function endOfHostPort(text: string): number {
  const end = text.search(/[;?]/);
  return end < 0 ? text.length : end;
}

function parseUserInfo(
  userInfo: string | undefined,
  uri: string,
): { user?: string; password?: string } {
  if (userInfo === undefined) return {};
  if (!USER_INFO.test(userInfo)) throw new WireError(`expected a user part, got ${show(uri)}`);
  const colon = userInfo.indexOf(':');
  if (colon < 0) return { user: userInfo };
  if (colon === 0) throw new WireError(`expected a user before the password, got ${show(uri)}`);
  return { user: userInfo.slice(0, colon), password: userInfo.slice(colon + 1) };
}

function parseUriParameters(text: string): Map<string, string> {
  if (!PARAMETERS.test(text)) throw new WireError(`expected URI parameters, got ${show(text)}`);
  const parameters = new Map<string, string>();
  for (const parameter of text.split(';').slice(1)) {
    const equals = parameter.indexOf('=');
    const name = (equals < 0 ? parameter : parameter.slice(0, equals)).toLowerCase();
    if (name === '') throw new WireError(`expected a parameter name, got ${show(text)}`);
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? '' : parameter.slice(equals + 1));
  }
  return parameters;
}

function checkedHeaders(text: string): string {
  if (!PARAMETERS.test(text)) throw new WireError(`expected URI headers, got ${show(text)}`);
  return text;
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
