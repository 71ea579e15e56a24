/**
 * Lines of a terminal recording -> lines of a running configuration: pager marks, escapes and prompts come off.
 *
 *   "--More--\b\b\b        port     5060"   ->  indent 8, "port", "5060"
 *   "ORACLE# show running-config"           ->  surroundings
 */

import { TOP_ELEMENTS } from './acme-words.ts';

/** A line of the configuration itself. */
export interface ContentLine {
  /** 1-based. */
  readonly number: number;
  /** Columns before the first character; a tab reaches to the next multiple of eight. */
  readonly indent: number;
  readonly name: string;
  /** What stands behind the name, without blanks at either end. */
  readonly value: string;
}

export type AcmeLine =
  | { readonly type: 'blank' }
  | { readonly type: 'surroundings'; readonly reason: string; readonly text: string }
  | { readonly type: 'unreadable'; readonly reason: string; readonly text: string }
  | { readonly type: 'content'; readonly content: ContentLine };

/** Longer lines are none of a configuration. */
const MAX_LINE_LENGTH = 16_384;
const SHOWN_LENGTH = 80;
const TAB = 8;
const BACKSPACE = '\b';
/** What sets colours and moves the cursor. */
const ESCAPES = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;?]{0,16}[A-Za-z]`, 'g');

/** The lines of `text`, whichever line ends it has. */
export function splitLines(text: string): readonly string[] {
  return text.includes('\n') ? text.split('\n') : text.split('\r');
}

export function readLine(line: string, number: number): AcmeLine {
  if (line.trim() === '') return { type: 'blank' };
  if (line.length > MAX_LINE_LENGTH) {
    const reason = `longer than ${MAX_LINE_LENGTH} characters`;
    return { type: 'unreadable', reason, text: line.slice(0, SHOWN_LENGTH).trim() };
  }
  const clean = withoutPager(line);
  const shown = clean.trim().slice(0, SHOWN_LENGTH);
  if (shown === '') return { type: 'surroundings', reason: 'left by the terminal', text: '' };
  const reason = surroundings(clean.trim());
  if (reason !== undefined) return { type: 'surroundings', reason, text: shown };
  return { type: 'content', content: contentOf(clean, number) };
}

function contentOf(line: string, number: number): ContentLine {
  let indent = 0;
  let start = 0;
  for (; start < line.length; start += 1) {
    const character = line.charAt(start);
    if (character === '\t') indent += TAB - (indent % TAB);
    else if (character === ' ') indent += 1;
    else break;
  }
  const rest = line.slice(start).trimEnd();
  const end = rest.search(/\s/);
  const name = end === -1 ? rest : rest.slice(0, end);
  return { number, indent, name, value: end === -1 ? '' : rest.slice(end).trim() };
}

/** What the terminal shows in the end: pager marks, escapes and what backspaces wipe out are gone. */
function withoutPager(line: string): string {
  const plain = line.replaceAll(ESCAPES, '');
  const parts = plain
    .split('\r')
    .map((part) => withoutMark(part))
    .filter((part) => part.trim() !== '');
  const text = parts.length > 1 ? parts.map((part) => part.trim()).join(' ') : (parts[0] ?? '');
  return text.replaceAll(/[^\P{Cc}\t]/gu, '');
}

function withoutMark(part: string): string {
  const mark =
    /^\s*(?:-{1,4} ?more ?-{1,4}|\(?press any key[^)]{0,60}\)?)(?:\s*\(\d{1,3}%\))?/i.exec(part);
  if (mark === null) return part;
  const rest = part.slice(mark[0].length);
  // The pager wipes its mark out by backspaces, blanks, and backspaces again.
  const wiped = rest.lastIndexOf(BACKSPACE);
  if (wiped !== -1) return rest.slice(wiped + 1);
  // Where only the mark was kept, the blanks that wiped it out look like indentation.
  return TOP_ELEMENTS.has(rest.trim()) ? rest.trim() : rest;
}

/** Why `text` says nothing about the configuration, or `undefined` when it does. */
function surroundings(text: string): string | undefined {
  if (/^[#!;]/.test(text)) return 'a remark';
  if (/^[A-Za-z0-9_.-]{1,64}\*?(?:\([A-Za-z0-9_.>-]{1,64}\))?\*?[#>](?:\s|$)/.test(text))
    return 'a prompt';
  if (/^(?:task done|end|exit|done)$/i.test(text)) return 'said by the command line';
  if (/^(?:show|display) |^conf(?:igure)?(?: t(?:erminal)?)?$/i.test(text)) return 'a command';
  if (/^[-=*_]{3,}$/.test(text)) return 'a ruler';
  return undefined;
}
