/**
 * The first look at an XML body: which encoding it is in, and its characters (XML 1.0 §2.2, §4.3.3).
 *
 *   first bytes        reading
 *   EF BB BF           UTF-8, the mark is stripped
 *   FE FF, FF FE, ...  UTF-16 or UTF-32: refused
 *   <?xml encoding=x   UTF-8, US-ASCII or ISO-8859-1; any other name is refused
 *   else               UTF-8
 */

export type XmlTextResult =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'encoding' | 'not-xml'; readonly detail: string };

/** The declaration lies within this many bytes; longer ones are not found, and so default to UTF-8. */
const DECLARATION_BYTES = 256;

const DECLARATION = /^\s*<\?xml\s([^>]*)\?>/;
const DECLARED_ENCODING = /\bencoding\s*=\s*(?:"([^"]*)"|'([^']*)')/;
const DECLARED_VERSION = /\bversion\s*=\s*(?:"([^"]*)"|'([^']*)')/;

/** U+FFFD in UTF-8: what a reader of UTF-8 makes of a byte that is none. */
const REPLACED = [0xef, 0xbf, 0xbd] as const;

/** Byte patterns at the start that only UTF-16 and UTF-32 text has (XML 1.0 appendix F). */
const WIDE_STARTS: readonly (readonly (number | undefined)[])[] = [
  [0xfe, 0xff],
  [0xff, 0xfe],
  [0x00, 0x00, 0xfe, 0xff],
  [0x00, 0x00, 0x00, 0x3c],
  [0x3c, 0x00, 0x00, 0x00],
  [0x00, 0x3c, 0x00, undefined],
  [0x3c, 0x00, undefined, 0x00],
  // UTF-16 with its mark, after something on the way read the bytes as UTF-8 (drachtio's protocol is text).
  [...REPLACED, ...REPLACED, 0x00],
  [...REPLACED, ...REPLACED, 0x3c, 0x00],
];

/** What XML 1.0 does not count as a character (§2.2); decoded text has no lone surrogates. */
const ILLEGAL_CHARACTER = /[^\t\n\r\u0020-\uFFFD]/;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes the bytes of an XML document; line ends become single line feeds (XML 1.0 §2.11). */
export function decodeXmlText(bytes: Buffer): XmlTextResult {
  if (WIDE_STARTS.some((start) => beginsWith(bytes, start))) {
    return { type: 'encoding', detail: 'expected UTF-8, got UTF-16 or UTF-32' };
  }
  const hasUtf8Mark = beginsWith(bytes, [0xef, 0xbb, 0xbf]);
  const head = bytes.subarray(hasUtf8Mark ? 3 : 0, DECLARATION_BYTES).toString('latin1');
  const declaration = DECLARATION.exec(head)?.[1] ?? '';
  const version = quotedValue(DECLARED_VERSION, declaration);
  if (version !== undefined && version !== '1.0') {
    return { type: 'not-xml', detail: `expected XML version 1.0, got ${version}` };
  }
  const declared = quotedValue(DECLARED_ENCODING, declaration)?.toLowerCase() ?? 'utf-8';
  const text = decodeAs(bytes, declared, hasUtf8Mark);
  if (text === undefined) {
    return {
      type: 'encoding',
      detail: `expected readable UTF-8, US-ASCII or ISO-8859-1, got ${declared}`,
    };
  }
  if (ILLEGAL_CHARACTER.test(text)) {
    return { type: 'not-xml', detail: 'expected XML characters, got a control character' };
  }
  return { type: 'text', text: text.replaceAll(/\r\n?/g, '\n') };
}

function decodeAs(bytes: Buffer, declared: string, hasUtf8Mark: boolean): string | undefined {
  if (declared === 'utf-8' || (hasUtf8Mark && isReadable(declared))) return decodeUtf8(bytes);
  if (declared === 'us-ascii' || declared === 'ascii') {
    return bytes.every((byte) => byte < 0x80) ? bytes.toString('latin1') : undefined;
  }
  return declared === 'iso-8859-1' ? bytes.toString('latin1') : undefined;
}

function isReadable(declared: string): boolean {
  return declared === 'us-ascii' || declared === 'ascii' || declared === 'iso-8859-1';
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function quotedValue(pattern: RegExp, declaration: string): string | undefined {
  const match = pattern.exec(declaration);
  return match?.[1] ?? match?.[2];
}

function beginsWith(bytes: Buffer, start: readonly (number | undefined)[]): boolean {
  if (bytes.length < start.length) return false;
  return start.every((byte, index) => byte === undefined || bytes.readUInt8(index) === byte);
}
