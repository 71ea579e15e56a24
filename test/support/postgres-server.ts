/** A PostgreSQL server of its own in a temporary folder, reached by a Unix socket; needs the Debian package postgresql. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

const INSTALLED = '/usr/lib/postgresql';

export interface PostgresServer {
  readonly url: string;
  /** Runs SQL as another program would. */
  readonly run: (sql: string) => string;
  /** Runs SQL in a session that lives on until what it gives is called. */
  readonly hold: (sql: string) => () => Promise<void>;
  /** Ends the sessions that `where` chooses, as a crash would. */
  readonly cut: (where: string) => void;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The programs of the newest version that is there. */
function binaries(): string {
  const versions = existsSync(INSTALLED)
    ? readdirSync(INSTALLED).filter((name) => /^\d+$/.test(name))
    : [];
  const [newest] = versions.toSorted((a, b) => Number(b) - Number(a));
  const folder = join(INSTALLED, newest ?? '', 'bin');
  if (newest === undefined || !existsSync(join(folder, 'initdb'))) {
    throw new Error(`no PostgreSQL server in ${INSTALLED}: install the package postgresql`);
  }
  return folder;
}

/** The server refuses to run as root: then it runs as the user `postgres` of the package. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  return { uid: postgresId('-u'), gid: postgresId('-g') };
}

function postgresId(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres']).toString());
}

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries();
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'pg-'));
  const data = join(folder, 'data');
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const call = (program: string, args: readonly string[]): string =>
    execFileSync(join(bin, program), args, {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString();
  call('initdb', ['-D', data, '-U', 'sbc', '-A', 'trust', '--no-sync', '-E', 'UTF8']);
  const run = (sql: string): string =>
    call('psql', [
      '-h',
      folder,
      '-U',
      'sbc',
      '-d',
      'postgres',
      '-qAtX',
      '-v',
      'ON_ERROR_STOP=1',
      '-c',
      sql,
    ]).trim();
  const cut = (where: string): void => {
    run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${where}`);
  };
  const hold = (sql: string): (() => Promise<void>) => {
    const args = [
      '-h',
      folder,
      '-U',
      'sbc',
      '-d',
      'postgres',
      '-c',
      sql,
      '-c',
      'SELECT pg_sleep(60)',
    ];
    const session = spawn(join(bin, 'psql'), args, { ...user, cwd: folder, stdio: 'ignore' });
    const ended = new Promise<void>((resolve) => {
      session.once('exit', () => resolve());
    });
    return async () => {
      // A session outlives the program that began it until its statement ends.
      cut("query = 'SELECT pg_sleep(60)'");
      await ended;
    };
  };
  let stopRunning: (() => Promise<void>) | undefined;
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off'];
    const server = spawn(
      join(bin, 'postgres'),
      ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      { ...user, cwd: folder, stdio: 'ignore' },
    );
    const ended = new Promise<void>((resolve) => {
      server.once('exit', () => resolve());
    });
    stopRunning = async () => {
      stopRunning = undefined;
      // Ends the sessions, then itself.
      server.kill('SIGINT');
      await ended;
    };
    await waitFor('PostgreSQL server', () => answers(run), { timeoutMs: 60_000 });
  };
  await start();
  const stop = async (): Promise<void> => {
    await stopRunning?.();
  };
  return {
    url: `postgres://sbc@/postgres?host=${encodeURIComponent(folder)}`,
    run,
    hold,
    cut,
    start,
    stop,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(run: (sql: string) => string): boolean {
  try {
    return run('SELECT 1') === '1';
  } catch {
    return false;
  }
}
