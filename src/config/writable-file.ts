/** Whether a file that the SBC will write can be made and written, without making it. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

type Access = 'usable' | 'missing' | 'locked';

/** What stands against it; `undefined`: nothing. */
export function obstacleTo(name: string): string | undefined {
  const file = resolve(name);
  if (isFolder(file)) return `${name} is a folder`;
  if (accessTo(file, constants.R_OK | constants.W_OK) === 'locked') {
    return `${name} cannot be read and written`;
  }
  if (isDevice(file)) return undefined;
  const folder = nearestFolder(dirname(file));
  if (!isFolder(folder)) return `${folder} is no folder`;
  return accessTo(folder, constants.W_OK | constants.X_OK) === 'usable'
    ? undefined
    : `the folder ${folder} cannot be written`;
}

/** Missing folders are made at the start: what counts is where they are made. */
function nearestFolder(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || accessTo(folder, constants.F_OK) !== 'missing'
    ? folder
    : nearestFolder(parent);
}

function accessTo(path: string, mode: number): Access {
  try {
    accessSync(path, mode);
    return 'usable';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'locked';
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Such as /dev/null, where nothing is made beside it. */
function isDevice(path: string): boolean {
  return isThere(path) && statSync(path).isCharacterDevice();
}

function isThere(path: string): boolean {
  return accessTo(path, constants.F_OK) === 'usable';
}
