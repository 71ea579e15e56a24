import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { swapConfig } from '../../../src/cli/config-swap.ts';

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbc-swap-'));
  file = join(folder, 'sbc.yaml');
  await writeFile(file, 'old');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Name and text of every file there. */
async function files(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? '']));
}

test('the new text is in place and the old one beside it', async () => {
  await swapConfig(file, 'new');
  expect(await files()).toEqual({ 'sbc.yaml': 'new', 'sbc.yaml.previous': 'old' });
});

test('undone, everything is as it was, whether there was an older one or not', async () => {
  await (await swapConfig(file, 'new')).undo();
  expect(await files()).toEqual({ 'sbc.yaml': 'old' });

  await writeFile(`${file}.previous`, 'older');
  await (await swapConfig(file, 'new')).undo();
  expect(await files()).toEqual({ 'sbc.yaml': 'old', 'sbc.yaml.previous': 'older' });
});

test('both files keep the mode of the one in use, since secrets may stand in them', async () => {
  await chmod(file, 0o640);
  await swapConfig(file, 'new');
  const modes = await Promise.all(
    [file, `${file}.previous`].map(async (path) => (await stat(path)).mode % 0o1000),
  );
  expect(modes).toEqual([0o640, 0o640]);
});

test('a link stays a link', async () => {
  const link = join(folder, 'link.yaml');
  await symlink('sbc.yaml', link);
  const swap = await swapConfig(link, 'new');
  expect(swap.file).toBe(file);
  expect(await files()).toEqual({
    'link.yaml': 'new',
    'sbc.yaml': 'new',
    'sbc.yaml.previous': 'old',
  });
});

test('where the old one cannot be set aside nothing is changed', async () => {
  await mkdir(`${file}.previous`);
  await writeFile(join(`${file}.previous`, 'full'), '');
  await expect(swapConfig(file, 'new')).rejects.toThrow('EISDIR');
  expect(await readFile(file, 'utf8')).toBe('old');
  expect((await readdir(folder)).toSorted()).toEqual(['sbc.yaml', 'sbc.yaml.previous']);
});
