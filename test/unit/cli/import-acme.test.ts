import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { importResult } from '../../../src/cli/import-acme.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { importAcme } from '../../../src/config/acme/acme-import.ts';
import { loadConfig } from '../../../src/config/load.ts';

const FIXTURE = fileURLToPath(
  new URL('../../fixtures/acme/carrier-and-access.txt', import.meta.url),
);
const WHOLE = 'sip-interface\n  realm-id core\n  sip-port\n    address 127.0.0.1\n    port 5062\n';

const out = { text: '', errors: '', folder: '' };

beforeEach(async () => {
  Object.assign(out, { text: '', errors: '', folder: await mkdtemp(join(tmpdir(), 'import-')) });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out.text += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    out.errors += String(text);
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(out.folder, { recursive: true });
});

function typeOf(text: string): string {
  return loadConfig({ text, file: 'imported', env: {} }).type;
}

test('the configuration goes to standard output, the report to standard error', async () => {
  await runProgram(['import-acme', FIXTURE]);
  expect(process.exitCode).toBe(1);
  expect(typeOf(out.text)).toBe('config');
  expect(out.errors).toContain('\nCarried with a change\n');
  expect(out.errors).toContain('the configuration: valid');
});

test('however much there is, it is checked', () => {
  const result = importResult({ ...importAcme(WHOLE), parts: 100_000 }, undefined);
  expect(result.errorText).toContain('the configuration: valid');
  expect(result.json).toMatchObject({ check: { isValid: true } });
});

test('with --output the configuration goes to a file that was not there', async () => {
  const file = join(out.folder, 'out.yaml');
  await runProgram(['import-acme', FIXTURE, '--output', file]);
  expect(typeOf(await readFile(file, 'utf8'))).toBe('config');
  expect(out.text).toContain('Not carried\n');
  expect(out.text).toContain(`${file}: valid`);
  expect(out.errors).toBe('');
});

test('a file that is there stays unless it may be written over', async () => {
  const file = join(out.folder, 'out.yaml');
  await writeFile(file, 'mine');
  await runProgram(['--json', 'import-acme', FIXTURE, '--output', file]);
  expect(process.exitCode).toBe(2);
  expect(JSON.parse(out.text)).toMatchObject({ error: 'usage' });
  expect(await readFile(file, 'utf8')).toBe('mine');
  await runProgram(['import-acme', FIXTURE, '--output', file, '--force']);
  expect(await readFile(file, 'utf8')).toContain('sip-interfaces:');
});

test('where all is carried it ends with 0', async () => {
  const file = join(out.folder, 'in.txt');
  await writeFile(file, WHOLE);
  await runProgram(['--json', 'import-acme', file]);
  expect(process.exitCode).toBe(0);
  expect(JSON.parse(out.text)).toMatchObject({
    counts: { carried: 5, changed: 0, 'not-carried': 0, ignored: 0 },
    check: { isValid: true },
    lines: expect.arrayContaining([
      expect.objectContaining({ line: 5, fate: 'carried', parameter: 'port', value: '5062' }),
    ]),
  });
});

test('where nothing can be made of the text it ends with 1 and says so', async () => {
  const file = join(out.folder, 'in.txt');
  await writeFile(file, 'hello world\n');
  await runProgram(['import-acme', file]);
  expect(process.exitCode).toBe(1);
  expect(out.errors).toContain('line 1: hello world: belongs to no element');
  expect(out.errors).toContain('not valid');
});
