/** The unit file as written, on a machine whose systemd is not ours to command: its start line, checked and run by hand. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loopbackConfig } from '../support/loopback-config.ts';
import { readUnitFile } from '../support/unit-file.ts';
import { waitFor } from '../support/wait-for.ts';

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

test('its start line brings the SBC up with secrets from the environment, SIGHUP reloads, SIGTERM ends it', async () => {
  const carrier = { address: '127.0.0.1', port: 9 };
  const { yaml, api } = await loopbackConfig({ carrier, logLevel: 'info' });
  const token = 'from-the-environment-file';
  const text = yaml.replace(/^api: \{/m, 'api: { token: "${SBC_TEST_TOKEN}",');
  expect(text).toContain('SBC_TEST_TOKEN');
  await writeFile(join(folder, 'sbc.yaml'), text);
  const service = readUnitFile(unit).get('Service');
  const [program = '', ...words] = service?.get('ExecStart')?.at(-1)?.split(' ') ?? [];
  const environment = (service?.get('Environment') ?? []).map((line) => line.split('='));
  const child = spawn(program, words, {
    cwd: service?.get('WorkingDirectory')?.at(-1),
    env: { ...Object.fromEntries(environment), SBC_TEST_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  try {
    await waitFor('ready', () => output.includes('"ready"'));
    const url = `http://${api.address}:${api.port}/api/v1/drain`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    child.kill('SIGHUP');
    await waitFor('reloaded', () => output.includes('configuration reloaded'));
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    expect(output).not.toContain(token);
  } finally {
    child.kill('SIGKILL');
  }
});
