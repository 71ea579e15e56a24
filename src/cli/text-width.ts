/**
 * How many columns of a terminal a text takes.
 *
 *   a  é  1        e + combining accent  1        日 한 ｱ(full width) 😀  2        zero-width joiner  0
 */

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Takes no column, or sits on the character before. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
/** East Asian wide and full-width characters, and what is shown as an emoji. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6\p{Emoji_Presentation}]/u;
/** Katakana and Hangul of half width. */
const HALF = /^[\uFF61-\uFFDC]/;
const ASCII = /^[\u0020-\u007E]*$/;

export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += widthOf(segment);
  return width;
}

/** The beginning of `text` that fits into `columns`, with … at its end where something is left out. */
export function cutText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns < 1) return '';
  let cut = '';
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

function widthOf(segment: string): number {
  if (ZERO.test(segment)) return 0;
  if (segment.includes('\uFE0F')) return 2;
  return WIDE.test(segment) && !HALF.test(segment) ? 2 : 1;
}
