import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CdrFailure, CdrWriter } from '../../../src/observe/cdr-writer.ts';
import { idsIn, record, SOON } from './cdr-fixtures.ts';

let folder = '';
let failures: CdrFailure[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdr-'));
  failures = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function writer(file: string, queueLimit = 100): CdrWriter {
  return new CdrWriter({ file, queueLimit, onFailure: (failure) => failures.push(failure) });
}

const many = Array.from({ length: 200 }, (_, index) => `${index}`);

test('records come in order, one line each, into a folder that did not exist', async () => {
  const file = join(folder, 'a', 'b', 'cdr.jsonl');
  const cdr = writer(file);
  for (const id of many) cdr.write(record(id));
  await cdr.close();
  expect(await idsIn(file)).toEqual(many);
  expect(JSON.parse((await readFile(file, 'utf8')).split('\n')[0] ?? '')).toEqual(record('0'));
  expect(failures).toEqual([]);
});

test('a second writer appends', async () => {
  const file = join(folder, 'cdr.jsonl');
  for (const id of ['1', '2']) {
    const cdr = writer(file);
    cdr.write(record(id));
    await cdr.close();
  }
  expect(await idsIn(file)).toEqual(['1', '2']);
});

test('the first record is written at once, those behind it together and no later than at close', async () => {
  const file = join(folder, 'cdr.jsonl');
  const cdr = new CdrWriter({ file, pauseMs: 600_000, onFailure: (each) => failures.push(each) });
  cdr.write(record('1'));
  await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['1']);
  for (const id of ['2', '3']) cdr.write(record(id));
  expect(await idsIn(file)).toEqual(['1']);
  await cdr.close();
  expect(await idsIn(file)).toEqual(['1', '2', '3']);
  expect(failures).toEqual([]);
});

test('the file may be renamed between two records', async () => {
  const file = join(folder, 'cdr.jsonl');
  const first = writer(file);
  first.write(record('1'));
  await first.close();
  await rename(file, `${file}.1`);
  first.write(record('2'));
  await first.close();
  expect(await idsIn(`${file}.1`)).toEqual(['1']);
  expect(await idsIn(file)).toEqual(['2']);
});

test('records wait while the file cannot be written and are written once it can', async () => {
  const blocked = join(folder, 'blocked');
  await writeFile(blocked, 'a file where a folder should be');
  const file = join(blocked, 'cdr.jsonl');
  const cdr = writer(file);
  cdr.write(record('1'));
  await expect
    .poll(() => failures, SOON)
    .toMatchObject([{ error: { code: 'ENOTDIR' }, lostRecords: 0 }]);
  await rm(blocked);
  cdr.write(record('2'));
  await cdr.close();
  expect(await idsIn(file)).toEqual(['1', '2']);
});

test('what cannot be kept is reported as lost', async () => {
  const blocked = join(folder, 'blocked');
  await writeFile(blocked, '');
  const cdr = writer(join(blocked, 'cdr.jsonl'), 3);
  for (const id of ['1', '2', '3', '4', '5']) cdr.write(record(id));
  await cdr.close();
  const lost = failures.reduce((sum, failure) => sum + failure.lostRecords, 0);
  expect(lost).toBe(5);
});

test('a full disk is reported as what it is', async () => {
  // The device of Linux that has never room.
  const cdr = writer('/dev/full');
  cdr.write(record('1'));
  await cdr.close();
  expect(failures[0]).toMatchObject({ error: { code: 'ENOSPC' }, lostRecords: 0 });
  expect(failures.at(-1)).toMatchObject({ lostRecords: 1 });
});

test('closing without records creates nothing', async () => {
  const file = join(folder, 'cdr.jsonl');
  await writer(file).close();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

test('no file name means no records and no complaint', async () => {
  const cdr = writer('');
  cdr.write(record('1'));
  await cdr.close();
  expect(failures).toEqual([]);
});
