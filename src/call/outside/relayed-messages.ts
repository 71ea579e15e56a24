/** Headers and bodies of requests outside every dialog that are relayed, and of their answers. */
import { isIP } from 'node:net';
import type { Config } from '../../config/config.ts';
import type { RespondOptions } from '../../sip/sip-connection.ts';
import { isOwnHost, readUri } from '../../trunk/hop-uri.ts';
import type { Hop } from '../../trunk/policy.ts';
import { parseChallenges } from '../../wire/digest.ts';
import { parseNameAddr } from '../../wire/sip-headers.ts';
import {
  getHeader,
  getHeaders,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../wire/sip-message.ts';
import { formatSipUri, parseSipUri, type SipUri } from '../../wire/sip-uri.ts';
import { callerStatus } from '../setup/attempt-failure.ts';
import type { CallLeg } from '../call-leg.ts';
import { crossing, leaving } from '../headers/header-crossing.ts';
import {
  ANONYMOUS,
  callerHeaders,
  callerIdentity,
  contentHeaders,
  maxForwardsOf,
  PRODUCT,
} from '../headers/header-policy.ts';

/** The two sides of a relayed request. */
export interface RelayPath {
  readonly from: CallLeg;
  readonly to: CallLeg;
}

/** What crosses beside the header table, by method: only its sender and its receiver know what it means. */
const REQUEST_HEADERS: Readonly<Record<string, readonly string[]>> = {
  REGISTER: ['Expires'],
  PUBLISH: ['Event', 'Expires', 'SIP-If-Match'],
  NOTIFY: ['Event', 'Subscription-State'],
  MESSAGE: ['Expires', 'Date'],
};
const ANSWER_HEADERS: Readonly<Record<string, readonly string[]>> = {
  REGISTER: ['Expires', 'Min-Expires', 'Date'],
  PUBLISH: ['Expires', 'Min-Expires', 'SIP-ETag'],
};
const CREDENTIALS = ['Authorization', 'Proxy-Authorization'];
const CHALLENGES = ['WWW-Authenticate', 'Proxy-Authenticate'];

/** Whether the sender and the receiver settle credentials between themselves. */
export function passesDigest(method: string, to: CallLeg): boolean {
  // Our own password at a registrar must not let in whoever registers through us.
  return method === 'REGISTER' || to.agent?.auth === undefined;
}

/** The request to `hop`, without Contact. */
export function relayedRequest(
  request: SipRequest,
  { from, to }: RelayPath,
  hop: Hop,
  config: Config,
): { readonly uri: string; readonly headers: Record<string, string>; readonly body?: string } {
  const { method } = request;
  const crossed = crossing(request, { from, to });
  const isRegister = method === 'REGISTER';
  const identity = crossed.hidesCaller ? ANONYMOUS : callerIdentity(request);
  const { uri, ...parties } = isRegister
    ? registration(request, hop, config)
    : {
        uri: hop.requestUri,
        From: callerHeaders(identity, 'udp').From,
        To: `<${hop.requestUri}>`,
      };
  const headers = {
    ...crossed.headers,
    ...picked(request, REQUEST_HEADERS[method] ?? []),
    ...(passesDigest(method, to) ? picked(request, CREDENTIALS) : {}),
    ...parties,
    'Max-Forwards': String(maxForwardsOf(request) - 1),
    'User-Agent': PRODUCT,
  };
  return { uri, ...withBody(leaving(headers, to, { method }), request) };
}

/** The answer to the sender on account of the receiver's; `contact` for a REGISTER that was accepted. */
export function relayedAnswer(
  response: SipResponse,
  { from, to }: RelayPath,
  request: SipRequest,
  contact: { Contact?: string },
): { readonly status: number; readonly options: RespondOptions } {
  const { method } = request;
  const mayAsk = passesDigest(method, to);
  const isChallenge = response.status === 401 || response.status === 407;
  const status = isChallenge && mayAsk ? response.status : callerStatus(response.status);
  const { headers: crossed, phrase } = crossing(response, { from: to, to: from });
  const headers = {
    ...crossed,
    ...picked(response, ANSWER_HEADERS[method] ?? []),
    ...(mayAsk ? challengeIn(response) : {}),
    ...contact,
    Server: PRODUCT,
  };
  const reason = status === response.status ? phrase : {};
  const told = leaving(headers, from, { method, status });
  return { status, options: { ...reason, ...withBody(told, response) } };
}

/** One field of each: these may not be joined into a list (RFC 3261 §7.3.1), and phones know MD5 if nothing else. */
function challengeIn(response: SipResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of CHALLENGES) {
    const values = getHeaders(response, name);
    const known = values.find((value) =>
      parseChallenges([value]).some(({ algorithm = 'MD5' }) => algorithm.toUpperCase() === 'MD5'),
    );
    const value = known ?? values[0];
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

/** Request-URI, From and To of a REGISTER, which name one account of the registrar, the latter two without tags. */
function registration(
  request: SipRequest,
  hop: Hop,
  config: Config,
): { readonly uri: string; readonly From: string; readonly To: string } {
  const uriOf = (name: string): string => parseNameAddr(getHeader(request, name) ?? '').uri;
  const from = readUri(uriOf('From'));
  const to = readUri(uriOf('To'));
  // A device that takes us for its registrar names our address; a domain is left as it is.
  if (to !== undefined && isOwnHost(config, to.host)) {
    const fromUri = from === undefined ? uriOf('From') : withHostOf(hop, from);
    return { uri: withHostOf(hop), From: `<${fromUri}>`, To: `<${withHostOf(hop, to)}>` };
  }
  const target = readUri(request.uri);
  const isAtUs = target !== undefined && isOwnHost(config, target.host);
  // An address in From is the device's own or ours.
  const isAddress = from !== undefined && isIP(from.host) !== 0;
  const fromUri = isAddress && to !== undefined ? withHost(to, from) : uriOf('From');
  const uri = isAtUs ? withHostOf(hop) : request.uri;
  return { uri, From: `<${fromUri}>`, To: `<${uriOf('To')}>` };
}

function withHostOf(hop: Hop, user: Pick<SipUri, 'user'> = {}): string {
  return withHost(parseSipUri(hop.nextHop), user);
}

function withHost(
  { host, port }: Pick<SipUri, 'host' | 'port'>,
  { user }: Pick<SipUri, 'user'>,
): string {
  return formatSipUri({
    scheme: 'sip',
    ...(user === undefined ? {} : { user }),
    host,
    ...(port === undefined ? {} : { port }),
    parameters: new Map(),
  });
}

function picked(message: SipMessage, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = getHeader(message, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function withBody(
  headers: Record<string, string>,
  message: SipMessage,
): { headers: Record<string, string>; body?: string } {
  if (message.body.length === 0) return { headers };
  return { headers: { ...headers, ...contentHeaders(message) }, body: message.body.toString() };
}
