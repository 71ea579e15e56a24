/** By which names a message shows the leg it came on, and whether a text repeats one of them. */
import type { SessionAgent, SipInterface } from '../../config/config.ts';
import type { LegSettings } from '../../config/effective.ts';
import { mentionsAny } from '../../wire/address-mention.ts';
import { parseNameAddr, parseVia, splitHeaderList, tagOf } from '../../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipMessage } from '../../wire/sip-message.ts';
import { parseHostPort, parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';

/** What the policy has to know of a leg. */
export interface PolicyLeg {
  readonly settings: Pick<LegSettings, 'trust'>;
  readonly sipInterface: Pick<SipInterface, 'sipPorts' | 'headerRules'>;
  readonly agent: Pick<SessionAgent, 'headerRules'> | undefined;
  /** `host:port` of the peer. */
  readonly remote: string;
}

/** Names in lower case. */
export type LegNames = readonly string[];

/** More than a peer has names for; what a hostile message adds to them is bounded. */
const MAX_NAMES = 32;

/** A shorter id or a short word is no name worth looking for: it would be found by chance. */
const SHORTEST_ID = 8;

/** Headers in which a side writes addresses of its own. */
const ADDRESSES = [
  'From',
  'To',
  'Contact',
  'Record-Route',
  'Route',
  'Reply-To',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Remote-Party-ID',
];

/** Hosts, Call-ID and tags that `message` and its leg are known by. */
export function namesOf(message: Pick<SipMessage, 'headers'>, leg: PolicyLeg): LegNames {
  const hosts = [
    hostOf(leg.remote),
    ...leg.sipInterface.sipPorts.map(({ address }) => address),
    ...getHeaders(message, 'Via').flatMap(viaHosts),
    ...ADDRESSES.flatMap((name) => getHeaders(message, name).flatMap(addressHosts)),
  ];
  const ids = [
    getHeader(message, 'Call-ID') ?? '',
    ...['From', 'To'].map((name) => tagOf(getHeader(message, name) ?? '') ?? ''),
  ];
  const found = new Set([
    ...ids.filter((id) => id.length >= SHORTEST_ID),
    ...hosts.filter((host) => /[.:]/.test(host) || host.length >= SHORTEST_ID),
  ]);
  const names = [...found].filter((name) => !isNoAddress(name)).slice(0, MAX_NAMES);
  return names.map((name) => name.toLowerCase());
}

/** Whether `text` shows one of `names`, as it is or with URI escapes. */
export function shows(text: string, names: LegNames): boolean {
  if (mentionsAny(text, names)) return true;
  // Every escape resolved, and only those that can belong to a name: what stands before a name may hide it.
  return text.includes('%') && unescaped(text).some((form) => mentionsAny(form, names));
}

/** Says that there is no address, and so tells nothing (RFC 3323 §4.1.1.3). */
function isNoAddress(host: string): boolean {
  return host.toLowerCase() === ANONYMOUS_HOST;
}

export const ANONYMOUS_HOST = 'anonymous.invalid';

function unescaped(text: string): string[] {
  return [/%([0-9A-Fa-f]{2})/g, /%([2-7][0-9A-Fa-f])/g].map((escape) =>
    text.replaceAll(escape, (_match, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    ),
  );
}

function hostOf(hostPort: string): string {
  return orNothing(() => [parseHostPort(hostPort).host])[0] ?? '';
}

function viaHosts(value: string): string[] {
  return orNothing(() =>
    splitHeaderList(value).flatMap((element) => {
      const { host, parameters } = parseVia(element);
      return [host, parameters.get('received') ?? ''];
    }),
  );
}

function addressHosts(value: string): string[] {
  return orNothing(() =>
    splitHeaderList(value).flatMap((element) =>
      orNothing(() => [parseSipUri(parseNameAddr(element).uri).host]),
    ),
  );
}

function orNothing(read: () => string[]): string[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}
