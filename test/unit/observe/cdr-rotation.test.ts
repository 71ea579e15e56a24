import { mkdtemp, readdir, rename, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRotationDue, rotatedAmong, rotatedName } from '../../../src/observe/cdr-rotation.ts';
import { type CdrFailure, CdrWriter } from '../../../src/observe/cdr-writer.ts';
import type { CdrRotation } from '../../../src/observe/cdr-rotation.ts';
import { idsIn, record, SOON } from './cdr-fixtures.ts';

const HOUR_MS = 3_600_000;
const NOON_MS = Date.parse('2026-01-31T12:00:00Z');

let folder = '';
let file = '';
let failures: CdrFailure[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdr-rotation-'));
  file = join(folder, 'cdr.jsonl');
  failures = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

// Size limit, period in hours; size of the file, hours since it was written last, bytes to come.
test.each([
  [0, 0, 1000, 99, 1000, false],
  [1000, 0, 900, 0, 100, false],
  [1000, 0, 900, 0, 101, true],
  [1000, 0, 0, 0, 5000, false],
  [0, 24, 900, 11, 1, false],
  [0, 24, 900, 13, 1, true],
  [0, 24, 0, 13, 1, false],
  [0, 1, 900, 0.5, 1, true],
])('limit %d B, every %d h: %d B, written %d h ago, %d B to come: %s', (...row) => {
  const [sizeBytes, hours, size, age, bytes, isDue] = row;
  const info = { sizeBytes: size, modifiedMs: NOON_MS - age * HOUR_MS };
  const rule = { sizeBytes, everyMs: hours * HOUR_MS, keep: 0 };
  expect(isRotationDue(rule, info, { bytes, nowMs: NOON_MS })).toBe(isDue);
});

test('names of old files tell their age by their order, and belong to nobody else', () => {
  const names: string[] = [];
  for (const nowMs of [NOON_MS, NOON_MS + 400, NOON_MS + 800, NOON_MS + 1000]) {
    names.push(rotatedName('/a/cdr.jsonl', nowMs, names).slice('/a/'.length));
  }
  expect(names).toEqual([
    'cdr.jsonl.20260131T120000Z',
    'cdr.jsonl.20260131T120000Z-001',
    'cdr.jsonl.20260131T120000Z-002',
    'cdr.jsonl.20260131T120001Z',
  ]);
  const others = ['cdr.jsonl', 'cdr.jsonl.1', 'cdr.jsonl.journal', 'cdr.jsonl.torn', 'x.jsonl'];
  expect(rotatedAmong('/a/cdr.jsonl', [...others, ...names.toReversed()])).toEqual(names);
});

function writer(rotation: CdrRotation, nowMs = NOON_MS): CdrWriter {
  return new CdrWriter({
    file,
    rotation,
    pauseMs: 0,
    nowMs: () => nowMs,
    onFailure: (failure) => failures.push(failure),
  });
}

test('a file is full after so many records; none is lost or cut in two', async () => {
  const ids = Array.from({ length: 3000 }, (_, index) => String(index));
  // A batch of 500 fits into no file of this size, so each batch has one of its own.
  const cdr = writer({ sizeBytes: 300_000, everyMs: 0, keep: 0 });
  for (const id of ids) cdr.write(record(id));
  await cdr.close();
  const names = (await readdir(folder)).filter((name) => name !== 'cdr.jsonl').toSorted();
  expect(names).toHaveLength(5);
  const found: string[] = [];
  for (const name of [...names, 'cdr.jsonl']) found.push(...(await idsIn(join(folder, name))));
  expect(found).toEqual(ids);
  expect(failures).toEqual([]);
});

test('a new period begins a new file, and only so many old ones stay', async () => {
  for (const day of [1, 2, 3, 4]) {
    const nowMs = NOON_MS + day * 24 * HOUR_MS;
    const cdr = writer({ sizeBytes: 0, everyMs: 24 * HOUR_MS, keep: 2 }, nowMs);
    cdr.write(record(`${day}`));
    await cdr.close();
    await utimes(file, nowMs / 1000, nowMs / 1000);
  }
  expect((await readdir(folder)).toSorted()).toEqual([
    'cdr.jsonl',
    'cdr.jsonl.20260203T120000Z',
    'cdr.jsonl.20260204T120000Z',
  ]);
  expect(await idsIn(file)).toEqual(['4']);
  expect(await idsIn(join(folder, 'cdr.jsonl.20260203T120000Z'))).toEqual(['2']);
});

test('another program may rotate the file as well', async () => {
  const cdr = writer({ sizeBytes: 1_000_000, everyMs: 0, keep: 0 });
  cdr.write(record('1'));
  await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['1']);
  await rename(file, `${file}.1`);
  cdr.write(record('2'));
  await cdr.close();
  expect(await idsIn(`${file}.1`)).toEqual(['1']);
  expect(await idsIn(file)).toEqual(['2']);
});
