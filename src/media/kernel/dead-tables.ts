/** Tables of this program whose process is dead: they do nothing any more, and are removed at the next start. */

import { parseComplaint, TABLE_PREFIX } from './nft-text.ts';
import type { NftProcess } from './nft-process.ts';

const LISTED = new RegExp(`^table netdev (${TABLE_PREFIX}[0-9a-f]+)$`, 'gmu');

/** Tables of this program in what nft lists, but for `own`. */
export function foreignTables(listed: string, own: string): string[] {
  return [...listed.matchAll(LISTED)].flatMap(([, name = '']) => (name === own ? [] : [name]));
}

/** Whether the lease of a table, as nft shows it, is over; a table that is just made has one from the start. */
export function isLeaseOver(shown: string): boolean {
  return parseComplaint(shown) === undefined && !shown.includes('elements');
}

/** Removes the tables whose lease is over; those of living processes are theirs, and nft refuses them. */
export async function dropDeadTables(nft: NftProcess, own: string): Promise<void> {
  const listed = await nft.run('list tables netdev');
  for (const name of foreignTables(listed ?? '', own)) {
    const shown = await nft.run(`list set netdev ${name} alive`);
    if (shown !== undefined && isLeaseOver(shown)) await nft.run(`delete table netdev ${name}`);
  }
}
