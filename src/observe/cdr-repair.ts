/** Puts right what a crash left at the end of the file of call records, and finds what had reached it. */
import { basename, dirname, join } from 'node:path';
import type { CdrFiles } from './cdr-files.ts';

/** `ended`: a whole record lacked its line end. `cut`: half a record was moved to the `.torn` file. */
export type TailState = 'whole' | 'ended' | 'cut';

const NEWLINE = 10;
/** More than any record. */
const LAST_LINE_BYTES = 1_048_576;
/** What may have been written after the journal heard of it last: some ten thousand records. */
const SEARCHED_BYTES = 16 * 1_048_576;
/** The file itself and the latest ones that rotation, of ours or of another program, made of it. */
const SEARCHED_FILES = 3;

/** Makes `file` end with a whole line. */
export async function repairTail(files: CdrFiles, file: string): Promise<TailState> {
  const info = await files.info(file);
  if (info === undefined || info.sizeBytes === 0) return 'whole';
  const tail = await files.tail(file, LAST_LINE_BYTES);
  if (tail.length === 0 || tail.at(-1) === NEWLINE) return 'whole';
  const start = tail.lastIndexOf(NEWLINE) + 1;
  const piece = tail.subarray(start);
  const isTooLong = start === 0 && info.sizeBytes > tail.length;
  if (isTooLong || isJson(piece.toString())) {
    await files.append(file, '\n', false);
    return 'ended';
  }
  await files.append(`${file}.torn`, `${piece.toString()}\n`, false);
  await files.cut(file, info.sizeBytes - piece.length);
  return 'cut';
}

/** Those of `cdrIds` that have a record of their end in `file` or in one that was made of it. */
export async function recordedAmong(
  files: CdrFiles,
  file: string,
  cdrIds: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (cdrIds.size === 0) return found;
  for (const searched of await latestFiles(files, file)) {
    const text = (await files.tail(searched, SEARCHED_BYTES)).toString();
    for (const [, cdrId = ''] of text.matchAll(/^\{"version":\d+,"cdrId":"([^"]*)"/gm)) {
      if (cdrIds.has(cdrId)) found.add(cdrId);
    }
  }
  return found;
}

async function latestFiles(files: CdrFiles, file: string): Promise<string[]> {
  const folder = dirname(file);
  const names = (await files.list(folder)).filter((name) => name.startsWith(basename(file)));
  const dated: { path: string; modifiedMs: number }[] = [];
  for (const name of names) {
    if (/\.(gz|xz|zst|bz2|torn)$|\.journal/.test(name)) continue;
    const path = join(folder, name);
    const info = await files.info(path);
    if (info !== undefined) dated.push({ path, modifiedMs: info.modifiedMs });
  }
  return dated
    .toSorted((one, other) => other.modifiedMs - one.modifiedMs)
    .slice(0, SEARCHED_FILES)
    .map(({ path }) => path);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
