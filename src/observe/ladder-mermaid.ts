/**
 * A ladder as a Mermaid sequence diagram: SIP messages as arrows, everything else as notes over the life lines.
 *
 *   sequenceDiagram
 *     participant caller as phone
 *     participant sbc as SBC
 *     participant callee as carrier
 *     caller->>sbc: +0.000 INVITE sip:1@sbc
 *     note over caller,sbc: +0.002 decision: K1
 *
 * What a peer sent is text and nothing else: every character that could end a line or mean something to Mermaid, or to
 * the page that it is drawn into, is written as a character entity in Mermaid's way (`#59;`).
 */
import type { Ladder, LadderLeg, LadderRow } from './ladder.ts';

const MS_PER_SECOND = 1_000;
const TEXT_LIMIT = 200;
const CUT = '...';

/** Letters, digits, blanks and what neither Mermaid nor HTML gives a meaning; everything else is an entity. */
const PLAIN = /[\p{L}\p{N} .,/@+=()*_!?'[\]-]/u;
/** Control characters, line ends and direction marks have no entity that is worth drawing. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** The diagram, lines apart by line feeds. */
export function mermaidLadder(ladder: Ladder): string {
  const { rows, droppedRows, gapAt, droppedTexts } = ladder;
  const startMs = rows[0]?.atMs ?? 0;
  const lines = [
    'sequenceDiagram',
    `participant caller as ${nameOf(ladder, 'caller')}`,
    'participant sbc as SBC',
    `participant callee as ${nameOf(ladder, 'callee')}`,
    ...rows.slice(0, gapAt).map((row) => rowLine(row, startMs)),
    ...(droppedRows === 0 ? [] : [`note over caller,callee: ${droppedRows} rows dropped here`]),
    ...rows.slice(gapAt).map((row) => rowLine(row, startMs)),
    ...(droppedTexts === 0
      ? []
      : [`note over caller,callee: the texts of ${droppedTexts} messages are no longer kept`]),
  ];
  return lines.map((line, index) => `${index === 0 ? '' : '  '}${line}\n`).join('');
}

/** Of a leg that several were tried for, all names in their order. */
function nameOf({ ends }: Ladder, leg: LadderLeg): string {
  const names = new Set(ends.filter((each) => each.leg === leg).map(({ name }) => name));
  // A name of its own beside what a peer may call itself, so that nobody stands as SBC.
  return names.size === 0 ? leg : `${leg} ${mermaidText([...names].join(', '))}`;
}

function rowLine(row: LadderRow, startMs: number): string {
  const { leg, kind, summary } = row;
  const seconds = ((row.atMs - startMs) / MS_PER_SECOND).toFixed(3);
  const time = `${seconds.startsWith('-') ? '' : '+'}${seconds}`;
  if (kind !== 'sip') {
    const over =
      leg === undefined ? 'caller,callee' : leg === 'caller' ? 'caller,sbc' : 'sbc,callee';
    return `note over ${over}: ${time} ${kind}: ${mermaidText(summary)}`;
  }
  const peer = leg ?? 'caller';
  const arrow = row.direction === 'out' ? `sbc->>${peer}` : `${peer}->>sbc`;
  return `${arrow}: ${time} ${mermaidText(summary)}`;
}

/** Text that can be nothing but text in a diagram. */
export function mermaidText(text: string): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, TEXT_LIMIT).map((character) => entity(character));
  const escaped = shown.join('') + (characters.length > TEXT_LIMIT ? CUT : '');
  // The one word that may end a block wherever it stands.
  return escaped.replaceAll(/\bend\b/gi, (word) => `#${word.charCodeAt(0)};${word.slice(1)}`);
}

function entity(character: string): string {
  if (UNPRINTABLE.test(character)) return ' ';
  return PLAIN.test(character) ? character : `#${character.codePointAt(0) ?? 0};`;
}
