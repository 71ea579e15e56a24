import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { buildProgram, runProgram, withAll } from '../../../src/cli/program.ts';

/** Nobody listens there: the discard port needs rights that no test has. */
const NOWHERE = 'http://127.0.0.1:9';

/** Values for arguments that a command insists on, by the name of the argument. */
const SAMPLES: Readonly<Record<string, string>> = {
  feature: 'dnd',
  state: 'on',
  kind: 'agents',
  file: 'config/sbc.yaml',
  account: '2001@pbx.example',
};

const out = { text: '', errors: '' };

beforeEach(() => {
  out.text = '';
  out.errors = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out.text += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    out.errors += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

function pathOf(command: Command): string[] {
  const { parent } = command;
  return parent === null ? [] : [...pathOf(parent), command.name()];
}

const LEAVES = withAll(buildProgram()).filter(({ commands }) => commands.length === 0);
const NAMES = LEAVES.map((command) => pathOf(command).join(' '));
const OF_A_RUNNING_SBC = LEAVES.filter(({ options }) =>
  options.some(({ long }) => long === '--api'),
).map((command): [string, string[]] => [
  pathOf(command).join(' '),
  command.registeredArguments
    .filter(({ required }) => required)
    .map((argument) => SAMPLES[argument.name()] ?? 'x'),
]);

describe('every command', () => {
  test.each(NAMES)('%s ends an unknown option with 2 and one JSON value', async (name) => {
    await runProgram([...name.split(' '), '--json', '--no-such-option']);
    expect(process.exitCode).toBe(EXIT_CODES.usage);
    const said: unknown = JSON.parse(out.text);
    expect(said).toMatchObject({ error: 'usage' });
    expect(out.errors).toBe('');
  });

  test.each(NAMES)('%s shows examples in its help', async (name) => {
    await runProgram([...name.split(' '), '--help']);
    expect(process.exitCode).toBe(EXIT_CODES.good);
    expect(out.text).toContain('\nExamples:\n');
  });

  test.each(NAMES)('%s gives its help as JSON too', async (name) => {
    await runProgram([...name.split(' '), '--help', '--json']);
    expect(JSON.parse(out.text)).toEqual({ help: expect.stringContaining('Usage:') });
  });

  test.each(OF_A_RUNNING_SBC)(
    '%s ends with 3 and one JSON value where no SBC answers',
    async (name, words) => {
      await runProgram([...name.split(' '), ...words, '--json', '--api', NOWHERE]);
      expect(process.exitCode).toBe(EXIT_CODES.notConnected);
      expect(JSON.parse(out.text)).toMatchObject({ error: 'not-connected' });
      expect(out.errors).toBe('');
    },
  );

  test.each(OF_A_RUNNING_SBC)(
    '%s says on standard error that no SBC answers',
    async (name, words) => {
      await runProgram([...name.split(' '), ...words, '--api', NOWHERE]);
      expect(out.text).toBe('');
      expect(out.errors).toContain('cannot connect');
    },
  );

  test.each(OF_A_RUNNING_SBC)(
    '%s ends with 1 where its configuration is bad',
    async (name, words) => {
      await runProgram([...name.split(' '), ...words, '--json', '--config', 'no/such/file.yaml']);
      expect(process.exitCode).toBe(EXIT_CODES.findings);
      expect(JSON.parse(out.text)).toMatchObject({ error: 'bad-config' });
    },
  );
});

test.each<[string[], number, object]>([
  [['--json'], 2, { error: 'usage', message: 'no command' }],
  [['--json', 'frobnicate'], 2, { error: 'usage', message: "unknown command 'frobnicate'" }],
  [['--json', '--version'], 0, { version: buildProgram().version() }],
  [['--json', 'run', '--config', 'no/such.yaml'], 1, { error: 'bad-config' }],
  [['--json', 'check', 'no/such.yaml'], 1, { isValid: false }],
  [['--json', 'check', 'config/sbc.yaml'], 0, { isValid: true }],
  [
    ['--json', 'engine', '--sip', 'udp/192.0.2.1:5060', '--admin', '127.0.0.1:0'],
    1,
    { error: 'cannot-start' },
  ],
  [['--json', 'import-acme', 'no/such.txt'], 2, { error: 'usage' }],
  [['--json', 'drain', '--timeout', '5s'], 2, { error: 'usage' }],
  [['--json', 'drain', '--wait', '--timeout', 'soon'], 2, { error: 'usage' }],
])('%j ends with %i and %j', async (words, exitCode, json) => {
  await runProgram(words);
  expect(process.exitCode).toBe(exitCode);
  expect(JSON.parse(out.text)).toMatchObject(json);
});

test('what nobody expected is one JSON value too', async () => {
  const program = buildProgram();
  program.command('break').action(() => {
    throw new Error('broken');
  });
  await runProgram(['--json', 'break'], program);
  expect(process.exitCode).toBe(EXIT_CODES.findings);
  expect(JSON.parse(out.text)).toEqual({ error: 'failed', message: 'broken' });
  await expect(runProgram(['break'], program)).rejects.toThrow('broken');
});
