/** The Contacts of a relayed REGISTER and of its answer (RFC 3261 §10). */
import type { PeerSource } from '../../sip/sip-connection.ts';
import { ownText } from '../../wire/own-bytes.ts';
import { type NameAddr, parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
import {
  getHeader,
  getHeaders,
  type SipMessage,
  type SipResponse,
} from '../../wire/sip-message.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { Registrations } from './registrations.ts';

/** Who registers, and by way of which interfaces. */
export interface Registrant {
  readonly aor: string;
  readonly interfaceName: string;
  readonly source: PeerSource;
  readonly registrarInterface: string;
}

/** What a REGISTER wants: nothing but to know, all Contacts gone, or these. */
export type WantedContacts =
  | { readonly type: 'query' }
  | { readonly type: 'removeAll' }
  | { readonly type: 'contacts'; readonly contacts: readonly NameAddr[] }
  | { readonly type: 'unusable' };

/** More than a device has. */
const MAX_CONTACTS = 8;
/** What a registrar grants that does not say how long (RFC 3261 §10.2.1.1). */
const DEFAULT_SECONDS = 3600;
const MAX_SECONDS = 86_400;

export function wantedContacts(register: SipMessage): WantedContacts {
  const contacts = contactsIn(register);
  if (contacts === undefined || contacts.length > MAX_CONTACTS) return { type: 'unusable' };
  const [first] = contacts;
  if (first === undefined) return { type: 'query' };
  if (first !== '*') {
    const named = contacts.flatMap((each) => (each === '*' ? [] : [each]));
    return named.length === contacts.length && named.every(({ uri }) => isSip(uri))
      ? { type: 'contacts', contacts: named }
      : { type: 'unusable' };
  }
  const isAlone = contacts.length === 1 && getHeader(register, 'Expires')?.trim() === '0';
  return isAlone ? { type: 'removeAll' } : { type: 'unusable' };
}

/** Contact of the REGISTER to the registrar, for one that has any; the SIP engine puts its address for `localhost`. */
export function registrarContact(
  wanted: WantedContacts,
  registrant: Registrant,
  context: { readonly registrations: Registrations; readonly transport: string },
): { Contact?: string } {
  if (wanted.type === 'removeAll') return { Contact: '*' };
  if (wanted.type !== 'contacts') return {};
  const { registrations, transport } = context;
  const suffix = transport === 'udp' ? '' : `;transport=${transport}`;
  const values = wanted.contacts.map(({ uri, parameters }) => {
    const token = registrations.tokenOf({ ...registrant, contact: uri });
    const kept = ['expires', 'q'].flatMap((name) => {
      const value = parameters.get(name) ?? '';
      return /^[0-9.]{1,10}$/.test(value) ? [`;${name}=${value}`] : [];
    });
    return `<sip:${token}@localhost${suffix}>${kept.join('')}`;
  });
  return { Contact: values.join(', ') };
}

/** Enters what the registrar has granted, and gives the Contact of the answer to the device. */
export function takeGranted(
  response: SipResponse,
  wanted: WantedContacts,
  registrant: Registrant,
  context: { readonly registrations: Registrations; readonly nowMs: number },
): { Contact?: string } {
  const { registrations, nowMs } = context;
  const { aor, interfaceName, registrarInterface } = registrant;
  if (wanted.type === 'removeAll') registrations.deleteAll(aor, interfaceName);
  const granted = grantedSeconds(response);
  if (wanted.type === 'contacts') {
    for (const { uri } of wanted.contacts) {
      const contact = ownText(uri);
      const token = registrations.tokenOf({ ...registrant, contact });
      const seconds = granted.get(token) ?? 0;
      const expiresAtMs = nowMs + seconds * 1000;
      if (seconds > 0) registrations.set({ ...registrant, contact, expiresAtMs });
      else registrations.delete(token);
    }
  }
  // Contacts that others have registered are none of the device's business.
  const values = [...granted].flatMap(([token, seconds]) => {
    const binding = registrations.find(token, registrarInterface, nowMs);
    const isOwn = binding?.aor === aor && binding.interfaceName === interfaceName;
    return isOwn ? [`<${binding.contact}>;expires=${seconds}`] : [];
  });
  return values.length === 0 ? {} : { Contact: values.join(', ') };
}

/** Seconds by the user part of each Contact. */
function grantedSeconds(response: SipResponse): ReadonlyMap<string, number> {
  const otherwise = secondsIn(getHeader(response, 'Expires')) ?? DEFAULT_SECONDS;
  const granted = new Map<string, number>();
  for (const contact of contactsIn(response) ?? []) {
    if (contact === '*') continue;
    const user = userIn(contact.uri);
    if (user === undefined) continue;
    granted.set(user, secondsIn(contact.parameters.get('expires')) ?? otherwise);
  }
  return granted;
}

/** `undefined` when they cannot be read. */
function contactsIn(message: SipMessage): readonly (NameAddr | '*')[] | undefined {
  return read(() =>
    getHeaders(message, 'Contact')
      .flatMap((value) => splitHeaderList(value))
      .map((value) => (value === '*' ? value : parseNameAddr(value))),
  );
}

function secondsIn(value: string | undefined): number | undefined {
  const text = value?.trim() ?? '';
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_SECONDS) : undefined;
}

function userIn(uri: string): string | undefined {
  return read(() => parseSipUri(uri))?.user;
}

function isSip(uri: string): boolean {
  return read(() => parseSipUri(uri)) !== undefined;
}

function read<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
