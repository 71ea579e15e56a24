/**
 * The document with which a subscriber says which keys it wants to hear of (RFC 4730 §3, §5.1, §6.1).
 *
 *   kpml-request version="1.0"
 *     stream?    <reverse/> or the text "reverse": the keys of the other party
 *     pattern    persist, timers, long, longrepeat, nopartial, enterkey
 *       flush?   "yes" forgets keys typed before
 *       regex+   tag?; text with at most one <pre> inside
 *
 * Reading is tolerant (no namespace, unknown elements and attributes, blanks), writing is strict.
 */

import { isMediaType } from './event-headers.ts';
import {
  KPML_REQUEST_NAMESPACE,
  KPML_REQUEST_TYPE,
  KpmlError,
  kpmlKeyOf,
  REQUEST_REFUSALS,
} from './kpml.ts';
import type { KpmlKey } from './kpml.ts';
import { escapeXml, parseXml } from './xml.ts';
import type { XmlElement } from './xml-tree.ts';

export type KpmlPersist = 'one-shot' | 'persist' | 'single-notify';

export interface KpmlRegex {
  /** The DRegex in document order; `pre` parts hold keys to suppress in band. Not yet checked. */
  readonly parts: readonly { readonly type: 'text' | 'pre'; readonly text: string }[];
  readonly tag?: string;
}

export interface KpmlRequest {
  /** The subscriber wants the keys of its own party. */
  readonly isReverse: boolean;
  readonly persist: KpmlPersist;
  /** `persist` held a word the RFC does not know, which counts as one-shot. */
  readonly isPersistUnknown: boolean;
  readonly interDigitTimerMs: number;
  readonly criticalDigitTimerMs: number;
  readonly extraDigitTimerMs: number;
  /** A key held longer than this is a long one. */
  readonly longMs: number;
  readonly isLongRepeat: boolean;
  /** Match a rolling window instead of starting over after a wrong key. */
  readonly isNoPartial: boolean;
  /** Keys that end the entry; empty when there are none. */
  readonly enterKey: readonly KpmlKey[];
  /** Keys typed before this document are forgotten. */
  readonly isFlush: boolean;
  readonly regexes: readonly KpmlRegex[];
}

export const KPML_MAX_REGEXES = 100;
const MAX_TIMER_MS = 86_400_000;

/** What RFC 4730 assumes for everything a document leaves out. */
export const KPML_REQUEST_DEFAULTS = {
  isReverse: false,
  persist: 'one-shot',
  isPersistUnknown: false,
  interDigitTimerMs: 4000,
  criticalDigitTimerMs: 1000,
  extraDigitTimerMs: 500,
  longMs: 2500,
  isLongRepeat: false,
  isNoPartial: false,
  enterKey: [],
  isFlush: false,
} as const satisfies Omit<KpmlRequest, 'regexes'>;

const PERSISTS: readonly KpmlPersist[] = ['one-shot', 'persist', 'single-notify'];

/**
 * Reads the body of a SUBSCRIBE.
 *
 * @throws KpmlError whose refusal is 400, 413 or 415, or KPML 501, 502 or 534.
 */
export function parseKpmlRequest(body: Buffer, contentType: string | undefined): KpmlRequest {
  if (!isMediaType(contentType, KPML_REQUEST_TYPE)) {
    throw new KpmlError(
      { type: 'sip', status: 415 },
      `expected ${KPML_REQUEST_TYPE}, got ${contentType ?? 'no Content-Type'}`,
    );
  }
  const result = parseXml(body, { isNamespaceAllowed });
  if (result.type !== 'document') throw new KpmlError(REQUEST_REFUSALS[result.type], result.detail);
  const { root } = result;
  if (root.name !== 'kpml-request') throw badDocument(`kpml-request, got ${root.name}`);
  const version = attribute(root, 'version');
  if (version !== '1.0') throw badDocument(`version 1.0, got ${version ?? 'none'}`);
  const [pattern, second] = elements(root, 'pattern');
  if (pattern === undefined || second !== undefined) throw badDocument('exactly one pattern');
  return { isReverse: elements(root, 'stream').some(isReverse), ...readPattern(pattern) };
}

/** Writes a request; attributes with their default value are left out. */
export function formatKpmlRequest(request: KpmlRequest): string {
  const stream = request.isReverse ? '<stream><reverse/></stream>' : '';
  const flush = request.isFlush ? '<flush>yes</flush>' : '';
  const regexes = request.regexes.map(formatRegex).join('');
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<kpml-request xmlns="${KPML_REQUEST_NAMESPACE}" version="1.0">${stream}` +
    `<pattern${formatPatternAttributes(request)}>${flush}${regexes}</pattern></kpml-request>`
  );
}

function isNamespaceAllowed(namespace: string): boolean {
  return namespace === '' || namespace === KPML_REQUEST_NAMESPACE;
}

function readPattern(pattern: XmlElement): Omit<KpmlRequest, 'isReverse'> {
  const regexes = elements(pattern, 'regex');
  if (regexes.length === 0) throw badDocument('at least one regex');
  if (regexes.length > KPML_MAX_REGEXES) {
    throw new KpmlError(
      { type: 'kpml', code: 534 },
      `expected at most ${KPML_MAX_REGEXES} regex, got ${regexes.length}`,
    );
  }
  const persist = attribute(pattern, 'persist') ?? KPML_REQUEST_DEFAULTS.persist;
  const known = PERSISTS.find((candidate) => candidate === persist);
  const defaults = KPML_REQUEST_DEFAULTS;
  return {
    persist: known ?? 'one-shot',
    isPersistUnknown: known === undefined,
    interDigitTimerMs: readTimer(pattern, 'interdigittimer', defaults.interDigitTimerMs),
    criticalDigitTimerMs: readTimer(pattern, 'criticaldigittimer', defaults.criticalDigitTimerMs),
    extraDigitTimerMs: readTimer(pattern, 'extradigittimer', defaults.extraDigitTimerMs),
    longMs: readTimer(pattern, 'long', defaults.longMs),
    isLongRepeat: readBoolean(pattern, 'longrepeat'),
    isNoPartial: readBoolean(pattern, 'nopartial'),
    enterKey: readEnterKey(pattern),
    isFlush: elements(pattern, 'flush').some((flush) => textOf(flush).trim() === 'yes'),
    regexes: regexes.map(readRegex),
  };
}

/** The schema has an element inside `stream`, the prose of RFC 4730 §3.7 a word; both are understood. */
function isReverse(stream: XmlElement): boolean {
  return textOf(stream).trim() === 'reverse' || elements(stream, 'reverse').length > 0;
}

function readRegex(regex: XmlElement): KpmlRegex {
  if (elements(regex, 'pre').length > 1) throw badDocument('at most one pre in a regex');
  const parts: { type: 'text' | 'pre'; text: string }[] = [];
  for (const child of regex.children) {
    if (typeof child === 'string') {
      if (child.trim() !== '') parts.push({ type: 'text', text: child });
    } else if (isOwn(child, 'pre')) {
      parts.push({ type: 'pre', text: textOf(child) });
    }
  }
  const tag = regex.attributes.get('tag');
  return tag === undefined ? { parts } : { parts, tag };
}

function readTimer(pattern: XmlElement, name: string, defaultMs: number): number {
  const text = attribute(pattern, name);
  if (text === undefined) return defaultMs;
  if (!/^\+?\d+$/.test(text)) throw badDocument(`milliseconds in ${name}, got ${text}`);
  return Math.min(Number(text), MAX_TIMER_MS);
}

function readBoolean(pattern: XmlElement, name: string): boolean {
  const text = attribute(pattern, name)?.toLowerCase() ?? 'false';
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw badDocument(`true or false in ${name}, got ${text}`);
}

function readEnterKey(pattern: XmlElement): KpmlKey[] {
  return (attribute(pattern, 'enterkey') ?? '').split('').map((character) => {
    const key = kpmlKeyOf(character);
    if (key === undefined) throw badDocument(`keys in enterkey, got ${character}`);
    return key;
  });
}

function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.get(name)?.trim();
}

function elements(parent: XmlElement, name: string): XmlElement[] {
  return parent.children
    .filter((child) => typeof child !== 'string')
    .filter((child) => isOwn(child, name));
}

/** Elements of other namespaces are extensions and are passed over, whatever their name. */
function isOwn(element: XmlElement, name: string): boolean {
  return element.name === name && isNamespaceAllowed(element.namespace);
}

function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}

function badDocument(expected: string): KpmlError {
  return new KpmlError({ type: 'kpml', code: 501 }, `expected ${expected}`);
}

function formatPatternAttributes(request: KpmlRequest): string {
  const defaults = KPML_REQUEST_DEFAULTS;
  const candidates: readonly (readonly [name: string, value: unknown, usual: unknown])[] = [
    ['persist', request.persist, defaults.persist],
    ['interdigittimer', request.interDigitTimerMs, defaults.interDigitTimerMs],
    ['criticaldigittimer', request.criticalDigitTimerMs, defaults.criticalDigitTimerMs],
    ['extradigittimer', request.extraDigitTimerMs, defaults.extraDigitTimerMs],
    ['long', request.longMs, defaults.longMs],
    ['longrepeat', request.isLongRepeat, defaults.isLongRepeat],
    ['nopartial', request.isNoPartial, defaults.isNoPartial],
    ['enterkey', request.enterKey.join(''), ''],
  ];
  return candidates
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => ` ${name}="${String(value)}"`)
    .join('');
}

function formatRegex(regex: KpmlRegex): string {
  const tag = regex.tag === undefined ? '' : ` tag="${escapeXml(regex.tag)}"`;
  const content = regex.parts.map((part) =>
    part.type === 'pre' ? `<pre>${escapeXml(part.text)}</pre>` : escapeXml(part.text),
  );
  return `<regex${tag}>${content.join('')}</regex>`;
}
