/** The body of a SUBSCRIBE that changes features (ECMA-323, SetDoNotDisturb and SetForwarding). */

import { isMediaType } from './event-headers.ts';
import { FEATURE_TYPE } from './feature-body.ts';
import {
  childrenNamed,
  DEVICE,
  FORWARDING_TYPE,
  FORWARDING_TYPES,
  isFeatureNamespace,
  isForwardTarget,
  readStatus,
  REQUEST_FORMS,
  RING_COUNT,
  valueOf,
} from './feature-documents.ts';
import type { DocumentForm } from './feature-documents.ts';
import type { Feature, FeatureProblem, FeatureSet, FeatureSetResult } from './feature-event.ts';
import { readMultipart } from './multipart.ts';
import { attempt, WireError } from './wire-error.ts';
import { decodeXmlText } from './xml-encoding.ts';
import { parseXml, XML_MAX_BYTES } from './xml.ts';
import type { XmlRefused } from './xml.ts';
import type { XmlElement } from './xml-tree.ts';

export interface FeatureMessage {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly body: Buffer;
}

/** A longer body is answered 413. */
export const FEATURE_BODY_MAX_BYTES = XML_MAX_BYTES;

const LIMITS = { maxDepth: 8, maxElements: 64, maxAttributes: 16 } as const;

/** A tag and the text behind it, white space at the end left out; a document of a phone is shorter as a whole. */
const MAX_STRETCH_BYTES = 4096;

const TAG_OPEN = 0x3c;
const WHITE_SPACE: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

const DOCTYPE = /<!DOCTYPE/i;
/** A declaration is the very first thing in a document or it is none (XML 1.0 §2.8). */
const LATE_DECLARATION = /^\s+<\?xml\s/;

const MULTIPART = 'multipart/mixed';
const DOCUMENT_TYPES = [FEATURE_TYPE, 'application/xml', 'text/xml'];

/** Encodings that leave the bytes as they are (RFC 2045 §6.2). */
const PLAIN_TRANSFER = ['7bit', '8bit', 'binary'];

type Refusal = Extract<FeatureSetResult, { type: 'refused' }>;

/** Ends the reading of a body; never leaves this file. */
class Refused extends WireError {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(status: Refusal['status'], code: FeatureProblem, text: string) {
    super(text);
    this.refusal = { type: 'refused', status, code, text };
  }
}

/** Reads every document of the body; one bad part refuses all. Never throws. */
export function readFeatureSets(message: FeatureMessage): FeatureSetResult {
  return attempt<FeatureSetResult>(
    () => ({ type: 'sets', sets: readMessage(message) }),
    (error) => (error instanceof Refused ? error : malformed(error)).refusal,
  );
}

function malformed({ message }: WireError): Refused {
  return new Refused(400, 'malformed', message);
}

function readMessage({ contentType = '', contentEncoding, body }: FeatureMessage): FeatureSet[] {
  if (body.length > FEATURE_BODY_MAX_BYTES) {
    throw new Refused(413, 'limits', `expected at most ${FEATURE_BODY_MAX_BYTES} bytes`);
  }
  checkEncoding(contentEncoding);
  if (!isMediaType(contentType, MULTIPART)) {
    checkType(contentType);
    return [readDocument(body)];
  }
  const parts = readMultipart(contentType, body);
  for (const part of parts) {
    checkEncoding(part.headers.get('content-encoding'));
    checkTransfer(part.headers.get('content-transfer-encoding'));
    checkType(part.headers.get('content-type'));
  }
  return parts.map((part) => readDocument(part.body));
}

function checkType(contentType: string | undefined): void {
  if (!DOCUMENT_TYPES.some((type) => isMediaType(contentType, type))) {
    throw new Refused(415, 'content-type', `expected ${FEATURE_TYPE}`);
  }
}

function checkEncoding(encoding: string | undefined): void {
  const word = (encoding ?? '').trim().toLowerCase();
  if (word !== '' && word !== 'identity') {
    throw new Refused(415, 'content-type', 'expected no Content-Encoding');
  }
}

function checkTransfer(encoding: string | undefined): void {
  if (encoding !== undefined && !PLAIN_TRANSFER.includes(encoding.trim().toLowerCase())) {
    throw new Refused(415, 'content-type', 'expected no Content-Transfer-Encoding');
  }
}

function readDocument(bytes: Buffer): FeatureSet {
  // A refusal names a place in the text, which the tree does not know.
  const decoded = decodeXmlText(bytes);
  if (decoded.type !== 'text') throw xmlRefusal(decoded);
  // A document type is refused by the reader at once, whatever stands in it.
  if (hasLongStretch(bytes) && !DOCTYPE.test(decoded.text)) {
    throw new Refused(400, 'limits', 'line 1, column 1: too much in a tag');
  }
  if (LATE_DECLARATION.test(decoded.text)) {
    throw new Refused(400, 'malformed', 'line 1, column 1: expected the declaration');
  }
  const result = parseXml(bytes, { ...LIMITS, isNamespaceAllowed: isFeatureNamespace });
  if (result.type !== 'document') throw xmlRefusal(result);
  const { root } = result;
  const form = REQUEST_FORMS.find((candidate) => candidate.root === root.name);
  if (form === undefined) {
    throw badDocument(decoded.text, root.name, 'unknown-document', 'not a request of this package');
  }
  return new DocumentReading(decoded.text, root, form).read();
}

/** Whether a tag and the text behind it are so long that taking them apart would hold up others. */
function hasLongStretch(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length) {
    const next = bytes.indexOf(TAG_OPEN, at + 1);
    const end = next < 0 ? bytes.length : next;
    let last = end;
    while (last > at && WHITE_SPACE.has(bytes[last - 1])) last -= 1;
    if (last - at > MAX_STRETCH_BYTES) return true;
    at = end;
  }
  return false;
}

/** One document being read; knows the text so that a refusal can say where. */
class DocumentReading {
  readonly #text: string;
  readonly #root: XmlElement;
  readonly #form: DocumentForm;

  constructor(text: string, root: XmlElement, form: DocumentForm) {
    this.#text = text;
    this.#root = root;
    this.#form = form;
  }

  read(): FeatureSet {
    const feature = this.#feature();
    const status = readStatus(this.#required(this.#form.status));
    if (status === undefined) {
      throw this.#refused(this.#form.status, 'bad-value', 'expected true or false');
    }
    const device = this.#value(DEVICE);
    const forwardTo = this.#target();
    const ringCount = this.#form.target === undefined ? undefined : this.#value(RING_COUNT);
    const isNoAnswer = feature === 'CallForwardingNoAnswer';
    return {
      feature,
      status,
      ...(forwardTo === undefined ? {} : { forwardTo }),
      ...(ringCount !== undefined && isNoAnswer ? { ringCount } : {}),
      // Its value means nothing, so a strange one is not worth a refusal, nor an echo.
      ...(device !== undefined && isForwardTarget(device) ? { device } : {}),
    };
  }

  #feature(): Feature {
    if (this.#form.feature === 'DoNotDisturb') return 'DoNotDisturb';
    const feature = FORWARDING_TYPES.get(this.#required(FORWARDING_TYPE));
    if (feature !== undefined) return feature;
    throw this.#refused(FORWARDING_TYPE, 'unknown-type', 'not a forwarding of this package');
  }

  #target(): string | undefined {
    const name = this.#form.target;
    const target = name === undefined ? undefined : this.#value(name);
    if (name === undefined || target === undefined || isForwardTarget(target)) return target;
    throw this.#refused(name, 'bad-value', 'expected 1 to 256 characters without controls');
  }

  #required(name: string): string {
    if (childrenNamed(this.#root, name).length === 0) {
      throw this.#refused(this.#root.name, 'missing-element', `expected ${name}`);
    }
    return this.#value(name) ?? '';
  }

  /** @returns `undefined` when the element is missing or has nothing but white space in it. */
  #value(name: string): string | undefined {
    const [element, second] = childrenNamed(this.#root, name);
    if (second !== undefined) throw this.#refused(name, 'bad-value', 'expected it once');
    if (element === undefined) return undefined;
    const value = valueOf(element);
    if (value === undefined) throw this.#refused(name, 'bad-value', 'expected text alone');
    return value === '' ? undefined : value;
  }

  #refused(element: string, code: FeatureProblem, text: string): Refused {
    return badDocument(this.#text, element, code, text);
  }
}

const XML_PROBLEMS: Readonly<
  Record<
    XmlRefused['type'] | NonNullable<XmlRefused['flaw']>,
    { readonly code: FeatureProblem; readonly text: string }
  >
> = {
  'too-large': { code: 'limits', text: 'too long' },
  encoding: { code: 'encoding', text: 'expected UTF-8, US-ASCII or ISO-8859-1' },
  'not-xml': { code: 'malformed', text: 'not well-formed' },
  'foreign-namespace': { code: 'namespace', text: 'foreign namespace' },
  doctype: { code: 'doctype', text: 'document type declaration' },
  limits: { code: 'limits', text: 'too much markup' },
};

function xmlRefusal(refused: XmlRefused): Refused {
  // The reader's own words may quote the document, a Warning header must not.
  const { line, column } = refused.position ?? { line: 1, column: 1 };
  const place = `line ${line}, column ${column}: `;
  const { code, text } = XML_PROBLEMS[refused.flaw ?? refused.type];
  return new Refused(400, code, place + text);
}

function badDocument(document: string, name: string, code: FeatureProblem, text: string): Refused {
  const { line, column } = positionOf(document, name);
  return new Refused(400, code, `line ${line}, column ${column}: ${text}`);
}

/** Where the first element of this name begins; the document has one. */
function positionOf(text: string, name: string): { line: number; column: number } {
  const tags = [...text.matchAll(/<(?:[^\s<>/!?:]+:)?([^\s<>/!?:]+)/g)];
  const before = text.slice(0, tags.find(([, local]) => local === name)?.index);
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}
