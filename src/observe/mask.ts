/**
 * Takes digits and credentials out of text before it is logged, stored or shown.
 *
 * Digits are personal data (a PIN, a card number), credentials open doors. Masking happens before storing, so that
 * no later reader can undo it. Too much masked is harmless; too little is not: broken XML and unusual spellings
 * are masked as well. Numbers in SIP URIs are not digits in this sense. What a peer wrote may be long: no pattern
 * goes back over what it has read.
 */

/** Stands where a credential was. */
export const REDACTED = '[redacted]';

export interface MaskOptions {
  /** Leaves pressed digits readable; credentials are masked all the same. */
  readonly showDigits: boolean;
  /** Stars in place of `REDACTED`, one for each octet, so that a Content-Length stays true. Default false. */
  readonly keepsLength?: boolean;
}

/** Header up to the end of its value, folded lines included. */
const CREDENTIAL_HEADER =
  /((?:authorization|authentication-info|api-?key|auth-?token|access-token|cookie2?)"?[ \t]*:)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gi;
/** What stands in front of a credential, and the credential. */
const CREDENTIALS: readonly RegExp[] = [
  /(bearer[ \t]+)([\w.~+/=-]+)/gi,
  // Headers of a SIP URI (RFC 3261 §19.1.1), and the query of a URL.
  /([?&](?:(?:proxy-)?authorization|(?:x-)?api[_-]?key|(?:x-)?(?:auth[_-]?|access[_-]?)?token|cookie)=)([^\s&<>"]+)/gi,
  /(\bpassw(?:or)?d=)("[^"\r\n]*|[^\s&;,<>"]+)/gi,
  // The keys of SDP: security descriptions (RFC 4568 §4), MIKEY (RFC 4567), `k=` (RFC 4566 §5.12), ICE (RFC 8839).
  /(inline:)([^\s|;]+)/gi,
  /(key-mgmt:\S{1,64}[ \t]+)(\S+)/gi,
  /(\bk=(?:clear|base64|uri):)(\S+)/gi,
  /(ice-pwd:)(\S+)/gi,
];
/**
 * What may be the user information of a URI, and the `@` that makes it that: of SIP (RFC 3261 §19.1.1), of SIP escaped in
 * the headers of another URI, of the others (RFC 3986 §3.2.1).
 */
const USER_INFO: readonly RegExp[] = [
  /(sips?:)([^\s@<>]*)(@?)/gi,
  /(sips?%3a)((?:[^\s@<>%]|%(?!40))*)((?:%40)?)/gi,
  /(:\/\/)([^\s/@<>]*)(@?)/g,
];
const COLON = /:|%3a/i;
/**
 * The `digits` attribute of a kpml-response (RFC 4730 §5.3.1), also without its closing quote or without any, and with
 * quotes escaped inside a JSON string.
 */
const DIGITS_ATTRIBUTE = /(digits\s*=\s*)(\\*"[^"]*|\\*'[^']*|[^\s"'<>]+)/gi;
/** A field of JSON, and an element of XML. */
const DIGITS_FIELD = /((?:digits?|dtmf|signal)\\*"\s*:\s*)(\\*"[^"]*|\[[^\]]*|[^\s",\\}\]]+)/gi;
const DIGITS_ELEMENT = /((?:digits?|dtmf)>\s*)([^\s<][^<]*)/gi;
const OPENING = /^\\*["']|^\[|^/;
/** The line of application/dtmf-relay that names the key. */
const RELAY_SIGNAL = /(^[ \t]*signal[ \t]*:[ \t]*|signal[ \t]*=[ \t]*)(\S+)/gim;

/** One `*` for each character, so that a reader sees how many keys there were. */
export function maskDigits(digits: string): string {
  return '*'.repeat(digits.length);
}

/** One `*` for each octet; line ends stay. */
export function maskOctets(text: string): string {
  return text.replaceAll(/[^\r\n]+/g, (run) => '*'.repeat(Buffer.byteLength(run)));
}

/** Masks credentials and digits wherever they stand in `text`. */
export function maskText(text: string, options: MaskOptions): string {
  const hide = options.keepsLength === true ? maskOctets : redact;
  const inHeader = options.keepsLength === true ? maskOctets : (): string => ` ${REDACTED}`;
  let masked = text.replaceAll(
    CREDENTIAL_HEADER,
    (_match, name: string, value: string) => name + inHeader(value),
  );
  for (const pattern of CREDENTIALS) {
    masked = masked.replaceAll(
      pattern,
      (_match, before: string, secret: string) => before + hide(secret),
    );
  }
  masked = maskPasswords(masked, hide);
  if (options.showDigits) return masked;
  return masked
    .replaceAll(DIGITS_ATTRIBUTE, maskValue)
    .replaceAll(DIGITS_FIELD, maskValue)
    .replaceAll(DIGITS_ELEMENT, maskValue)
    .replaceAll(RELAY_SIGNAL, maskValue);
}

/** Masks the passwords of URIs, and nothing else. */
export function maskUriPasswords(text: string): string {
  // Most values of a call record are no URI of anybody.
  return text.includes('@') || text.includes('%40') ? maskPasswords(text, redact) : text;
}

function redact(): string {
  return REDACTED;
}

function maskPasswords(text: string, hide: (secret: string) => string): string {
  const replace = (match: string, scheme: string, userInfo: string, end: string): string => {
    const colon = COLON.exec(userInfo);
    if (end === '' || colon === null) return match;
    const passwordStart = colon.index + colon[0].length;
    const password = userInfo.slice(passwordStart);
    return scheme + userInfo.slice(0, passwordStart) + hide(password) + end;
  };
  return USER_INFO.reduce((masked, pattern) => masked.replaceAll(pattern, replace), text);
}

function maskValue(_match: string, name: string, value: string): string {
  const opening = OPENING.exec(value)?.[0] ?? '';
  return name + opening + maskOctets(value.slice(opening.length));
}
