/** `-` in place of a file name. */
import { readFileSync } from 'node:fs';

/** How the report calls it. */
export const STANDARD_INPUT = 'standard input';

export function isStandardInput(file: string | undefined): boolean {
  return file === '-';
}

/** All of it, up to its end. */
export function readStandardInput(): Buffer {
  return readFileSync(0);
}
