/** What becomes of call records while the disk fails: none is lost, none comes twice, nobody waits. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repairTail } from '../../../src/observe/cdr-repair.ts';
import {
  type CdrFailure,
  CdrWriter,
  type CdrWriterOptions,
} from '../../../src/observe/cdr-writer.ts';
import { DISK_FILES } from '../../../src/observe/cdr-files.ts';
import { attempt, FaultyDisk, idsIn, record, SOON } from './cdr-fixtures.ts';

let folder = '';
let file = '';
let disk = new FaultyDisk();
let failures: CdrFailure[] = [];
let written = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdr-faults-'));
  file = join(folder, 'cdr.jsonl');
  disk = new FaultyDisk();
  failures = [];
  written = 0;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function writer(options: Partial<CdrWriterOptions> = {}): CdrWriter {
  return new CdrWriter({
    file,
    files: disk,
    pauseMs: 1,
    retryMs: 5,
    onFailure: (failure) => failures.push(failure),
    onWritten: (count) => {
      written += count;
    },
    ...options,
  });
}

test.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EMFILE'])(
  'records wait while appending fails with %s and are written without another call',
  async (code) => {
    const cdr = writer();
    disk.fault = { on: 'append', code };
    for (const id of ['1', '2']) cdr.write(record(id));
    await expect.poll(() => failures.length, SOON).toBeGreaterThan(1);
    expect(failures[0]).toMatchObject({ part: 'records', error: { code }, lostRecords: 0 });
    expect(cdr.waitingRecords).toBe(2);
    disk.fault = undefined;
    await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['1', '2']);
    await cdr.close();
    expect(written).toBe(2);
  },
);

test('half a batch that the full disk kept is set aside before the batch is written again', async () => {
  await writeFile(file, `${JSON.stringify(record('0'))}\n`);
  const cdr = writer();
  disk.fault = { on: 'append', code: 'ENOSPC', half: true };
  disk.faultyFiles = /jsonl$/;
  cdr.write(record('1'));
  await expect.poll(() => failures.length, SOON).toBeGreaterThan(0);
  disk.fault = undefined;
  await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['0', '1']);
  await cdr.close();
  expect(await readFile(`${file}.torn`, 'utf8')).toContain('"cdrId":"1"');
});

test('the folder may vanish while the SBC runs', async () => {
  const inner = join(folder, 'records');
  const cdr = writer({ file: join(inner, 'cdr.jsonl'), hasJournal: true });
  await cdr.start();
  cdr.opened('1', () => attempt('1'));
  cdr.opened('2', () => attempt('2'));
  await expect
    .poll(() => readFile(join(inner, 'cdr.jsonl.journal'), 'utf8'), SOON)
    .toContain('call-2');
  await rm(inner, { recursive: true });
  cdr.write(record('1'));
  await expect.poll(() => idsIn(join(inner, 'cdr.jsonl')).catch(() => []), SOON).toEqual(['1']);
  // The call that is still open stands in the new journal, which begins like any other.
  await expect
    .poll(() => readFile(join(inner, 'cdr.jsonl.journal'), 'utf8').catch(() => ''), SOON)
    .toMatch(/^\{"journal":1.*\n.*call-2/);
  cdr.write(record('2'));
  await cdr.close();
  expect(failures).toEqual([]);
});

test('a failing disk costs the oldest records beyond the limit, and says how many', async () => {
  const cdr = writer({ queueLimit: 3 });
  disk.fault = { on: 'append', code: 'ENOSPC' };
  for (const id of ['1', '2', '3', '4', '5']) cdr.write(record(id));
  await expect.poll(() => failures.length, SOON).toBeGreaterThan(0);
  disk.fault = undefined;
  await cdr.close();
  expect(await idsIn(file)).toEqual(['3', '4', '5']);
  expect(failures.reduce((sum, failure) => sum + failure.lostRecords, 0)).toBe(2);
});

test('a journal that cannot be written keeps no record back, and is whole again afterwards', async () => {
  const cdr = writer({ hasJournal: true });
  await cdr.start();
  disk.fault = { on: 'append', code: 'ENOSPC' };
  disk.faultyFiles = /journal/;
  for (const id of ['1', '2']) cdr.opened(id, () => attempt(id));
  await expect.poll(() => failures.some(({ part }) => part === 'journal'), SOON).toBe(true);
  cdr.write(record('1'));
  await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['1']);
  disk.fault = undefined;
  await expect
    .poll(() => readFile(`${file}.journal`, 'utf8').catch(() => ''), SOON)
    .toContain('call-2');
  expect(await readFile(`${file}.journal`, 'utf8')).not.toContain('call-1');
  cdr.write(record('2'));
  await cdr.close();
  expect(await idsIn(file)).toEqual(['1', '2']);
});

test('a journal that cannot be read is left alone, and records are written as without it', async () => {
  await writeFile(`${file}.journal`, 'the journal of before');
  disk.fault = { on: 'tail', code: 'EACCES' };
  disk.faultyFiles = /journal/;
  const cdr = writer({ hasJournal: true });
  expect(await cdr.start()).toEqual({ closedCalls: 0, badLines: 0, tail: 'whole' });
  cdr.opened('1', () => attempt('1'));
  cdr.write(record('1'));
  await cdr.close();
  expect(failures).toMatchObject([{ part: 'journal', error: { code: 'EACCES' } }]);
  expect(await idsIn(file)).toEqual(['1']);
  expect(await readFile(`${file}.journal`, 'utf8')).toBe('the journal of before');
});

test('a rotation that fails is reported once and lets the file grow', async () => {
  const cdr = writer({ rotation: { sizeBytes: 10, everyMs: 0, keep: 0 } });
  disk.fault = { on: 'rename', code: 'EROFS' };
  for (const id of ['1', '2', '3']) {
    cdr.write(record(id));
    await expect.poll(() => written, SOON).toBe(Number(id));
  }
  await cdr.close();
  expect(await idsIn(file)).toEqual(['1', '2', '3']);
  expect(failures).toMatchObject([{ part: 'rotation', error: { code: 'EROFS' }, lostRecords: 0 }]);
});

test.each([
  ['nothing', '', 'whole', '', undefined],
  ['whole lines', '{"a":1}\n', 'whole', '{"a":1}\n', undefined],
  ['a record without its line end', '{"a":1}\n{"b":2}', 'ended', '{"a":1}\n{"b":2}\n', undefined],
  ['half a record', '{"a":1}\n{"b":', 'cut', '{"a":1}\n', '{"b":\n'],
  ['nothing but half a record', '{"b":', 'cut', '', '{"b":\n'],
  ['zeros of a machine that lost power', '{"a":1}\n\0\0', 'cut', '{"a":1}\n', '\0\0\n'],
])('after a crash a file that ends with %s is put right', async (...row) => {
  const [, before, state, after, torn] = row;
  await appendFile(file, before);
  expect(await repairTail(DISK_FILES, file)).toBe(state);
  expect(await readFile(file, 'utf8')).toBe(after);
  expect(await readFile(`${file}.torn`, 'utf8').catch(() => undefined)).toBe(torn);
});
