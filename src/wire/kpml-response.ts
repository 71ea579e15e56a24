/**
 * The document with which a notifier reports keys (RFC 4730 §3.9, §5.2, §6.2): one empty element.
 *
 *   kpml-response version code text digits? tag? suppressed? forced_flush?
 *
 * Reading does not look at the schema, since deployed gateways leave out the namespace.
 */

import { isMediaType } from './event-headers.ts';
import {
  KPML_RESPONSE_NAMESPACE,
  KPML_RESPONSE_TYPE,
  KpmlError,
  kpmlKeyOf,
  RESPONSE_REFUSALS,
} from './kpml.ts';
import type { KpmlKey } from './kpml.ts';
import { escapeXml, parseXml } from './xml.ts';

export interface KpmlResponse {
  /** Three digits; of an unknown code only the first counts. */
  readonly code: number;
  /** For people only. */
  readonly text: string;
  /** As written by the notifier; see {@link kpmlKeysOf}. */
  readonly digits?: string;
  /** Tag of the regex that matched. */
  readonly tag?: string;
  /** The keys were kept out of the audio. */
  readonly isSuppressed: boolean;
  /** Older keys were lost because a buffer was full. */
  readonly isForcedFlush: boolean;
}

/** The codes we send, each with its text (RFC 4730 §5.2). */
export const KPML_TEXTS = {
  200: 'OK',
  402: 'User Terminated Without Match',
  423: 'Timer Expired',
  481: 'Dialog Not Found',
  487: 'Subscription Expired',
  501: 'Bad Document',
  502: 'Namespace Not Supported',
  533: 'Multiple Subscriptions on a Dialog Not Supported',
  534: 'Too Many Regular Expressions',
} as const;

export type KpmlCode = keyof typeof KPML_TEXTS;

const NAMESPACE_FAMILY = 'urn:ietf:params:xml:ns:kpml-';

/**
 * Reads the body of a NOTIFY. Any namespace of the KPML family counts, since RFC 4730 misprints its own.
 *
 * @throws KpmlError whose refusal is SIP 400, 413 or 415.
 */
export function parseKpmlResponse(body: Buffer, contentType: string | undefined): KpmlResponse {
  if (!isMediaType(contentType, KPML_RESPONSE_TYPE)) {
    throw new KpmlError(
      { type: 'sip', status: 415 },
      `expected ${KPML_RESPONSE_TYPE}, got ${contentType ?? 'no Content-Type'}`,
    );
  }
  const result = parseXml(body, {
    isNamespaceAllowed: (namespace) => namespace === '' || namespace.startsWith(NAMESPACE_FAMILY),
  });
  if (result.type !== 'document')
    throw new KpmlError(RESPONSE_REFUSALS[result.type], result.detail);
  const { name, attributes } = result.root;
  if (name !== 'kpml-response') throw badResponse(`kpml-response, got ${name}`);
  const code = attributes.get('code')?.trim() ?? '';
  if (!/^\d{3}$/.test(code)) throw badResponse(`a code of three digits, got "${code}"`);
  const digits = attributes.get('digits')?.trim();
  const tag = attributes.get('tag')?.trim();
  return {
    code: Number(code),
    text: attributes.get('text')?.trim() ?? '',
    ...(digits === undefined ? {} : { digits }),
    ...(tag === undefined ? {} : { tag }),
    isSuppressed: /^(?:true|1)$/i.test(attributes.get('suppressed')?.trim() ?? ''),
    isForcedFlush: (attributes.get('forced_flush')?.trim() ?? 'false') !== 'false',
  };
}

/** Writes a response. */
export function formatKpmlResponse(response: KpmlResponse): string {
  const { digits, tag } = response;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<kpml-response xmlns="${KPML_RESPONSE_NAMESPACE}" version="1.0" code="${response.code}"` +
    ` text="${escapeXml(response.text)}"` +
    (digits === undefined ? '' : ` digits="${escapeXml(digits)}"`) +
    (tag === undefined ? '' : ` tag="${escapeXml(tag)}"`) +
    ` suppressed="${response.isSuppressed}" forced_flush="${response.isForcedFlush}"/>`
  );
}

/**
 * Splits the `digits` of a response into keys.
 *
 * `unknown` collects what is no key, such as `+`. The backspace `bs` of some phones is taken as a whole,
 * since its first letter would read as key B.
 */
export function kpmlKeysOf(digits: string): { keys: KpmlKey[]; unknown: string } {
  const keys: KpmlKey[] = [];
  let unknown = '';
  for (const [symbol] of digits.matchAll(/bs|./giu)) {
    const key = kpmlKeyOf(symbol);
    if (key === undefined) unknown += symbol;
    else keys.push(key);
  }
  return { keys, unknown };
}

function badResponse(expected: string): KpmlError {
  return new KpmlError({ type: 'sip', status: 400 }, `expected ${expected}`);
}
