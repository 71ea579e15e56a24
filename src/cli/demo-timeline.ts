/**
 * What went between the phones, the SBC and the API in a demonstration, drawn as a ladder:
 *
 *             phone A                     SBC                      phone B                     API
 *     +0.004     |-- SUBSCRIBE, DND on --->|                          |                         |
 *     +0.006     |<-- NOTIFY, DND on ------|-- NOTIFY, DND on ------->|                         |
 */

export const PARTIES = ['phone A', 'SBC', 'phone B', 'API'] as const;
export type Party = (typeof PARTIES)[number];

const GAP = 38;
const MARGIN = 14;
const CUT = '…';

type Row =
  | { readonly type: 'title'; readonly text: string }
  | { readonly type: 'verdict'; readonly text: string }
  | {
      readonly type: 'message';
      readonly atMs: number;
      readonly from: Party;
      readonly to: Party;
      readonly text: string;
    };

export class DemoTimeline {
  readonly #rows: Row[] = [];
  readonly #startMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  title(text: string): void {
    this.#rows.push({ type: 'title', text });
  }

  /** Stands below the messages of its step. */
  verdict(text: string): void {
    this.#rows.push({ type: 'verdict', text });
  }

  message(atMs: number, from: Party, to: Party, text: string): void {
    this.#rows.push({ type: 'message', atMs, from, to, text });
  }

  /** The drawing; ends with a line feed. */
  format(): string {
    return this.#rows.map((row) => `${this.#line(row)}\n`).join('');
  }

  #line(row: Row): string {
    if (row.type === 'title') return `\n${row.text}\n${headLine()}`;
    if (row.type === 'verdict') return `${' '.repeat(MARGIN - 2)}${row.text}`;
    const time = `+${((row.atMs - this.#startMs) / 1000).toFixed(3)}`;
    return `${time.padStart(MARGIN - 4).padEnd(MARGIN)}${arrow(row.from, row.to, row.text)}`;
  }
}

function headLine(): string {
  let line = '';
  PARTIES.forEach((name, index) => {
    line = line.padEnd(MARGIN + index * GAP - Math.floor(name.length / 2)) + name;
  });
  return line;
}

function arrow(from: Party, to: Party, text: string): string {
  const start = Math.min(PARTIES.indexOf(from), PARTIES.indexOf(to));
  const end = Math.max(PARTIES.indexOf(from), PARTIES.indexOf(to));
  const isRightward = PARTIES.indexOf(from) === start;
  let line = '';
  for (let at = 0; at < start; at += 1) line += `|${' '.repeat(GAP - 1)}`;
  const length = (end - start) * GAP - 1;
  const label = ` ${cut(text, length - 6)} `;
  const dashes = length - 1 - Array.from(label).length;
  const left = '-'.repeat(2);
  const right = '-'.repeat(Math.max(0, dashes - 2));
  line += isRightward ? `|${left}${label}${right}>` : `|<${left}${label}${right}`;
  for (let at = end; at < PARTIES.length; at += 1) {
    line += at === PARTIES.length - 1 ? '|' : `|${' '.repeat(GAP - 1)}`;
  }
  return line;
}

function cut(text: string, limit: number): string {
  const characters = Array.from(text);
  return characters.length <= limit ? text : characters.slice(0, limit - 1).join('') + CUT;
}
