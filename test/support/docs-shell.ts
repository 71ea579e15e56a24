/**
 * A place in which the commands of the documentation run as written: a scratch folder that looks like the project, a
 * network of its own in which all default ports are free, and the SBC on the default configuration.
 *
 *   scratch/ src, bench, docs, deploy, test, node_modules -> the project    config, package.json copied    bin/ first in PATH
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SHARED = ['src', 'bench', 'docs', 'deploy', 'test', 'node_modules', 'Dockerfile'];
const COPIED = ['config', 'package.json', 'docker-compose.yml'];

/** Programs that change the machine or need a daemon: their lines are written down in place of being run. */
export const RECORDED_PROGRAMS = [
  'docker',
  'kubectl',
  'systemctl',
  'useradd',
  'install',
  'cp',
  'npm',
  'sqlite3',
] as const;

/** What such a program says to a line whose answer the next one needs. */
const REPLIES: Readonly<Record<string, string>> = {
  kubectl: '; case "$*" in *"get pods"*) echo pod/tonebridge-a; echo pod/tonebridge-b;; esac',
};

const SHIMS: Readonly<Record<string, string>> = {
  tonebridge: 'exec node src/cli/tonebridge.ts "$@"',
  npx: '[ "$1" = tonebridge ] || exit 127; shift; exec node src/cli/tonebridge.ts "$@"',
  node: `exec '${process.execPath}' "$@"`,
  ...Object.fromEntries(
    RECORDED_PROGRAMS.map((name) => [
      name,
      `printf '%s\\n' "${name} $*" >> recorded${REPLIES[name] ?? ''}`,
    ]),
  ),
};

export interface ShellResult {
  readonly code: number | null;
  /** Of the block and, in front, of the SBC if it did not start. */
  readonly output: string;
  /** Lines of {@link RECORDED_PROGRAMS}, as the shell took them apart. */
  readonly recorded: readonly string[];
}

/** Brings the SBC up, runs `script` line by line, takes the SBC down. */
const DRIVER = `
set -u
ip link set lo up || exit 90
: > sbc.log
node src/cli/tonebridge.ts run > sbc.log 2>&1 &
sbc=$!
for _ in $(seq 300); do grep -q '"ready"' sbc.log && break; sleep 0.1; done
grep -q '"ready"' sbc.log || { cat sbc.log; exit 91; }
bash -e block.sh; code=$?
kill -TERM $sbc 2> /dev/null; kill -TERM $sbc 2> /dev/null
wait $sbc
exit $code
`;

/** Runs a block of shell lines; the first line that fails ends it with its exit code. */
export async function runDocsBlock(script: string, limitMs: number): Promise<ShellResult> {
  const folder = await mkdtemp(join(tmpdir(), 'docs-shell-'));
  try {
    await furnish(folder);
    await writeFile(join(folder, 'block.sh'), `${script}\n`);
    await writeFile(join(folder, 'driver.sh'), DRIVER);
    const child = spawn('unshare', ['--net', 'bash', 'driver.sh'], {
      cwd: folder,
      env: { PATH: `${folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: folder, LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const limit = setTimeout(() => {
      // The whole group: what the block has started must not outlive it.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limitMs);
    const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'));
    clearTimeout(limit);
    const recorded = await readFile(join(folder, 'recorded'), 'utf8').catch(() => '');
    return { code, output, recorded: recorded.split('\n').filter((line) => line !== '') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function furnish(folder: string): Promise<void> {
  for (const name of SHARED) await symlink(join(PROJECT, name), join(folder, name));
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  // What the pages call the text of a box.
  const running = join(PROJECT, 'test/fixtures/acme/carrier-and-access.txt');
  await cp(running, join(folder, 'running-config.txt'));
  await mkdir(join(folder, 'data'));
  await mkdir(join(folder, 'bin'));
  for (const [name, text] of Object.entries(SHIMS)) {
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  }
}
