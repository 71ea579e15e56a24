/**
 * The journal of calls that have no record yet, as lines of JSON. `at` is the time of writing in ms since 1970.
 *
 *   {"journal":1,"at":…}                        the first line: version of this format
 *   {"at":…,"open":{…}}                         a call, as far as it is known; a later line of it takes its place
 *   {"at":…,"open":{…},"lastMs":…}              the same of a killed process that was alive at `lastMs`
 *   {"at":…,"done":["cdrId",…]}                 their records are in the file
 *   {"at":…}                                    the process is alive
 */
import { cdrLine } from './cdr-line.ts';
import type { OpenAttempt } from './cdr.ts';

export const JOURNAL_VERSION = 1;

export interface UnfinishedAttempt {
  readonly attempt: OpenAttempt;
  /** When the process that had the call was alive, ms since 1970. */
  readonly lastMs: number;
}

export type JournalContent =
  | {
      readonly type: 'journal';
      readonly unfinished: readonly UnfinishedAttempt[];
      /** Lines that could not be read; one at the end is what a crash leaves. */
      readonly badLines: number;
    }
  /** Written by a later version. */
  | { readonly type: 'unknownVersion'; readonly version: number }
  | { readonly type: 'unreadable' };

export function formatHeader(nowMs: number): string {
  return cdrLine({ journal: JOURNAL_VERSION, at: Math.round(nowMs) });
}

export function formatOpen(nowMs: number, attempt: OpenAttempt, lastMs?: number): string {
  const known = lastMs === undefined ? {} : { lastMs: Math.round(lastMs) };
  return cdrLine({ at: Math.round(nowMs), open: attempt, ...known });
}

export function formatDone(nowMs: number, cdrIds: readonly string[]): string {
  return cdrLine({ at: Math.round(nowMs), done: cdrIds });
}

export function formatAlive(nowMs: number): string {
  return cdrLine({ at: Math.round(nowMs) });
}

/** Reads what is left of a journal; damaged lines are skipped and counted. */
export function readJournal(text: string): JournalContent {
  const [first = '', ...rest] = text.split('\n').filter((each) => each !== '');
  if (first === '') return { type: 'journal', unfinished: [], badLines: 0 };
  const header = objectIn(first);
  const version = header?.['journal'];
  if (typeof version !== 'number') return { type: 'unreadable' };
  if (version > JOURNAL_VERSION) return { type: 'unknownVersion', version };
  const open = new Map<string, { readonly attempt: OpenAttempt; readonly lastMs?: number }>();
  let lastMs = numberIn(header, 'at') ?? 0;
  let badLines = 0;
  for (const each of rest) {
    const entry = objectIn(each);
    lastMs = numberIn(entry, 'at') ?? lastMs;
    if (!takeEntry(entry, open)) badLines += 1;
  }
  const unfinished = [...open.values()].map((each) => ({ lastMs, ...each }));
  return { type: 'journal', unfinished, badLines };
}

/** False when the line is none of this format. */
function takeEntry(
  entry: Readonly<Record<string, unknown>> | undefined,
  open: Map<string, { readonly attempt: OpenAttempt; readonly lastMs?: number }>,
): boolean {
  if (entry === undefined || numberIn(entry, 'at') === undefined) return false;
  const { open: attempt, done } = entry;
  if (attempt !== undefined) {
    if (!isAttempt(attempt)) return false;
    const lastMs = numberIn(entry, 'lastMs');
    open.set(attempt.cdrId, lastMs === undefined ? { attempt } : { attempt, lastMs });
  }
  if (done === undefined) return true;
  if (!Array.isArray(done)) return false;
  for (const cdrId of done) open.delete(String(cdrId));
  return true;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Enough to tell a line of ours from damage; a whole line that begins like one was written as one. */
function isAttempt(value: unknown): value is OpenAttempt {
  return (
    isObject(value) &&
    typeof value['cdrId'] === 'string' &&
    isObject(value['timestamps']) &&
    typeof value['timestamps']['invite'] === 'string' &&
    Array.isArray(value['attempts'])
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberIn(
  entry: Readonly<Record<string, unknown>> | undefined,
  name: string,
): number | undefined {
  const value = entry?.[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
