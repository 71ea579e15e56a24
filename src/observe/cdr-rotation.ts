/** When the file of call records makes way for a new one, what it is called then, and which old ones go. */
import { basename, dirname, join } from 'node:path';
import type { CdrFileInfo, CdrFiles } from './cdr-files.ts';

export interface CdrRotation {
  /** Largest size, reached before a record would exceed it; 0: any. */
  readonly sizeBytes: number;
  /** Length of the periods since 1970 UTC that have a file of their own; 0: no periods. */
  readonly everyMs: number;
  /** How many old files stay; 0: all. */
  readonly keep: number;
}

/** Whether a file has to make way before `bytes` more are written to it. */
export function isRotationDue(
  { sizeBytes, everyMs }: CdrRotation,
  info: CdrFileInfo,
  next: { readonly bytes: number; readonly nowMs: number },
): boolean {
  if (info.sizeBytes === 0) return false;
  if (sizeBytes > 0 && info.sizeBytes + next.bytes > sizeBytes) return true;
  return everyMs > 0 && Math.floor(info.modifiedMs / everyMs) < Math.floor(next.nowMs / everyMs);
}

/** `cdr.jsonl.20260131T235959Z`, with `-001` and so on for more within a second; sorted by name they are by age. */
export function rotatedName(file: string, nowMs: number, taken: readonly string[]): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = `${file}.${stamp}`;
  const known = new Set(taken);
  if (!known.has(basename(name))) return name;
  for (let count = 1; ; count += 1) {
    const numbered = `${name}-${String(count).padStart(3, '0')}`;
    if (!known.has(basename(numbered))) return numbered;
  }
}

/** The names among `names` that rotation gave to old files of `file`, oldest first. */
export function rotatedAmong(file: string, names: readonly string[]): string[] {
  const prefix = `${basename(file)}.`;
  return names
    .filter(
      (name) =>
        name.startsWith(prefix) && /^\d{8}T\d{6}Z(-\d{3,})?$/.test(name.slice(prefix.length)),
    )
    .toSorted();
}

/** Puts `file` aside when it is due before `bytes` more are written. */
export async function rotateIfDue(
  files: CdrFiles,
  file: string,
  rule: CdrRotation,
  next: { readonly bytes: number; readonly nowMs: number },
): Promise<void> {
  if (rule.sizeBytes === 0 && rule.everyMs === 0) return;
  const info = await files.info(file);
  if (info === undefined || !isRotationDue(rule, info, next)) return;
  const folder = dirname(file);
  const names = await files.list(folder);
  const name = rotatedName(file, next.nowMs, names);
  await files.rename(file, name);
  if (rule.keep === 0) return;
  const old = rotatedAmong(file, [...names, basename(name)]);
  for (const surplus of old.slice(0, Math.max(0, old.length - rule.keep))) {
    await files.remove(join(folder, surplus));
  }
}
