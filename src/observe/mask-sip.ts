/** Takes digits and credentials out of whole SIP messages; a body keeps its length, so that Content-Length stays true. */
import { type MaskOptions, maskOctets, maskText, REDACTED } from './mask.ts';

const BARE_CREDENTIALS = /^((?:proxy-)?authorization[ \t]*:) \[redacted\]/gim;
const HEADER_END = /\r?\n\r?\n/;
const FOLD = /\r?\n[ \t]+/g;
/** Bodies that are nothing but keys: bare characters, RFC 4733 payloads, and what phones put in their place. */
const DIGITS_TYPE = /^(?:content-type|c)[ \t]*:[^\r\n;]*(?:dtmf|digits|telephone-event)/im;
/** A body of application/dtmf-relay, and the lines of it that show no key once its signal is masked. */
const RELAY_TYPE = /^(?:content-type|c)[ \t]*:[ \t]*application\/dtmf-relay[ \t]*(?:;|\r?$)/im;
const RELAY_LINE = /^(?:signal[ \t]*[=:][ \t]*\**|duration[ \t]*[=:][ \t]*\d*)?$/i;
/** Bodies that no pattern can look into. */
const ENCODED_BODY = /^(?:content-encoding|e)[ \t]*:[ \t]*(?!identity)\S/im;
const ENCODED_PART = /^content-transfer-encoding[ \t]*:[ \t]*(?!7bit|8bit|binary)\S/im;
/** A kpml-response in which the attributes are what they seem; others may say digits where no pattern finds them. */
const KPML = /kpml-response/i;
const PLAIN_KPML =
  /^\s*(?:<\?xml[^<>]*\?>\s*)?<kpml-response(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*(?:\/>|>\s*<\/kpml-response\s*>)\s*$/i;

/** Masks a whole SIP message; of bodies that consist of keys alone or cannot be read nothing but stars is left. */
export function maskSipText(text: string, options: MaskOptions): string {
  const end = HEADER_END.exec(text);
  if (end === null) return maskHead(text, options);
  const bodyStart = end.index + end[0].length;
  const head = text.slice(0, bodyStart);
  return maskHead(head, options) + maskBody(head, text.slice(bodyStart), options);
}

/** Readers of SIP take credentials without a scheme for broken (RFC 3261 §25.1). */
function maskHead(head: string, options: MaskOptions): string {
  return maskText(head, options).replaceAll(BARE_CREDENTIALS, `$1 Digest ${REDACTED}`);
}

function maskBody(head: string, body: string, options: MaskOptions): string {
  if (body === '') return '';
  const masked = maskText(body, { ...options, keepsLength: true });
  if (options.showDigits) return masked;
  const headers = head.replaceAll(FOLD, ' ');
  if (RELAY_TYPE.test(headers) && isReadableRelay(masked)) return masked;
  // A part of a multipart body carries its own headers, therefore both are searched.
  const both = [headers, body.replaceAll(FOLD, ' ')];
  const isStrange = both.some((part) => KPML.test(part)) && !PLAIN_KPML.test(masked);
  return isStrange || both.some((part) => isOpaque(part)) ? maskOctets(body) : masked;
}

function isOpaque(part: string): boolean {
  return (
    DIGITS_TYPE.test(part) ||
    ENCODED_BODY.test(part) ||
    ENCODED_PART.test(part) ||
    // UTF-16, or binary.
    part.includes('\0')
  );
}

/** Phones write the key elsewhere too: alone in its line, or behind another name. */
function isReadableRelay(masked: string): boolean {
  return masked.split(/[\r\n]+/).every((line) => RELAY_LINE.test(line.trim()));
}
