import { readFileSync, statSync } from 'node:fs';

const MAX_BYTES = 1024 * 1024;

/**
 * The text of a file that a configuration names. Nothing else is read: a device or a pipe would hold up the process for as
 * long as it likes.
 *
 * @throws Error of the system, or one that says what the path is instead.
 */
export function readSmallFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === false) throw new Error(`${path} is no ordinary file`);
  if (stats !== undefined && stats.size > MAX_BYTES) throw new Error(`${path} is above 1 MiB`);
  return readFileSync(path, 'utf8');
}
