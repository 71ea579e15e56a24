import { Command } from 'commander';
import { expect, test } from 'vitest';
import { completionScript } from '../../../src/cli/completion-script.ts';
import { completedCommands } from '../../../src/cli/completion-words.ts';
import { buildProgram, withAll } from '../../../src/cli/program.ts';

function commandAt(path: string) {
  return completedCommands(buildProgram()).find((command) => command.path === path);
}

function valueOf(path: string, option: string) {
  return commandAt(path)?.options.find(({ names }) => names.includes(option))?.value;
}

test('every command that the help shows can be completed', () => {
  const program = buildProgram();
  const paths = completedCommands(program).map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['', 'run', 'show calls', 'features set', 'import-acme']),
  );
  expect(paths).not.toContain('demo-features');
  expect(paths).not.toContain('completion values');
  expect(paths.length).toBeGreaterThan(withAll(program).length - 10);
});

test('a new command needs no further code', () => {
  const program = new Command('tonebridge').option('--json', 'as JSON');
  program.command('fresh').description('new').argument('<agent>').option('--call <id>', 'which');
  expect(completedCommands(program)).toEqual([
    {
      path: '',
      commands: [{ name: 'fresh', description: 'new' }],
      options: [
        { names: ['--json'], description: 'as JSON' },
        { names: ['--help', '-h'], description: 'help' },
      ],
      arguments: [],
    },
    {
      path: 'fresh',
      commands: [],
      options: [
        { names: ['--call'], description: 'which', value: { type: 'live', of: 'calls' } },
        { names: ['--json'], description: 'as JSON' },
        { names: ['--help', '-h'], description: 'help' },
      ],
      arguments: [{ type: 'live', of: 'agents' }],
    },
  ]);
});

test.each<[string, string, object | undefined]>([
  ['show digits', '--call', { type: 'live', of: 'calls' }],
  ['explain', '--from', { type: 'live', of: 'agents' }],
  ['explain', '--offer', { type: 'file' }],
  ['check', '--config', { type: 'file' }],
  ['engine', '--verify', { type: 'words', words: ['required', 'none'] }],
  ['engine', '--secret', { type: 'any' }],
  ['demo', '--ladder', undefined],
])('of %s, %s takes %j', (path, option, value) => {
  expect(valueOf(path, option)).toEqual(value);
});

test.each<[string, object[]]>([
  ['agents lock', [{ type: 'live', of: 'agents' }]],
  ['show calls', [{ type: 'live', of: 'calls' }]],
  ['check', [{ type: 'file' }]],
  [
    'features set',
    [
      { type: 'live', of: 'accounts' },
      { type: 'words', words: ['dnd', 'cfa', 'cfb', 'cfna'] },
      { type: 'words', words: ['on', 'off'] },
    ],
  ],
])('arguments of %s are %j', (path, expected) => {
  expect(commandAt(path)?.arguments).toEqual(expected);
});

test.each(['bash', 'zsh'] as const)(
  'no text of a command gets out of its quotes in %s',
  (shell) => {
    const program = new Command('tonebridge').description('it\'s $(reboot) `reboot` "x"\nand more');
    program.command('quote').description('it\'s $(reboot) `reboot` "x"\nand more');
    const script = completionScript(shell, completedCommands(program));
    const outside = script.replaceAll(String.raw`'\''`, '').replaceAll(/'[^']*'/g, '');
    expect(outside).not.toContain('reboot');
  },
);
