import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { buildProgram, runProgram } from '../../../src/cli/program.ts';

afterEach(() => {
  process.exitCode = undefined;
});

function quiet() {
  const program = buildProgram();
  const silence = { writeErr: () => undefined, writeOut: () => undefined };
  for (const command of [program, ...program.commands]) command.configureOutput(silence);
  return program;
}

test.each<[string[], number]>([
  [['--help'], 0],
  [['--version'], 0],
  [['check', '--help'], 0],
  [['frobnicate'], 2],
  [['check', '--nope'], 2],
  [['check', 'a', 'b'], 2],
  [['explain'], 2],
  [['explain', '--from', 'x'], 2],
  [['explain', '--from'], 2],
  [[], 2],
])('%j ends with %i', async (words, exitCode) => {
  await runProgram(words, quiet());
  expect(process.exitCode).toBe(exitCode);
});

test('help shows defaults as they are written', () => {
  const engine = buildProgram().commands.find((command) => command.name() === 'engine');
  expect(engine?.helpInformation()).toMatch(/\(default:\s+127\.0\.0\.1:9022\)/);
});

test('the version is that of the package', async () => {
  const file = new URL('../../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(await readFile(file, 'utf8'));
  expect(buildProgram().version()).toBe(version);
});

test('every command is there', () => {
  const names = buildProgram().commands.map((command) => command.name());
  expect(names).toEqual(
    expect.arrayContaining([
      'run',
      'check',
      'explain',
      'show',
      'reload',
      'drain',
      'demo',
      'engine',
    ]),
  );
});

test('the executable prints JSON and sets its exit status', async () => {
  const script = fileURLToPath(new URL('../../../src/cli/tonebridge.ts', import.meta.url));
  const file = fileURLToPath(new URL('../../../config/sbc.yaml', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    '--config',
    file,
    '--json',
    'check',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ isValid: true, problems: [] });
});
