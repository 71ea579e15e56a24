import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SAMPLE } from '../unit/config/sample.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));
const FIXTURE = new URL('../fixtures/acme/carrier-and-access.txt', import.meta.url);

function piped(input: string, ...words: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, ...words], { input, encoding: 'utf8' });
}

test('a dash in place of a file is standard input', () => {
  const imported = piped(readFileSync(FIXTURE, 'utf8'), 'import-acme', '-');
  expect(imported.status).toBe(1);
  expect(imported.stdout).toContain('sip-interfaces:');
  expect(piped(imported.stdout, 'check', '-').stdout).toMatch(/^standard input: valid, 0 errors/m);
});

test('what stands there is checked like a file', () => {
  const { status, stdout } = piped(SAMPLE.replace('realms:', 'realm:'), 'check', '-');
  expect(status).toBe(1);
  expect(stdout).toMatch(/^standard input:\d+:\d+: /);
});
