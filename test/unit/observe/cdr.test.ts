import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CdrWriter } from '../../../src/observe/cdr.ts';
import type { CdrFailure, CdrRecord } from '../../../src/observe/cdr.ts';

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

function record(cdrId: string): CdrRecord {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    version: 1,
    cdrId,
    callId: `call-${cdrId}`,
    config: { hash: 'abc' },
    node: 'sbc1',
    ingress: {
      realm: 'access',
      interface: 'access',
      remote: '192.0.2.1:5060',
      sipCallId: 'x',
      from: 'sip:1@a',
      to: 'sip:2@b',
      ruri: 'sip:2@b',
      transport: 'udp',
      srtp: false,
    },
    attempts: [{ agent: 'carrier', code: 200, reason: 'OK', start: at, end: at }],
    numbers: { calledIn: '2', callerIn: '1' },
    timestamps: { invite: at, end: at },
    durations: { bill: 0 },
    release: { side: 'caller', sipCode: 200, internalCode: 'normal', text: 'BYE' },
    dtmf: {
      ingressMethod: 'kpml',
      egressMethod: 'rfc2833',
      decision: 'K5',
      digitsIn: 4,
      digitsOut: 4,
      dropped: 0,
    },
  };
}

async function idsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).cdrId);
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
  await expect.poll(() => idsIn(file).catch(() => [])).toEqual(['1']);
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
  await expect.poll(() => failures).toMatchObject([{ error: { code: 'EEXIST' }, lostRecords: 0 }]);
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
