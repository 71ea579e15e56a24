/**
 * One key press in the body of a SIP INFO, as devices send it without a standard.
 *
 *   application/dtmf-relay    Signal=5            application/dtmf    5
 *                             Duration=160
 *
 * Reading takes either form under either type: other line ends, spaces, lower case, `d=` for the signal where there is
 * no other (beside one it is the duration), event codes of RFC 4733 in place of `*`, `#` and A to D, and the names of a
 * hook flash. Writing is strict.
 */

import { isMediaType } from './event-headers.ts';
import { ALL_DIGITS, FLASH_EVENT_CODE, type Digit } from './telephone-event.ts';
import { WireError } from './wire-error.ts';

export const DTMF_RELAY_TYPE = 'application/dtmf-relay';
export const DTMF_TYPE = 'application/dtmf';

const DTMF_INFO_TYPES = [DTMF_RELAY_TYPE, DTMF_TYPE] as const;
export type DtmfInfoType = (typeof DTMF_INFO_TYPES)[number];

export interface DtmfInfo {
  /** `R` is a hook flash. */
  readonly key: Digit | 'R';
  /** `undefined` where the body states none that can be read, or 0. */
  readonly durationMs: number | undefined;
}

/** No body with a single key is longer. */
const MAX_BODY_BYTES = 512;

/** How a hook flash is written. */
const FLASH_SIGN = '!';
const FLASH_NAMES: ReadonlySet<string> = new Set([FLASH_SIGN, 'HF', 'FLASH', 'R']);

const FIELD = /^\s*([a-z]+)\s*[=:](.*)$/i;

/** Which of the two types a Content-Type names; `undefined` for any other. */
export function dtmfInfoTypeOf(contentType: string | undefined): DtmfInfoType | undefined {
  return DTMF_INFO_TYPES.find((type) => isMediaType(contentType, type));
}

/**
 * Reads the body of an INFO of either type.
 *
 * @throws WireError when it names no key, or is longer than 512 bytes.
 */
export function parseDtmfInfo(body: Buffer): DtmfInfo {
  if (body.length > MAX_BODY_BYTES) {
    throw new WireError(`expected one key in at most ${MAX_BODY_BYTES} bytes, got ${body.length}`);
  }
  const fields = new Map<string, string>();
  const bare: string[] = [];
  for (const line of body.toString('latin1').split(/[\r\n]+/)) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    if (name !== '') fields.set(name.toLowerCase(), unquoted(value));
    else if (line.trim() !== '') bare.push(unquoted(line));
  }
  const named = fields.get('signal');
  const signal = named ?? fields.get('d') ?? bare[0] ?? '';
  const key = keyOfSignal(signal.toUpperCase());
  // Not the text itself: it may be a digit, and messages of errors are logged.
  if (key === undefined) throw new WireError('expected the name or event code of one key');
  const duration = fields.get('duration') ?? (named === undefined ? undefined : fields.get('d'));
  return { key, durationMs: readDuration(duration) };
}

/**
 * Writes a body of `type`. `application/dtmf` has no room for a duration.
 *
 * @throws RangeError when the duration is no whole number from 1 to 65535.
 */
export function formatDtmfInfo(info: DtmfInfo, type: DtmfInfoType): string {
  const { key, durationMs } = info;
  const sign = key === 'R' ? FLASH_SIGN : key;
  if (type === DTMF_TYPE) return sign;
  if (durationMs === undefined) return `Signal=${sign}\r\n`;
  if (!Number.isInteger(durationMs) || durationMs < 1 || durationMs > 0xffff) {
    throw new RangeError(`duration ${durationMs} is no whole number from 1 to 65535`);
  }
  return `Signal=${sign}\r\nDuration=${durationMs}\r\n`;
}

function keyOfSignal(signal: string): Digit | 'R' | undefined {
  if (FLASH_NAMES.has(signal)) return 'R';
  const byName = ALL_DIGITS.find((digit) => digit === signal);
  if (byName !== undefined || !/^\d{2}$/.test(signal)) return byName;
  const code = Number(signal);
  return code === FLASH_EVENT_CODE ? 'R' : ALL_DIGITS[code];
}

function readDuration(text: string | undefined): number | undefined {
  const [digits] = /^\d{1,5}(?!\d)/.exec(text ?? '') ?? [];
  const durationMs = Number(digits ?? 0);
  return durationMs >= 1 && durationMs <= 0xffff ? durationMs : undefined;
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  return /^"(.*)"$/.exec(trimmed)?.[1]?.trim() ?? trimmed;
}
