/**
 * The second half of the XML reader: walks the parser's output into plain elements and refuses what
 * the parser let through (two roots, too deep, too many, unbound prefixes, unknown references).
 */

export interface XmlElement {
  /** Namespace name; empty when the element is in none. */
  readonly namespace: string;
  /** Name without its prefix. */
  readonly name: string;
  /** Values by local name, or by `{namespace}name` when the attribute has a prefix. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Text and elements in document order; comments and processing instructions are left out. */
  readonly children: readonly (XmlElement | string)[];
}

/** How much of a document is tolerated. */
export interface XmlLimits {
  /** Levels of elements, the root being the first. */
  readonly maxDepth: number;
  readonly maxElements: number;
  /** Per element, namespace declarations included. */
  readonly maxAttributes: number;
}

/** Keys under which the parser hands over what is not an element. */
export const PARSER_KEYS = {
  text: '#text',
  cdata: '#cdata',
  attributes: ':@',
  attributePrefix: '@_',
} as const;

/** Why a tree is refused; caught by the reader, never seen outside. */
export class XmlFlaw extends Error {
  override readonly name = 'XmlFlaw';
  readonly refusal: 'not-xml' | 'encoding';
  /** The document is larger than the caller tolerates. */
  readonly isLimit: boolean;

  constructor(refusal: 'not-xml' | 'encoding', message: string, isLimit = false) {
    super(message);
    this.refusal = refusal;
    this.isLimit = isLimit;
  }
}

type Scope = ReadonlyMap<string, string>;

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** The prefix that stands for none in a scope. */
const DEFAULT_PREFIX = '';

/** The prefixes bound outside every document (Namespaces in XML §3). */
const OUTER_SCOPE: Scope = new Map([
  [DEFAULT_PREFIX, ''],
  ['xml', XML_NAMESPACE],
]);

/** One optional prefix and a local name; neither begins with a digit, a dot or a hyphen. */
const QUALIFIED_NAME = /^(?:([\p{L}_][\p{L}\p{N}\p{M}_.·-]*):)?([\p{L}_][\p{L}\p{N}\p{M}_.·-]*)$/u;

const REFERENCE = /&(?:#x([0-9a-fA-F]{1,8});|#([0-9]{1,8});|(amp|lt|gt|quot|apos);)?/g;

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Finds the root element in the parser's output for a whole document.
 *
 * @throws XmlFlaw when the tree breaks a rule.
 */
export function readXmlTree(parsed: unknown, limits: XmlLimits): XmlElement {
  return new TreeWalk(limits).root(parsed);
}

class TreeWalk {
  readonly #limits: XmlLimits;
  #elementCount = 0;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
  }

  root(parsed: unknown): XmlElement {
    const nodes = arrayOf(parsed);
    const roots: XmlElement[] = [];
    for (const [index, node] of nodes.entries()) {
      const { key, value, attributes } = openNode(node);
      if (key === '?xml' && index === 0) continue;
      if (isInstruction(key)) continue;
      if (key === PARSER_KEYS.text && String(value).trim() === '') continue;
      roots.push(this.#element({ key, value, attributes, scope: OUTER_SCOPE }, 1));
    }
    const [root, second] = roots;
    if (root === undefined || second !== undefined) {
      throw new XmlFlaw('not-xml', `expected one root element, got ${roots.length}`);
    }
    return root;
  }

  #element(node: OpenNode & { scope: Scope }, depth: number): XmlElement {
    this.#elementCount += 1;
    if (depth > this.#limits.maxDepth) throw new XmlFlaw('not-xml', 'nested too deep', true);
    if (this.#elementCount > this.#limits.maxElements) {
      throw new XmlFlaw('not-xml', 'too many elements', true);
    }
    if (node.attributes.length > this.#limits.maxAttributes) {
      throw new XmlFlaw('not-xml', 'too many attributes', true);
    }
    const decoded = node.attributes.map(([name, value]) => [name, attributeValue(value)] as const);
    const scope = innerScope(node.scope, decoded);
    const { namespace, name } = resolve(node.key, scope, DEFAULT_PREFIX);
    return {
      namespace,
      name,
      attributes: ownAttributes(decoded, scope),
      children: this.#children(node.value, scope, depth),
    };
  }

  #children(value: unknown, scope: Scope, depth: number): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (const child of arrayOf(value)) {
      const node = openNode(child);
      if (node.key === PARSER_KEYS.text) {
        children.push(decodeReferences(String(node.value)));
      } else if (node.key === PARSER_KEYS.cdata) {
        children.push(cdataText(node.value));
      } else if (!isInstruction(node.key)) {
        children.push(this.#element({ ...node, scope }, depth + 1));
      }
    }
    return children;
  }
}

interface OpenNode {
  readonly key: string;
  readonly value: unknown;
  readonly attributes: readonly (readonly [string, string])[];
}

/** The parser's node `{ name: children, ':@': attributes }` taken apart. */
function openNode(node: unknown): OpenNode {
  const entries = Object.entries(objectOf(node));
  const own = entries.find(([key]) => key !== PARSER_KEYS.attributes);
  if (own === undefined) throw new XmlFlaw('not-xml', 'expected a named node');
  const attributes = entries.find(([key]) => key === PARSER_KEYS.attributes)?.[1] ?? {};
  return {
    key: own[0],
    value: own[1],
    attributes: Object.entries(objectOf(attributes)).map(([key, value]) => [
      key.slice(PARSER_KEYS.attributePrefix.length),
      String(value),
    ]),
  };
}

/** Whether the node is a processing instruction; the XML declaration has its place before the root. */
function isInstruction(key: string): boolean {
  if (key.toLowerCase() === '?xml') throw new XmlFlaw('not-xml', 'misplaced XML declaration');
  return key.startsWith('?');
}

function innerScope(outer: Scope, attributes: readonly (readonly [string, string])[]): Scope {
  const declared = attributes.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  const scope = new Map(outer);
  for (const [name, value] of declared) {
    const prefix = name.slice('xmlns:'.length);
    if (prefix === 'xmlns' || (prefix === 'xml') !== (value === XML_NAMESPACE)) {
      throw new XmlFlaw('not-xml', 'reserved prefix bound');
    }
    if (prefix !== '' && value === '') throw new XmlFlaw('not-xml', `prefix ${prefix} unbound`);
    scope.set(prefix, value);
  }
  return scope;
}

function ownAttributes(
  attributes: readonly (readonly [string, string])[],
  scope: Scope,
): Map<string, string> {
  const own = new Map<string, string>();
  for (const [qualified, value] of attributes) {
    if (qualified === 'xmlns' || qualified.startsWith('xmlns:')) continue;
    // A default namespace does not reach attributes (Namespaces in XML §6.2).
    const { namespace, name } = resolve(qualified, scope, undefined);
    const key = namespace === '' ? name : `{${namespace}}${name}`;
    if (own.has(key)) throw new XmlFlaw('not-xml', `attribute ${name} given twice`);
    own.set(key, value);
  }
  return own;
}

function resolve(
  qualified: string,
  scope: Scope,
  missingPrefix: string | undefined,
): { namespace: string; name: string } {
  const match = QUALIFIED_NAME.exec(qualified);
  const name = match?.[2];
  if (name === undefined) throw new XmlFlaw('not-xml', 'expected a name');
  const prefix = match?.[1] ?? missingPrefix;
  const namespace = prefix === undefined ? '' : scope.get(prefix);
  if (namespace === undefined) throw new XmlFlaw('not-xml', `prefix ${prefix} unbound`);
  return { namespace, name };
}

/** White space in a value counts as blanks (XML 1.0 §3.3.3). */
function attributeValue(raw: string): string {
  if (raw.includes('<')) throw new XmlFlaw('not-xml', '"<" in an attribute value');
  return decodeReferences(raw.replaceAll(/[\t\n]/g, ' '));
}

function cdataText(value: unknown): string {
  return checkedText(
    arrayOf(value)
      .map((part) => String(openNode(part).value))
      .join(''),
  );
}

/** Replaces references in one pass, so that nothing expands twice. */
function decodeReferences(raw: string): string {
  return checkedText(raw.replaceAll(REFERENCE, decodeReference));
}

function decodeReference(
  _whole: string,
  hexadecimal: string | undefined,
  decimal: string | undefined,
  name: string | undefined,
): string {
  const predefined = PREDEFINED.get(name ?? '');
  if (predefined !== undefined) return predefined;
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  if (!isXmlCharacter(code)) throw new XmlFlaw('not-xml', 'unknown reference');
  return String.fromCodePoint(code);
}

/** XML 1.0 §2.2; not a number is none. */
function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return (
    code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x1_0000 && code <= 0x10_ffff)
  );
}

/** A replacement character tells that somebody decoded the text wrongly before. */
function checkedText(text: string): string {
  if (text.includes('\uFFFD')) throw new XmlFlaw('encoding', 'replacement character in a value');
  return text;
}

function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new XmlFlaw('not-xml', 'expected a list of nodes');
}

function objectOf(value: unknown): object {
  if (typeof value === 'object' && value !== null) return value;
  throw new XmlFlaw('not-xml', 'expected a node');
}
