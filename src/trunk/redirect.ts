/**
 * Where a redirecting answer sends a call (RFC 3261 §8.1.3.4): its Contacts as hops, the one to try first at the front.
 *
 *   agents     a Contact that is the address of a session agent, in the realm of the redirecting hop or else in another
 *   any        any other address as well, from an interface of the realm of the redirecting hop
 *   disabled   none
 *
 * Pure, as policy.ts is.
 */
import type { Config, FollowRedirects, SessionAgent } from '../config/config.ts';
import { parseNameAddr, splitHeaderList } from '../wire/sip-headers.ts';
import { formatSipUri, type SipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import type { TrunkView } from './group-strategy.ts';
import {
  defaultPort,
  isOwnAddress,
  isTransportNamed,
  nextHopOfAgent,
  nextHopOfUri,
  readUri,
  transportOf,
} from './hop-uri.ts';
import { interfaceFor } from './interface-choice.ts';
import { translateUser, translationAt } from './numbering.ts';
import type { Hop } from './policy.ts';

/** More Contacts than this of one answer are not looked at. */
const MAX_CONTACTS = 32;

const MAX_SHOWN = 100;

/** Parameters of a Contact's URI that say nothing to its owner, or would send the request elsewhere. */
const DROPPED_PARAMETERS = new Set(['method', 'maddr', 'ttl', 'lr']);

export interface Redirect {
  /** The hop that answered. */
  readonly from: Hop;
  /** Values of its Contact headers. */
  readonly contacts: readonly string[];
  readonly follow: FollowRedirects;
}

/** Why a Contact is no hop. */
export type ContactRefusal =
  | 'disabled'
  | 'not-readable'
  | 'not-sip'
  | 'expired'
  | 'own-address'
  | 'no-agent'
  | 'no-interface'
  | 'agent-not-available';

export interface Redirection {
  /** Highest `q` first, no two to the same place. */
  readonly hops: readonly Hop[];
  readonly refused: readonly { readonly contact: string; readonly reason: ContactRefusal }[];
}

interface Contact {
  readonly text: string;
  readonly uri: string;
  readonly q: number;
  readonly isExpired: boolean;
}

type Outcome = { readonly hop: Hop } | { readonly reason: ContactRefusal };

export function redirectHops(config: Config, redirect: Redirect, view: TrunkView): Redirection {
  const hops = new Map<string, Hop>();
  const refused: Redirection['refused'][number][] = [];
  for (const { text, contact } of readContacts(redirect.contacts)) {
    const outcome: Outcome =
      contact === undefined ? { reason: 'not-readable' } : hopOf(config, redirect, view, contact);
    if ('reason' in outcome) refused.push({ contact: shown(text), reason: outcome.reason });
    else if (!hops.has(hopKey(outcome.hop))) hops.set(hopKey(outcome.hop), outcome.hop);
  }
  return { hops: [...hops.values()], refused };
}

/** For the log: the peer chose the text, and its length. */
function shown(contact: string): string {
  return contact.length > MAX_SHOWN ? `${contact.slice(0, MAX_SHOWN)}…` : contact;
}

/** The same for hops that reach the same user at the same place. */
export function hopKey(hop: Hop): string {
  const next = readUri(hop.nextHop);
  const transport = hop.agent?.transport ?? (next === undefined ? 'udp' : transportOf(next));
  const port = next?.port ?? defaultPort(transport);
  return `${readUri(hop.requestUri)?.user ?? ''}@${next?.host ?? ''}:${port};${transport}`;
}

/** Highest `q` first; a Contact without `q` counts 1, equal ones stay in order (RFC 3261 §20.10). */
function readContacts(values: readonly string[]): { text: string; contact: Contact | undefined }[] {
  return values
    .flatMap(elementsOf)
    .slice(0, MAX_CONTACTS)
    .map((text) => ({ text, contact: readContact(text) }))
    .toSorted((a, b) => (b.contact?.q ?? 0) - (a.contact?.q ?? 0));
}

function elementsOf(value: string): string[] {
  try {
    return splitHeaderList(value);
  } catch (error) {
    if (error instanceof WireError) return [value];
    throw error;
  }
}

function readContact(text: string): Contact | undefined {
  try {
    const { uri, parameters } = parseNameAddr(text);
    const q = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.exec(parameters.get('q') ?? '1')?.[0];
    const isExpired = /^0+$/.test(parameters.get('expires') ?? '');
    return { text, uri, q: q === undefined ? 1 : Number(q), isExpired };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function hopOf(
  config: Config,
  { from, follow }: Redirect,
  ...[view, contact]: [TrunkView, Contact]
): Outcome {
  if (follow === 'disabled') return { reason: 'disabled' };
  const uri = readUri(contact.uri);
  if (uri === undefined) return { reason: 'not-sip' };
  if (contact.isExpired) return { reason: 'expired' };
  if (isOwnAddress(config, uri)) return { reason: 'own-address' };
  const { realm } = from.sipInterface;
  const agent = agentNamed(config, realm, uri);
  if (agent !== undefined) {
    if (!view.isUsable(agent.name)) return { reason: 'agent-not-available' };
    const sipInterface = interfaceFor(config, agent.realm, agent);
    if (sipInterface === undefined) return { reason: 'no-interface' };
    const place = { agent, sipInterface, nextHop: nextHopOfAgent(agent) };
    return { hop: numbered(config, from, place, requestUriOf(uri)) };
  }
  if (follow !== 'any') return { reason: 'no-agent' };
  const sipInterface = interfaceFor(config, realm, { ...uri, transport: transportOf(uri) });
  if (sipInterface === undefined) return { reason: 'no-interface' };
  const place = { agent: undefined, sipInterface, nextHop: nextHopOfUri(uri) };
  return { hop: numbered(config, from, place, requestUriOf(uri)) };
}

/** The Contact is written in the numbers of who redirects, and the new hop wants its own. */
function numbered(
  config: Config,
  from: Hop,
  ...[place, uri]: [Omit<Hop, 'requestUri'>, SipUri]
): Hop {
  const leaving = translationAt(config, place, 'out');
  const before = from.translations?.before ?? [];
  const isNone = before.length + leaving.length === 0;
  const called = [...translationAt(config, from, 'in'), ...leaving];
  const user = uri.user === undefined ? undefined : translateUser(called, 'called', uri.user);
  return {
    ...place,
    requestUri: formatSipUri(user === undefined ? uri : { ...uri, user }),
    ...(isNone ? {} : { translations: { before, leaving } }),
  };
}

/** The Contact's URI without what may not stand in a Request-URI (RFC 3261 §19.1.1). */
function requestUriOf({ scheme, user, host, port, parameters }: SipUri): SipUri {
  return {
    scheme,
    ...(user === undefined ? {} : { user }),
    host,
    ...(port === undefined ? {} : { port }),
    parameters: new Map([...parameters].filter(([name]) => !DROPPED_PARAMETERS.has(name))),
  };
}

/** The agent at the address in `uri`; a transport that the URI leaves open is the agent's. */
function agentNamed(config: Config, realm: string, uri: SipUri): SessionAgent | undefined {
  const matching = config.sessionAgents.filter((agent) => {
    if (agent.host.toLowerCase() !== uri.host) return false;
    if (isTransportNamed(uri) && agent.transport !== transportOf(uri)) return false;
    const usual = defaultPort(agent.transport);
    return (agent.port ?? usual) === (uri.port ?? usual);
  });
  return matching.find((agent) => agent.realm === realm) ?? matching[0];
}
