/**
 * The one reader of XML bodies, hardened against what a stranger can put into a SIP message.
 *
 *   bytes -> size -> encoding and characters -> no DTD -> validator -> parser -> walk -> namespace
 *            |        |                          |        |            |         |       |
 *        too-large  encoding, not-xml         not-xml   not-xml     not-xml   not-xml  foreign-namespace
 *
 * The parser stands behind this file alone: it accepts text behind the root, several roots, control
 * characters, undefined entities and unbound prefixes, all of which are refused here.
 */

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { decodeXmlText } from './xml-encoding.ts';
import { PARSER_KEYS, readXmlTree, XmlFlaw } from './xml-tree.ts';
import type { XmlElement, XmlLimits } from './xml-tree.ts';

/** A longer body is refused before a byte of it is looked at. */
export const XML_MAX_BYTES = 16_384;

export type XmlRefusal = 'too-large' | 'encoding' | 'not-xml' | 'foreign-namespace';

export type XmlResult = { readonly type: 'document'; readonly root: XmlElement } | XmlRefused;

export interface XmlRefused {
  readonly type: XmlRefusal;
  readonly detail: string;
  /** What kind of `not-xml`, where it is more than broken markup. */
  readonly flaw?: 'doctype' | 'limits';
  /** Both counted from 1. */
  readonly position?: { readonly line: number; readonly column: number };
}

/** What the caller wants of a document; it may ask for tighter limits than the usual ones. */
export interface XmlRule extends Partial<XmlLimits> {
  /** Judges the root's namespace; the empty string means that it has none. */
  readonly isNamespaceAllowed: (namespace: string) => boolean;
}

const USUAL_LIMITS: XmlLimits = { maxDepth: 16, maxElements: 256, maxAttributes: 32 };

/** Start tag, end tag and one comment or instruction for each element: more is an attack on our time. */
const MARKUP_PER_ELEMENT = 3;

/** On average, equals signs in text included; a single element may have more. */
const ATTRIBUTES_PER_ELEMENT = 2;

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: PARSER_KEYS.attributePrefix,
  textNodeName: PARSER_KEYS.text,
  removeNSPrefix: false,
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  allowBooleanAttributes: false,
  cdataPropName: PARSER_KEYS.cdata,
  maxNestedTags: USUAL_LIMITS.maxDepth,
});

/** Reads one XML document. Never throws, whatever the bytes are. */
export function parseXml(bytes: Buffer, rule: XmlRule): XmlResult {
  if (bytes.length > XML_MAX_BYTES) {
    return {
      type: 'too-large',
      detail: `expected at most ${XML_MAX_BYTES} bytes, got ${bytes.length}`,
    };
  }
  const decoded = decodeXmlText(bytes);
  if (decoded.type !== 'text') return decoded;
  const text = decoded.text.trim();
  const limits = { ...USUAL_LIMITS, ...rule };
  const flaw = surfaceFlaw(text, limits);
  if (flaw !== undefined) return { type: 'not-xml', ...flaw };
  try {
    const root = readXmlTree(PARSER.parse(text), limits);
    if (rule.isNamespaceAllowed(root.namespace)) return { type: 'document', root };
    return { type: 'foreign-namespace', detail: `got namespace "${root.namespace}"` };
  } catch (error) {
    if (error instanceof XmlFlaw) {
      const refused = { type: error.refusal, detail: error.message };
      return error.isLimit ? { ...refused, flaw: 'limits' } : refused;
    }
    // Whatever the parser throws means the same: it could not make a tree of the text.
    const refused = { type: 'not-xml', detail: 'expected well-formed XML' } as const;
    return isTooDeep(error) ? { ...refused, flaw: 'limits' } : refused;
  }
}

/** Cheap checks of the whole text, before validator and parser spend time on it. */
function surfaceFlaw(
  text: string,
  limits: XmlLimits,
): Pick<XmlRefused, 'detail' | 'flaw' | 'position'> | undefined {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    return { detail: 'expected no document type declaration', flaw: 'doctype' };
  }
  if (!text.startsWith('<')) return { detail: 'expected a document that begins with "<"' };
  if (!endsWithMarkup(text)) return { detail: 'expected nothing behind the root element' };
  if (occursMoreThan(text, '<', limits.maxElements * MARKUP_PER_ELEMENT)) {
    return { detail: 'expected fewer tags', flaw: 'limits' };
  }
  if (occursMoreThan(text, '=', limits.maxElements * ATTRIBUTES_PER_ELEMENT)) {
    return { detail: 'expected fewer attributes', flaw: 'limits' };
  }
  const validity = XMLValidator.validate(text);
  if (validity === true) return undefined;
  const { msg, line, col } = validity.err;
  // The validator cannot place what is wrong with the document as a whole.
  return Number.isInteger(line) && Number.isInteger(col)
    ? { detail: msg, position: { line, column: col } }
    : { detail: msg };
}

function isTooDeep(error: unknown): boolean {
  return error instanceof Error && error.message.includes('nested tags');
}

function occursMoreThan(text: string, character: string, limit: number): boolean {
  return text.split(character, limit + 2).length > limit + 1;
}

/**
 * Whether the text ends with a tag once comments and processing instructions are taken off its end.
 * The parser drops text that stands behind an empty root element, so it is looked for here.
 */
function endsWithMarkup(text: string): boolean {
  let rest = text;
  for (;;) {
    if (rest.endsWith('-->')) rest = rest.slice(0, Math.max(0, rest.lastIndexOf('<!--')));
    else if (rest.endsWith('?>')) rest = rest.slice(0, Math.max(0, rest.lastIndexOf('<?')));
    else return rest.endsWith('>');
    rest = rest.trimEnd();
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

/** Makes `text` safe in content and in double-quoted attributes; characters XML lacks are left out. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFC\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll(
      /[&<>"\t\n\r]/g,
      (character) => ESCAPES.get(character) ?? `&#${character.charCodeAt(0)};`,
    );
}
