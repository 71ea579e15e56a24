/**
 * Draws a ladder for the terminal: three life lines, SIP messages as arrows, everything else as boxes between them.
 *
 *               caller                sbc                callee
 *       +0.000     |--- INVITE sip:1@sbc --->|                 |
 *       +0.002     | [ decision: K1 insert telephone-event   ] |
 *       +0.003     |                 |--- INVITE sip:1@trunk ->|
 */
import type { LadderLeg, LadderRow, LadderRowKind } from './ladder.ts';

export interface LadderFormat {
  /** Columns of the terminal; less than 60 is treated as 60. Default 100. */
  readonly width?: number;
  /** Colours the rows by kind. */
  readonly colour?: boolean;
  /** Shown where they were, above the row {@link gapAt}, when it is not 0. */
  readonly droppedRows?: number;
  /** Default 0. */
  readonly gapAt?: number;
  /** Said behind the last row when it is not 0. */
  readonly droppedTexts?: number;
  /** Time 0 of the drawing, ms since 1970; that of the first row by default. */
  readonly startMs?: number;
  /** False for rows that go on with a drawing. Default true. */
  readonly hasHead?: boolean;
}

interface Layout {
  /** Characters between two neighbouring life lines. */
  readonly gap: number;
  readonly colour: boolean;
}

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;
const TIME_WIDTH = 11;
/** Blanks left and right of the outer life lines, so that their names fit. */
const MARGIN = 3;
const LIFE_LINES = 3;
const MS_PER_SECOND = 1_000;
const CUT = '...';

const COLOURS: Record<LadderRowKind, number> = { sip: 36, media: 35, dtmf: 33, decision: 32 };

/** Control characters, terminal escapes and direction marks: what a peer sent must not steer the terminal. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The drawing, one line per row and more for long boxes; times count from the first row. */
export function formatLadder(rows: readonly LadderRow[], format: LadderFormat = {}): string {
  const width = Math.max(format.width ?? DEFAULT_WIDTH, MIN_WIDTH);
  const gap = Math.floor((width - TIME_WIDTH - 2 * MARGIN - LIFE_LINES) / 2);
  const layout: Layout = { gap, colour: format.colour ?? false };
  const lines = format.hasHead === false ? [] : [headLine(layout)];
  const { droppedRows = 0, gapAt = 0, droppedTexts = 0 } = format;
  const startMs = format.startMs ?? rows[0]?.atMs ?? 0;
  const dropped = droppedRows === 0 ? [] : [gapWords(droppedRows)];
  for (const [index, row] of rows.entries()) {
    if (index === gapAt) lines.push(...dropped);
    const time = `+${((row.atMs - startMs) / MS_PER_SECOND).toFixed(3)}`;
    const drawn = row.kind === 'sip' ? arrowLines(row, layout) : boxLines(row, layout);
    drawn.forEach((line, part) => {
      const stamp = (part === 0 ? time : '').padStart(TIME_WIDTH - 1);
      lines.push(`${stamp} ${' '.repeat(MARGIN)}${line}`);
    });
  }
  if (gapAt >= rows.length) lines.push(...dropped);
  if (droppedTexts > 0) lines.push(textWords(droppedTexts));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function gapWords(droppedRows: number): string {
  return `(${droppedRows} rows dropped here)`;
}

function textWords(droppedTexts: number): string {
  return `(the texts of ${droppedTexts} messages are no longer kept)`;
}

function headLine({ gap }: Layout): string {
  const first = TIME_WIDTH + MARGIN;
  let line = '';
  ['caller', 'sbc', 'callee'].forEach((name, index) => {
    const start = first + index * (gap + 1) - Math.floor((name.length - 1) / 2);
    line = line.padEnd(start) + name;
  });
  return line;
}

function arrowLines(row: LadderRow, layout: Layout): string[] {
  const leg = row.leg ?? 'caller';
  // Messages flow to the right when the caller sent them or the callee gets them.
  const isRightward = (leg === 'caller') === (row.direction !== 'out');
  const text = cut(printable(row.summary), layout.gap - 6);
  const dashes = layout.gap - 3 - columnsOf(text);
  const left = '-'.repeat(Math.floor(dashes / 2));
  const right = '-'.repeat(dashes - left.length);
  const arrow = isRightward ? `${left} ${text} ${right}>` : `<${left} ${text} ${right}`;
  return [besides(leg, paint(row.kind, arrow, layout), layout)];
}

function boxLines(row: LadderRow, layout: Layout): string[] {
  const inner = row.leg === undefined ? 2 * layout.gap + 1 : layout.gap;
  const frame = ' [ '.length + ' ] '.length;
  const texts = wrap(`${row.kind}: ${printable(row.summary)}`, inner - frame);
  return texts.map((text) => {
    const padded = text + ' '.repeat(inner - frame - columnsOf(text));
    const box = ` ${paint(row.kind, `[ ${padded} ]`, layout)} `;
    return row.leg === undefined ? `|${box}|` : besides(row.leg, box, layout);
  });
}

/** Puts what belongs to one leg between its life line and ours. */
function besides(leg: LadderLeg, cell: string, { gap }: Layout): string {
  const blank = ' '.repeat(gap);
  return leg === 'caller' ? `|${cell}|${blank}|` : `|${blank}|${cell}|`;
}

function paint(kind: LadderRowKind, text: string, { colour }: Layout): string {
  return colour ? `\u001b[${COLOURS[kind]}m${text}\u001b[0m` : text;
}

function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '?');
}

function columnsOf(text: string): number {
  return Array.from(text).length;
}

function cut(text: string, limit: number): string {
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  return characters.slice(0, limit - CUT.length).join('') + CUT;
}

/** Breaks at blanks; a longer word is broken where the line ends. */
function wrap(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > limit) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (columnsOf(line) > limit) {
      lines.push(Array.from(line).slice(0, limit).join(''));
      line = Array.from(line).slice(limit).join('');
    }
  }
  lines.push(line);
  return lines;
}
