/** The unit file as written, on a machine whose systemd is not ours to command: its start line, checked and run by hand. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loopbackConfig } from '../support/loopback-config.ts';
import { readUnitFile } from '../support/unit-file.ts';
import { PATIENCE_MS, waitFor } from '../support/wait-for.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const run = promisify(execFile);

let folder = '';
let unit = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unit-'));
  const written = await readFile(join(PROJECT, 'deploy/systemd/tonebridge.service'), 'utf8');
  // Only the places differ: the checkout for /opt/tonebridge, the scratch folder for /etc and /var/lib.
  unit = written
    .replaceAll('/opt/tonebridge', PROJECT)
    .replaceAll('/etc/tonebridge', folder)
    .replaceAll('/var/lib/tonebridge', folder);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'tonebridge.service'), unit);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('systemd finds nothing to complain about', async () => {
  const { stdout, stderr } = await run('systemd-analyze', [
    'verify',
    '--man=no',
    '--recursive-errors=no',
    join(folder, 'tonebridge.service'),
  ]);
  expect(stdout + stderr).toBe('');
});

test('systemd rates its exposure as low', async () => {
  const { stdout } = await run('systemd-analyze', [
    'security',
    '--offline=true',
    '--no-pager',
    '--threshold=20',
    join(folder, 'tonebridge.service'),
  ]);
  expect(stdout).toMatch(/Overall exposure level for tonebridge\.service: [01]\.\d/);
});

test('the right for the kernel path of media is no reason to complain, and rates as low as well', async () => {
  const own = join(folder, 'kernel');
  await mkdir(join(own, 'tonebridge.service.d'), { recursive: true });
  await writeFile(join(own, 'tonebridge.service'), unit);
  const dropIn = await readFile(join(PROJECT, 'deploy/systemd/kernel-io.conf'), 'utf8');
  await writeFile(join(own, 'tonebridge.service.d', 'kernel-io.conf'), dropIn);
  const file = join(own, 'tonebridge.service');
  const options = ['verify', '--man=no', '--recursive-errors=no', file];
  const { stdout, stderr } = await run('systemd-analyze', options);
  expect(stdout + stderr).toBe('');
  const rated = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file]);
  expect(rated.stdout).toMatch(/CAP_NET_ADMIN/);
  expect(rated.stdout).toMatch(/Overall exposure level for tonebridge\.service: [12]\.\d/);
});

/** Puts a program in the place of `systemd-notify`; what it gives reads what systemd would have been told. */
async function standInForSystemdNotify(): Promise<() => Promise<string[]>> {
  const file = join(folder, 'told');
  const program = join(folder, 'bin', 'systemd-notify');
  await mkdir(join(folder, 'bin'));
  await writeFile(program, `#!/bin/sh\necho "$*" >> '${file}'\n`);
  await chmod(program, 0o755);
  return async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };
}

test('its start line brings the SBC up with secrets from the environment, SIGHUP reloads, SIGTERM ends it, and systemd is told', async () => {
  const carrier = { address: '127.0.0.1', port: 9 };
  const { yaml, api } = await loopbackConfig({ carrier, logLevel: 'info' });
  const token = 'from-the-environment-file';
  const text = yaml.replace(/^api: \{/m, 'api: { token: "${SBC_TEST_TOKEN}",');
  expect(text).toContain('SBC_TEST_TOKEN');
  await writeFile(join(folder, 'sbc.yaml'), text);
  const service = readUnitFile(unit).get('Service');
  const [program = '', ...words] = service?.get('ExecStart')?.at(-1)?.split(' ') ?? [];
  const environment = (service?.get('Environment') ?? []).map((line) => line.split('='));
  expect(service?.get('Type')).toEqual(['notify']);
  const told = await standInForSystemdNotify();
  const child = spawn(program, words, {
    cwd: service?.get('WorkingDirectory')?.at(-1),
    env: {
      ...Object.fromEntries(environment),
      SBC_TEST_TOKEN: token,
      NOTIFY_SOCKET: join(folder, 'notify'),
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  try {
    await waitFor('ready', () => output.includes('"ready"'));
    await expect.poll(told, { timeout: PATIENCE_MS }).toEqual(['READY=1']);
    const url = `http://${api.address}:${api.port}/api/v1/drain`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    child.kill('SIGHUP');
    await waitFor('reloaded', () => output.includes('configuration reloaded'));
    const reloaded = ['READY=1', 'RELOADING=1', 'READY=1'];
    await expect.poll(told, { timeout: PATIENCE_MS }).toEqual(reloaded);
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    await expect.poll(told, { timeout: PATIENCE_MS }).toEqual([...reloaded, 'STOPPING=1']);
    expect(output).not.toContain(token);
  } finally {
    child.kill('SIGKILL');
  }
});
