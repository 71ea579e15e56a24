/**
 * The headers of a message for the other leg.
 *
 *   rules in of the one leg -> table, trust, hidden names -> our own headers -> rules out of the other leg
 */
import type { HeaderRule } from '../../config/header-rule.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import { parseCSeq, splitHeaderList } from '../../wire/sip-headers.ts';
import { getHeader, type SipHeader, type SipMessage } from '../../wire/sip-message.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';
import { otherSide, type Side } from '../../wire/side.ts';
import { applyHeaderRules, type RuledHeaders } from './header-rules.ts';
import { HEADER_TABLE, type HeaderRow, type MessageKind } from './header-table.ts';
import {
  ANONYMOUS_HOST,
  type LegNames,
  namesOf,
  type PolicyLeg,
  shows,
} from './header-topology.ts';
import {
  hidesCaller,
  historyHeaders,
  identityHeaders,
  type IdentitySource,
  privacyOf,
  referrerHeaders,
} from './identity-policy.ts';

/** The legs that a message crosses. */
export interface HeaderPath {
  readonly from: PolicyLeg;
  readonly to: PolicyLeg;
}

/** The way from `side` to the other leg. */
export function pathFrom(side: Side, legs: Readonly<Record<Side, PolicyLeg>>): HeaderPath {
  return { from: legs[side], to: legs[otherSide(side)] };
}

/** A message as the rules of its leg leave it, with what the policy found out about it. */
export interface CrossingMessage {
  /** Headers for the other leg, before ours are added. */
  readonly headers: Record<string, string>;
  /** From and Contact have to be anonymous. */
  readonly hidesCaller: boolean;
  /** The reason phrase, if it may be repeated. */
  readonly phrase: { readonly reason?: string };
  /** What the other leg must not see. */
  readonly names: LegNames;
}

/** Kept on a leg that asks for nothing about its user to be shown (RFC 3323 §5.3). */
const HIDDEN_WITH_USER = new Set(['subject', 'user-to-user']);

/** What crosses of `message`. `isInitial`: of the INVITE that begins the call. */
export function crossing(
  message: SipMessage,
  path: HeaderPath,
  isInitial = false,
): CrossingMessage {
  const ruled = ruledHeaders(message, rulesOf(path.from), 'in');
  const names = namesOf(message, path.from);
  const source: IdentitySource = {
    headers: ruled.headers,
    isFromTrusted: path.from.settings.trust.value === 'trusted',
    isToTrusted: path.to.settings.trust.value === 'trusted',
    names,
    ownHost: ownHostOf(path.to),
  };
  const kind = kindOf(message, isInitial);
  const headers = {
    ...listedHeaders(ruled, source, kind),
    ...rewrittenHeaders(source, kind),
  };
  const isPhrase = message.type === 'response' && !shows(message.reason, names);
  const phrase = isPhrase ? { reason: message.reason } : {};
  return { headers, hidesCaller: hidesCaller(source), phrase, names };
}

/** The headers that leave towards `to`: those that crossed and ours, as the rules of that leg leave them. */
export function leaving(
  headers: Record<string, string>,
  to: PolicyLeg,
  message: { readonly method: string; readonly status?: number | undefined },
): Record<string, string> {
  const rules = rulesOf(to);
  if (rules.length === 0) return headers;
  const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const ruled = applyHeaderRules(rules, { direction: 'out', ...message, headers: fields });
  return Object.fromEntries(ruled.headers.map(({ name, value }) => [name, value]));
}

/** Method of the request, for a response of its request. */
export function methodOf(message: SipMessage): string {
  if (message.type === 'request') return message.method;
  try {
    return parseCSeq(getHeader(message, 'CSeq') ?? '').method;
  } catch {
    return '';
  }
}

/** The kind of a message in the table. */
export function kindOf(message: SipMessage, isInitial: boolean): MessageKind {
  if (message.type === 'response') {
    if (message.status >= 300) return 'refusal';
    return message.status >= 200 ? 'answer' : 'progress';
  }
  switch (message.method) {
    case 'INVITE':
      return isInitial ? 'invite' : 'offer';
    case 'BYE':
    case 'CANCEL':
      return 'end';
    case 'INFO':
    case 'MESSAGE':
      return 'inform';
    default:
      return 'offer';
  }
}

function rulesOf(leg: PolicyLeg): readonly HeaderRule[] {
  return leg.agent?.headerRules ?? leg.sipInterface.headerRules ?? [];
}

function ruledHeaders(
  message: SipMessage,
  rules: readonly HeaderRule[],
  direction: 'in' | 'out',
): RuledHeaders {
  if (rules.length === 0) return { headers: message.headers, passed: new Set() };
  const status = message.type === 'response' ? message.status : undefined;
  const { headers } = message;
  return applyHeaderRules(rules, { direction, method: methodOf(message), status, headers });
}

/** Rows by the name they are compared by. */
const ROWS: ReadonlyMap<string, HeaderRow> = new Map(
  HEADER_TABLE.map((row) => [headerKey(row.header), row]),
);

/** Of one header in one message. */
const MAX_FIELDS = 16;

/** What passes as it is: by the table, or by a rule. */
function listedHeaders(
  { headers, passed }: RuledHeaders,
  source: IdentitySource,
  kind: MessageKind,
): Record<string, string> {
  const isBetweenTrusted = source.isFromTrusted && source.isToTrusted;
  const hidesUser = !source.isToTrusted && privacyOf(headers).has('user');
  const values = new Map<string, { name: string; fields: string[] }>();
  for (const header of headers) {
    const key = headerKey(header.name);
    const row = ROWS.get(key);
    if (row?.treatment === 'ours' || row?.treatment === 'rewritten') continue;
    const isListed =
      row?.treatment === 'passes' || (row?.treatment === 'trusted' && isBetweenTrusted);
    const isOfKind = row?.kinds?.includes(kind) ?? true;
    if (!passed.has(header) && !(isListed && isOfKind)) continue;
    if (hidesUser && HIDDEN_WITH_USER.has(key)) continue;
    const known = values.get(key);
    // What is on several lines is a list (RFC 3261 §7.3.1); of what is known to be none the first line counts.
    const isList = row === undefined || row.isList === true;
    if (known !== undefined && (!isList || known.fields.length >= MAX_FIELDS)) continue;
    const value = passable(key, header, source.names);
    if (value === undefined) continue;
    if (known === undefined) values.set(key, { name: row?.header ?? header.name, fields: [value] });
    else known.fields.push(value);
  }
  const result: Record<string, string> = {};
  for (const { name, fields } of values.values()) result[name] = fields.join(', ');
  return result;
}

function passable(key: string, header: SipHeader, names: LegNames): string | undefined {
  if (header.value === '' || !CARRIED_NAME.test(header.name)) return undefined;
  const value = key === 'alert-info' ? alertNames(header.value) : header.value;
  return value === undefined || shows(value, names) ? undefined : value;
}

/** Names that every SIP engine takes from an application. */
const CARRIED_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/** Of Alert-Info the names of ring tones (RFC 7462), not the places where others could be fetched. */
function alertNames(value: string): string | undefined {
  try {
    const elements = splitHeaderList(value).filter((element) =>
      /^<urn:alert:[^>]+>/i.test(element),
    );
    return elements.length === 0 ? undefined : elements.join(', ');
  } catch {
    return undefined;
  }
}

function rewrittenHeaders(source: IdentitySource, kind: MessageKind): Record<string, string> {
  const { headers } = source;
  const all = {
    ...identityHeaders(source),
    ...historyHeaders(source),
    ...referrerHeaders(source),
    ...warnings(headers, source),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => ROWS.get(headerKey(name))?.kinds?.includes(kind)),
  );
}

/** Warnings in our name: who warned is a host of the other leg (RFC 3261 §20.43). */
function warnings(headers: readonly SipHeader[], source: IdentitySource): { Warning?: string } {
  const texts = headers
    .filter(({ name }) => headerKey(name) === 'warning')
    .flatMap(({ value }) => warningTexts(value))
    .filter((text) => !shows(text, source.names));
  return texts.length === 0 ? {} : { Warning: texts.join(', ') };
}

function warningTexts(value: string): string[] {
  try {
    return splitHeaderList(value).flatMap((element) => {
      const match = /^(\d{3}) +\S+ +("[^"\\]*")$/.exec(element);
      return match === null ? [] : [`${match[1]} Tonebridge ${match[2]}`];
    });
  } catch {
    return [];
  }
}

/** Our host on a leg, for the headers that the SIP engine does not fill in. */
function ownHostOf(leg: PolicyLeg): string {
  const address = leg.sipInterface.sipPorts[0]?.address ?? '';
  const isNone = address === '' || address === '0.0.0.0' || address === '::';
  return isNone ? ANONYMOUS_HOST : formatHostPort(address);
}
