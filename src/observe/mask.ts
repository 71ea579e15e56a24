/**
 * Takes digits and credentials out of text before it is logged, stored or shown.
 *
 * Digits are personal data (a PIN, a card number), credentials open doors. Masking happens before storing, so that
 * no later reader can undo it. Too much masked is harmless; too little is not: broken XML and unusual spellings
 * are masked as well. Numbers in SIP URIs are not digits in this sense.
 */

/** Stands where a credential was. */
export const REDACTED = '[redacted]';

export interface MaskOptions {
  /** Leaves pressed digits readable; credentials are masked all the same. */
  readonly showDigits: boolean;
}

/** Header up to the end of its value, folded lines included. */
const CREDENTIAL_HEADER = /((?:proxy-)?authorization"?[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gi;
const BEARER = /(bearer[ \t]+)[\w.~+/=-]+/gi;
/** The password in front of the host of a URL (RFC 3986 §3.2.1). */
const URL_PASSWORD = /(:\/\/[^\s:/@]{1,128}:)[^\s/@]{1,256}(?=@)/g;
/** The key of SDP security descriptions (RFC 4568 §4). */
const SRTP_KEY = /(inline:)[^\s|;]+/gi;
/**
 * The `digits` attribute of a kpml-response (RFC 4730 §5.3.1), also without its closing quote or without any, and with
 * quotes escaped inside a JSON string.
 */
const KPML_DIGITS = /(digits\s*=\s*)(\\*"[^"<>]*|\\*'[^'<>]*|[^\s"'<>]+)/gi;
const OPENING_QUOTE = /^\\*["']|^/;
/** The line of application/dtmf-relay that names the key. */
const RELAY_SIGNAL = /(^[ \t]*signal[ \t]*:[ \t]*|signal[ \t]*=[ \t]*)\S+/gim;

/** A body of application/dtmf-relay, and the lines of it that show no key once its signal is masked. */
const RELAY_TYPE = /^(?:content-type|c)[ \t]*:[ \t]*application\/dtmf-relay[ \t]*(?:;|\r?$)/im;
const RELAY_LINE = /^(?:signal[ \t]*[=:][ \t]*\*|duration[ \t]*[=:][ \t]*\d*)?$/i;

const HEADER_END = /\r?\n\r?\n/;
/** Bodies that are nothing but a key: a bare character, or an RFC 4733 payload in a NOTIFY. */
const BARE_DIGIT_TYPE =
  /^(?:content-type|c)[ \t]*:[ \t]*(?:application\/dtmf|audio\/telephone-event)[ \t]*(?:;|\r?$)/im;
/** Bodies that no pattern can look into. */
const ENCODED_BODY = /^(?:content-encoding|e)[ \t]*:[ \t]*(?!identity)\S/im;

/** One `*` for each character, so that a reader sees how many keys there were. */
export function maskDigits(digits: string): string {
  return '*'.repeat(digits.length);
}

/** Masks credentials and digits wherever they stand in `text`. */
export function maskText(text: string, options: MaskOptions): string {
  const withoutCredentials = text
    .replace(CREDENTIAL_HEADER, `$1 ${REDACTED}`)
    .replace(BEARER, `$1${REDACTED}`)
    .replace(URL_PASSWORD, `$1${REDACTED}`)
    .replace(SRTP_KEY, `$1${REDACTED}`);
  if (options.showDigits) return withoutCredentials;
  return withoutCredentials
    .replace(KPML_DIGITS, (_match, name: string, value: string) => name + maskAttribute(value))
    .replace(RELAY_SIGNAL, '$1*');
}

/** Masks a whole SIP message; bodies that consist of a key alone or cannot be read are replaced by their length. */
export function maskSipText(text: string, options: MaskOptions): string {
  const masked = maskText(text, options);
  if (options.showDigits) return masked;
  const end = HEADER_END.exec(masked);
  if (end === null) return masked;
  const bodyStart = end.index + end[0].length;
  const head = masked.slice(0, bodyStart);
  const body = masked.slice(bodyStart);
  if (body === '' || !isOpaque(head, body)) return masked;
  return `${head}[${body.length} characters masked]`;
}

function isOpaque(head: string, body: string): boolean {
  // A part of a multipart body carries its own Content-Type, therefore both are searched. NUL means UTF-16 or binary.
  return (
    BARE_DIGIT_TYPE.test(head) ||
    BARE_DIGIT_TYPE.test(body) ||
    (RELAY_TYPE.test(head) && !isReadableRelay(body)) ||
    ENCODED_BODY.test(head) ||
    body.includes('\0')
  );
}

/** Phones write the key elsewhere too: alone in its line, or behind another name. */
function isReadableRelay(body: string): boolean {
  return body.split(/[\r\n]+/).every((line) => RELAY_LINE.test(line.trim()));
}

function maskAttribute(value: string): string {
  const quote = OPENING_QUOTE.exec(value)?.[0] ?? '';
  return quote + maskDigits(value.slice(quote.length));
}
