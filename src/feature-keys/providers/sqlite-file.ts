/** The database file of the feature keys: opened, brought to this version, checked. Blocks: for a thread of its own. */

import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Steps from each version to the next; the version of a file is its `user_version`. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE feature_state (
     presentity TEXT NOT NULL, feature TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
     forward_to TEXT, ring_count INTEGER, assigned INTEGER NOT NULL DEFAULT 1,
     locked INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
     updated_at TEXT NOT NULL, PRIMARY KEY (presentity, feature)) STRICT;
   CREATE TABLE feature_history (
     id INTEGER PRIMARY KEY, at TEXT NOT NULL, presentity TEXT NOT NULL, feature TEXT NOT NULL,
     outcome TEXT NOT NULL, reason TEXT, old_value TEXT, new_value TEXT, source TEXT NOT NULL,
     actor TEXT NOT NULL, origin TEXT NOT NULL, version INTEGER) STRICT;
   CREATE INDEX feature_history_by_account ON feature_history (presentity, at);`,
];

export const SQLITE_VERSION: number = MIGRATIONS.length;

/** Of a new file, and of those beside it: who calls whom is nobody else's business. */
const FILE_MODE = 0o640;
/** How long a statement waits for another process that writes. */
const BUSY_TIMEOUT_MS = 2000;

/**
 * Creates the folder and the file where they are missing; `:memory:` is no file.
 *
 * @throws Error that names the file and says what is wrong with it.
 */
export function openDatabaseFile(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (file !== ':memory:') makeFile(file);
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    // NORMAL: what is answered survives the death of the process, though not of the machine.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    migrate(database, file);
    check(database);
    return database;
  } catch (error) {
    if (database?.isOpen === true) database.close();
    throw new Error(`feature database ${file} ${explain(error)}`, { cause: error });
  }
}

/** A file that is open to write elsewhere: who writes, and be it another program, holds up no reading. */
export function openToRead(file: string): DatabaseSync {
  return new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
}

/** A file that is there keeps its mode. */
function makeFile(file: string): void {
  makeFolder(dirname(resolve(file)));
  if (!existsSync(file)) closeSync(openSync(file, 'a', FILE_MODE));
}

/** From the top down: where a folder cannot be made, as in /proc, making all at once never ends (Node 26). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(path)) throw error;
  }
}

function migrate(database: DatabaseSync, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (version > SQLITE_VERSION) throw new NewerVersion(file, version);
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${SQLITE_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    // A failed COMMIT may have ended the transaction itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function check(database: DatabaseSync): void {
  const [finding] = database.prepare('PRAGMA quick_check(feature_state)').all();
  const text = finding === undefined ? 'ok' : Object.values(finding)[0];
  if (text !== 'ok') throw new Error(`is damaged: ${String(text)}`);
}

class NewerVersion extends Error {
  override readonly name = 'NewerVersion';

  constructor(file: string, version: number) {
    super(`${file} is of version ${version}`);
    this.version = version;
  }

  readonly version: number;
}

const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

function explain(error: unknown): string {
  if (error instanceof NewerVersion) {
    return `was written by a newer program: its version is ${error.version}, this one knows ${SQLITE_VERSION}`;
  }
  const code = resultCode(error);
  if (code === BUSY || code === LOCKED) return 'is locked by another process';
  if (code === NOT_A_DATABASE) return 'is no database';
  if (code === CORRUPT) return 'is damaged';
  const text = error instanceof Error ? error.message : String(error);
  return text.startsWith('is damaged') ? text : `cannot be opened: ${text}`;
}

/** Primary result code of SQLite; its extended codes carry more in the upper bits. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode % 256 : undefined;
}
