/** What call records need of a disk, as a layer of its own: the one place of this room that touches their files. */
import {
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  type FileHandle,
} from 'node:fs/promises';
import { dirname } from 'node:path';

export interface CdrFileInfo {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Every method rejects with the error of the system, such as ENOSPC or EROFS. */
export interface CdrFiles {
  /**
   * Appends all of `text`, making the folder when it is missing. What a failure left behind is cut off again, if the
   * disk lets it. With `isSynced` it has reached the disk when this resolves.
   */
  append(file: string, text: string, isSynced: boolean): Promise<void>;
  /** `undefined` when there is no such file. */
  info(file: string): Promise<CdrFileInfo | undefined>;
  /** The last bytes, `maxBytes` at most; empty when there is no such file. */
  tail(file: string, maxBytes: number): Promise<Buffer>;
  cut(file: string, sizeBytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Nothing happens when there is no such file. */
  remove(file: string): Promise<void>;
  /** Names in `folder`; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
}

/** Of a new file: who called whom is nobody else's business. A file that is there keeps its mode. */
const FILE_MODE = 0o640;

export const DISK_FILES: CdrFiles = {
  append: appendWhole,
  info: async (file) => {
    const found = await unlessMissing(stat(file));
    return found === undefined ? undefined : { sizeBytes: found.size, modifiedMs: found.mtimeMs };
  },
  tail: readTail,
  cut: truncate,
  rename,
  remove: (file) => rm(file, { force: true }),
  list: async (folder) => (await unlessMissing(readdir(folder))) ?? [],
};

async function appendWhole(file: string, text: string, isSynced: boolean): Promise<void> {
  await using handle = await openForAppend(file);
  const { size } = await handle.stat();
  try {
    await handle.appendFile(text);
    if (isSynced) await handle.datasync();
  } catch (error) {
    // What cannot be cut off either stays; the reason of the first failure is the one to report.
    await handle.truncate(size).catch(() => undefined);
    throw error;
  }
}

/** The folder is looked for only when the file cannot be opened, since batches are many. */
async function openForAppend(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'a', FILE_MODE);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(file), { recursive: true });
    return open(file, 'a', FILE_MODE);
  }
}

async function readTail(file: string, maxBytes: number): Promise<Buffer> {
  const opened = await unlessMissing(open(file, 'r'));
  if (opened === undefined) return Buffer.alloc(0);
  await using handle = opened;
  const { size } = await handle.stat();
  const length = Math.min(size, maxBytes);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead);
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
