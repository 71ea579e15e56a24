import { expect, test } from 'vitest';
import { Progress } from '../../../src/cli/progress.ts';
import { paint, terminalOf } from '../../../src/cli/terminal.ts';

const TERMINAL = { isTTY: true, columns: 80 };
const FILE = {};

test.each<[string, object, Record<string, string>, boolean]>([
  ['a terminal', TERMINAL, {}, true],
  ['a file', FILE, {}, false],
  ['a dumb terminal', TERMINAL, { TERM: 'dumb' }, false],
  ['a terminal with NO_COLOR', TERMINAL, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR', TERMINAL, { NO_COLOR: '' }, true],
  ['a file with FORCE_COLOR', FILE, { FORCE_COLOR: '1' }, true],
  ['a dumb terminal with FORCE_COLOR', TERMINAL, { TERM: 'dumb', FORCE_COLOR: '1' }, true],
  ['a terminal with FORCE_COLOR off', TERMINAL, { FORCE_COLOR: '0' }, false],
  ['a file with both', FILE, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('%s: %j %j has colours: %s', (_, stream, env, hasColour) => {
  const terminal = terminalOf(stream, env);
  expect(terminal.hasColour).toBe(hasColour);
  expect(paint('x', 'red', terminal)).toBe(hasColour ? '\u001B[31mx\u001B[0m' : 'x');
});

test('only a terminal has a width', () => {
  expect(terminalOf(TERMINAL, {}).columns).toBe(80);
  expect(terminalOf({ columns: 80 }, {}).columns).toBeUndefined();
  expect(terminalOf({ isTTY: true, columns: 0 }, {}).columns).toBeUndefined();
});

function written(env: Record<string, string>, stream: object): string {
  let text = '';
  const output = {
    write: (part: string): void => {
      text += part;
    },
  };
  const progress = new Progress(output, terminalOf(stream, env));
  progress.show('12 calls\nleft');
  progress.show('1 call left');
  progress.end();
  progress.end();
  return text;
}

test('progress is one line that is written again and wiped out in the end', () => {
  const clear = '\r\u001B[2K';
  expect(written({}, TERMINAL)).toBe(`${clear}12 calls·left${clear}1 call left${clear}`);
  expect(written({}, { isTTY: true, columns: 9 })).toBe(`${clear}12 call…${clear}1 call …${clear}`);
});

test('there is no progress for files and dumb terminals', () => {
  expect(written({}, FILE)).toBe('');
  expect(written({ TERM: 'dumb' }, TERMINAL)).toBe('');
});
