/** The headers of SUBSCRIBE and NOTIFY (RFC 6665 §8.2, RFC 4730 §4.2), and Accept (RFC 3261 §20.1). */

import { formatHeaderParameters, parseHeaderParameters, splitHeaderList } from './sip-headers.ts';
import { isToken, quote, trimSpace, unquote } from './sip-text.ts';
import { WireError } from './wire-error.ts';

/** The value of an Event header. */
export interface EventHeader {
  /** Package with its template, as written: event types differ by case (RFC 6665 §8.2.1). */
  readonly eventType: string;
  readonly id?: string;
  /** The dialog that the subscription watches, as far as the header names it. */
  readonly dialog?: DialogReference;
}

/** Names a dialog from the notifier's side: `localTag` is the notifier's own tag (RFC 4730 §3.7, §4.2). */
export interface DialogReference {
  readonly callId?: string;
  readonly localTag?: string;
  readonly remoteTag?: string;
}

/** The value of a Subscription-State header. */
export interface SubscriptionState {
  /** In lower case: `active`, `pending`, `terminated` or an extension. */
  readonly state: string;
  readonly expiresSeconds?: number;
  /** In lower case. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

const MAX_SECONDS = 0xffff_ffff;

/** @throws WireError when the value is no event type with parameters. */
export function parseEvent(value: string): EventHeader {
  const { word, parameters } = splitWord(value, 'event type');
  const id = parameters.get('id');
  const dialog = readDialogReference(parameters);
  return {
    eventType: word,
    ...(id === undefined ? {} : { id: bareValue(id) }),
    ...(dialog === undefined ? {} : { dialog }),
  };
}

/** Writes the call-id in quotes and the tags bare (RFC 4730 §4.2). */
export function formatEvent(event: EventHeader): string {
  const { callId, localTag, remoteTag } = event.dialog ?? {};
  const parameters = new Map<string, string>();
  if (callId !== undefined) parameters.set('call-id', quote(callId));
  if (localTag !== undefined) parameters.set('local-tag', localTag);
  if (remoteTag !== undefined) parameters.set('remote-tag', remoteTag);
  if (event.id !== undefined) parameters.set('id', isToken(event.id) ? event.id : quote(event.id));
  return event.eventType + formatHeaderParameters(parameters);
}

/**
 * Tells whether `reference` names `dialog`. Parameters it leaves out match; `swapped` means that the peer
 * took local and remote the other way round.
 */
export function matchDialog(
  reference: DialogReference | undefined,
  dialog: Required<DialogReference>,
): 'same' | 'swapped' | 'other' {
  const plain = { ...dialog, ...reference };
  if (plain.callId !== dialog.callId) return 'other';
  if (plain.localTag === dialog.localTag && plain.remoteTag === dialog.remoteTag) return 'same';
  const swapped = { localTag: dialog.remoteTag, remoteTag: dialog.localTag, ...reference };
  const isSwapped = swapped.localTag === dialog.remoteTag && swapped.remoteTag === dialog.localTag;
  return isSwapped ? 'swapped' : 'other';
}

/** @throws WireError when the value is no state with parameters or a number in it cannot be read. */
export function parseSubscriptionState(value: string): SubscriptionState {
  const { word, parameters } = splitWord(value, 'subscription state');
  const expires = parameters.get('expires');
  const retryAfter = parameters.get('retry-after');
  const reason = parameters.get('reason');
  return {
    state: word.toLowerCase(),
    ...(expires === undefined ? {} : { expiresSeconds: parseSeconds(expires) }),
    ...(reason === undefined ? {} : { reason: bareValue(reason).toLowerCase() }),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: parseSeconds(retryAfter) }),
  };
}

export function formatSubscriptionState(state: SubscriptionState): string {
  const parameters = new Map<string, string>();
  if (state.expiresSeconds !== undefined) parameters.set('expires', String(state.expiresSeconds));
  if (state.reason !== undefined) parameters.set('reason', state.reason);
  if (state.retryAfterSeconds !== undefined) {
    parameters.set('retry-after', String(state.retryAfterSeconds));
  }
  return state.state + formatHeaderParameters(parameters);
}

/**
 * Reads the number of Expires, Min-Expires and their like: 0 to 2^32 - 1 seconds.
 *
 * @throws WireError for anything else.
 */
export function parseSeconds(value: string): number {
  const text = trimSpace(value);
  const seconds = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= MAX_SECONDS)) throw new WireError(`expected seconds, got ${show(text)}`);
  return seconds;
}

/**
 * Reads Retry-After; its comment and parameters are passed over (RFC 3261 §20.33).
 *
 * @throws WireError when the value does not begin with a number of seconds.
 */
export function parseRetryAfter(value: string): number {
  const number = /^[ \t]*(\d+)[ \t]*(?:[(;]|$)/.exec(value)?.[1];
  return parseSeconds(number ?? value);
}

/** Whether a Content-Type value names `mediaType` (lower case), whatever its parameters. */
export function isMediaType(contentType: string | undefined, mediaType: string): boolean {
  const [type = ''] = (contentType ?? '').split(';', 1);
  return trimSpace(type).toLowerCase() === mediaType;
}

/**
 * Whether the sender of this Accept value takes `mediaType` (lower case).
 *
 * No header accepts everything; the most specific range decides; ranges that cannot be read are passed over.
 */
export function isAcceptable(accept: string | undefined, mediaType: string): boolean {
  if (accept === undefined) return true;
  const qualities = readAccept(accept);
  const bySpecificity = [mediaType, mediaType.replace(/\/.*/, '/*'), '*/*'];
  const decisive = bySpecificity.find((range) => qualities.has(range)) ?? '';
  return (qualities.get(decisive) ?? 0) > 0;
}

/** Media ranges with their q-values; of a repeated range the best counts. */
function readAccept(accept: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const element of elementsOf(accept)) {
    const [range = '', ...parameters] = element.split(';').map(trimSpace);
    const quality = parameters.find((parameter) => /^q[ \t]*=/i.test(parameter)) ?? 'q=1';
    const value = Number(quality.slice(quality.indexOf('=') + 1));
    const key = range.replaceAll(/[ \t]/g, '').toLowerCase();
    if (!Number.isNaN(value)) qualities.set(key, Math.max(value, qualities.get(key) ?? 0));
  }
  return qualities;
}

function elementsOf(list: string): string[] {
  try {
    return splitHeaderList(list);
  } catch {
    return [];
  }
}

function splitWord(value: string, what: string): { word: string; parameters: Map<string, string> } {
  const [first = ''] = value.split(';', 1);
  const word = trimSpace(first);
  if (!isToken(word)) throw new WireError(`expected an ${what}, got ${show(value)}`);
  return { word, parameters: parseHeaderParameters(value.slice(first.length)) };
}

function readDialogReference(parameters: ReadonlyMap<string, string>): DialogReference | undefined {
  const callId = parameters.get('call-id');
  const localTag = parameters.get('local-tag');
  const remoteTag = parameters.get('remote-tag');
  if (callId === undefined && localTag === undefined && remoteTag === undefined) return undefined;
  return {
    ...(callId === undefined ? {} : { callId: bareValue(callId) }),
    ...(localTag === undefined ? {} : { localTag: tagIn(localTag) }),
    ...(remoteTag === undefined ? {} : { remoteTag: tagIn(remoteTag) }),
  };
}

/** A tag is a token; the examples of RFC 4730 quote the whole address it stands in. */
function tagIn(value: string): string {
  const bare = bareValue(value);
  if (isToken(bare)) return bare;
  const match = /;[ \t]*tag[ \t]*=[ \t]*([^;>, \t"]+)/i.exec(bare);
  return match?.[1] ?? bare;
}

function bareValue(value: string): string {
  return value.startsWith('"') ? unquote(value) : value;
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
