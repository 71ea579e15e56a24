/** Puts a new configuration in place of a file, so that a crash at any moment leaves either the old one or the new one. */
import { chmod, chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Beside the file: what stood in it before. */
export function previousOf(file: string): string {
  return `${file}.previous`;
}

export interface Swap {
  /** The file itself, where a link led to it. */
  readonly file: string;
  /** Puts everything back as it was. */
  undo(): Promise<void>;
}

/**
 * Writes `text` into `file` and what stood there into `FILE.previous`, both with mode and owner of the file. `keep` leaves
 * `FILE.previous` alone.
 *
 * @throws Error of the system; nothing is changed then.
 */
export async function swapConfig(
  link: string,
  text: string,
  old: 'set-aside' | 'keep' = 'set-aside',
): Promise<Swap> {
  const file = await realpath(link);
  const previous = previousOf(file);
  const like = await stat(file);
  const [before, older] = [await readFile(file, 'utf8'), await readIfThere(previous)];
  const restorePrevious = async (): Promise<void> => {
    if (old === 'keep') return;
    await (older === undefined ? rm(previous, { force: true }) : writeWhole(previous, older, like));
  };
  if (old === 'set-aside') await writeWhole(previous, before, like);
  try {
    await writeWhole(file, text, like);
  } catch (error) {
    await restorePrevious();
    throw error;
  }
  return {
    file,
    undo: async () => {
      await writeWhole(file, before, like);
      await restorePrevious();
    },
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

interface Like {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Under another name first: a reader sees the old text or the new one, never half of it. */
async function writeWhole(file: string, text: string, like: Like): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await takeOwner(draft, like);
    await chmod(draft, like.mode % 0o10000);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Only the superuser may give files away; for others the new owner is the one who writes. */
async function takeOwner(file: string, { uid, gid }: Like): Promise<void> {
  try {
    await chown(file, uid, gid);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
  }
}

/** Makes the new name outlive the machine. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
