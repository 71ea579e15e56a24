/** Values as people read them. */

const MS_PER_SECOND = 1_000;
const SECONDS_PER_HOUR = 3_600;
const MS_PER_DAY = 86_400_000;

/** `m:ss`, from one hour on `h:mm:ss`. */
export function durationWords(durationMs) {
  const seconds = Math.max(0, Math.floor(durationMs / MS_PER_SECOND));
  const minutes = Math.floor((seconds % SECONDS_PER_HOUR) / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  if (seconds < SECONDS_PER_HOUR) return `${minutes}:${rest}`;
  const hours = Math.floor(seconds / SECONDS_PER_HOUR);
  return `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

/** Time of day; with the date when it is not of the last day. `at` is RFC 3339 or ms since 1970. */
export function timeWords(at, nowMs = Date.now()) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  const time = date.toLocaleTimeString(undefined, { hour12: false });
  const isRecent = Math.abs(nowMs - date.getTime()) < MS_PER_DAY;
  return isRecent ? time : `${date.toLocaleDateString()} ${time}`;
}

export function numberWords(value) {
  return typeof value === 'number' ? value.toLocaleString('en-US') : '–';
}

export function millisecondWords(value) {
  if (typeof value !== 'number') return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** `1 call`, `2 calls`. */
export function countWords(count, one, many = `${one}s`) {
  return `${numberWords(count)} ${count === 1 ? one : many}`;
}

/** Text of a peer with what would steer the page's writing direction, or not be seen at all, made visible. */
export function visibleText(text) {
  return text.replaceAll(
    /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );
}
