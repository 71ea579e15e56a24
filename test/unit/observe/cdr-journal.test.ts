/** Calls whose process was killed: the next one writes their records, once, whatever was left on the disk. */
import {
  appendFile,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  formatAlive,
  formatDone,
  formatHeader,
  formatOpen,
  readJournal,
} from '../../../src/observe/cdr-journal-lines.ts';
import { killedRecord } from '../../../src/observe/cdr-killed.ts';
import {
  type CdrFailure,
  type CdrRecovery,
  CdrWriter,
  type CdrWriterOptions,
} from '../../../src/observe/cdr-writer.ts';
import {
  AT_MS,
  attempt,
  FaultyDisk,
  idsIn,
  later,
  record,
  recordsIn,
  SOON,
} from './cdr-fixtures.ts';

let folder = '';
let file = '';
let failures: CdrFailure[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdr-journal-'));
  file = join(folder, 'cdr.jsonl');
  failures = [];
});

afterEach(async () => {
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  await rm(folder, { recursive: true });
});

function writer(options: Partial<CdrWriterOptions> = {}): CdrWriter {
  return new CdrWriter({
    file,
    hasJournal: true,
    pauseMs: 1,
    onFailure: (failure) => failures.push(failure),
    ...options,
  });
}

/** What stays of `cdr` when its process is killed now: the files as they are, under the name of the next process. */
async function kill(cdr: CdrWriter): Promise<void> {
  const left = await mkdtemp(join(tmpdir(), 'cdr-killed-'));
  // The journal may be at the point of getting its new file.
  const copy = async (): Promise<boolean> => {
    await cp(folder, left, { recursive: true });
    return true;
  };
  await expect.poll(() => copy().catch(() => false), SOON).toBe(true);
  await cdr.close();
  await rm(folder, { recursive: true });
  await rename(left, folder);
}

/** A start of the next process, which then ends in peace. */
async function restart(options: Partial<CdrWriterOptions> = {}): Promise<CdrRecovery> {
  const cdr = writer(options);
  const recovery = await cdr.start();
  await cdr.close();
  return recovery;
}

async function journalText(): Promise<string> {
  return readFile(`${file}.journal`, 'utf8').catch(() => '');
}

async function journalled(text: string): Promise<void> {
  await expect.poll(journalText, SOON).toContain(text);
}

test('each open call gets one record from the next start, and none from the one after that', async () => {
  const cdr = writer();
  await cdr.start();
  for (const id of ['1', '2', '3']) cdr.opened(id, () => attempt(id));
  cdr.write(record('2'));
  await journalled('"done":["2"]');
  await kill(cdr);

  expect(await restart()).toEqual({ closedCalls: 2, badLines: 0, tail: 'whole' });
  expect(await idsIn(file)).toEqual(['2', '1', '3']);
  expect(await restart()).toEqual({ closedCalls: 0, badLines: 0, tail: 'whole' });
  expect(await idsIn(file)).toEqual(['2', '1', '3']);
  expect(await readdir(folder)).toEqual(['cdr.jsonl']);
});

test('the last state that the journal heard of is the one in the record', async () => {
  const cdr = writer();
  await cdr.start();
  let isAnswered = false;
  const describe = (): ReturnType<typeof attempt> => {
    const whole = attempt('1');
    return isAnswered ? whole : { ...whole, attempts: [], timestamps: { invite: later(0) } };
  };
  cdr.opened('1', describe);
  await journalled('call-1');
  isAnswered = true;
  cdr.answered('1', describe);
  await journalled('"answer"');
  await kill(cdr);
  await restart();
  expect(await recordsIn(file)).toMatchObject([
    { attempts: [{ code: 200 }], timestamps: { answer: later(3) }, release: { sipCode: 200 } },
  ]);
});

test('a call whose record had reached the file, but not the journal, gets no second one', async () => {
  const cdr = writer();
  await cdr.start();
  for (const id of ['1', '2', '3']) cdr.opened(id, () => attempt(id));
  await journalled('call-3');
  await kill(cdr);
  // One in the file that logrotate took away, one in the file itself.
  await writeFile(`${file}.1`, `${JSON.stringify(record('1'))}\n`);
  await writeFile(file, `${JSON.stringify(record('2'))}\n`);
  expect(await restart()).toMatchObject({ closedCalls: 1 });
  expect(await idsIn(file)).toEqual(['2', '3']);
});

test('a start event is no record', async () => {
  const cdr = writer({ hasStartEvents: true });
  await cdr.start();
  cdr.opened('1', () => attempt('1'));
  cdr.answered('1', () => attempt('1'));
  await expect.poll(() => idsIn(file).catch(() => []), SOON).toEqual(['1']);
  await kill(cdr);
  expect(await restart()).toMatchObject({ closedCalls: 1 });
  const records = await recordsIn(file);
  expect(records).toMatchObject([
    { event: 'start', cdrId: '1' },
    { cdrId: '1', durations: {} },
  ]);
  expect(records[1]).not.toHaveProperty('event');
});

test('half a last line in both files is put right', async () => {
  const cdr = writer();
  await cdr.start();
  for (const id of ['1', '2']) cdr.opened(id, () => attempt(id));
  cdr.write(record('2'));
  await journalled('"done":["2"]');
  await kill(cdr);
  await appendFile(`${file}.journal`, formatOpen(AT_MS, attempt('9')).slice(0, 40));
  await appendFile(file, '{"version":1,"cdrId":"1","call');
  expect(await restart()).toEqual({ closedCalls: 1, badLines: 1, tail: 'cut' });
  expect(await idsIn(file)).toEqual(['2', '1']);
});

test('records that cannot be written at the start stay in the journal for the start after it', async () => {
  const cdr = writer();
  await cdr.start();
  cdr.opened('1', () => attempt('1'));
  await journalled('call-1');
  await kill(cdr);
  const disk = new FaultyDisk();
  disk.fault = { on: 'append', code: 'ENOSPC' };
  disk.faultyFiles = /jsonl$/;
  expect(await restart({ files: disk, nowMs: () => AT_MS + 99_000 })).toMatchObject({
    closedCalls: 1,
  });
  expect(failures.map(({ part }) => part)).toContain('records');
  failures = [];
  expect(await restart()).toMatchObject({ closedCalls: 1 });
  expect(await idsIn(file)).toEqual(['1']);
});

test.each([
  ['a later version', '{"journal":2,"at":1}\n{"at":2,"what":1}\n', 'unknownVersion', 'version 2'],
  ['something else', 'not a journal\n', 'unreadable', 'not a journal'],
])('a journal of %s is kept under another name, and calls go on', async (...row) => {
  const [, text, name, why] = row;
  await writeFile(`${file}.journal`, text);
  const cdr = writer({ nowMs: () => 5 });
  const recovery = await cdr.start();
  expect(recovery).toMatchObject({
    closedCalls: 0,
    keptAside: { as: `${file}.journal.${name}-5` },
  });
  expect(recovery.keptAside?.why).toContain(why);
  cdr.opened('1', () => attempt('1'));
  cdr.write(record('1'));
  await cdr.close();
  expect(await readFile(`${file}.journal.${name}-5`, 'utf8')).toBe(text);
  expect(await idsIn(file)).toEqual(['1']);
});

test('the journal of ten thousand short calls and one long one stays small', async () => {
  const cdr = writer({ journalGrowthBytes: 20_000, pauseMs: 0 });
  await cdr.start();
  cdr.opened('long', () => attempt('long'));
  for (let from = 0; from < 10_000; from += 100) {
    const ids = Array.from({ length: 100 }, (_, index) => `${from + index}`);
    for (const id of ids) cdr.opened(id, () => attempt(id));
    for (const id of ids) cdr.write(record(id));
    await expect.poll(() => cdr.waitingRecords, SOON).toBe(0);
    // Growth, what a hundred calls write at once, and again that much before the next look at the size, which comes by itself.
    await expect.poll(async () => (await journalText()).length, SOON).toBeLessThan(400_000);
  }
  await kill(cdr);
  await restart();
  expect((await idsIn(file)).filter((id) => id === 'long')).toHaveLength(1);
  expect(await idsIn(file)).toHaveLength(10_001);
});

test('a journal cut off anywhere tells of the calls whose lines are whole', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 9 }), isDone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(), (steps, anywhere) => {
      const lines = steps.map(({ id, isDone }) =>
        isDone ? formatDone(AT_MS, [String(id)]) : formatOpen(AT_MS, attempt(String(id))),
      );
      const header = formatHeader(AT_MS);
      const text = header + lines.join('');
      const cut = header.length + (anywhere % (text.length - header.length + 1));
      const open = new Set<string>();
      let end = header.length;
      for (const [index, line] of lines.entries()) {
        end += line.length;
        // A line is as good without its end.
        if (end - 1 > cut) break;
        const { id = 0, isDone = false } = steps[index] ?? {};
        if (isDone) open.delete(String(id));
        else open.add(String(id));
      }
      const content = readJournal(text.slice(0, cut));
      if (content.type !== 'journal') throw new Error(content.type);
      const found = content.unfinished.map((each) => each.attempt.cdrId);
      expect(found.toSorted()).toEqual([...open].toSorted());
      expect(content.badLines).toBeLessThanOrEqual(1);
    }),
  );
});

test('any text at all is read without harm', () => {
  const word = fc.constantFrom(
    '{"journal":1,"at":1}',
    '\n',
    '{"at":1,',
    '"open":{}}',
    '[]',
    'null',
    '\0',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const content = readJournal(input);
      expect(content.type === 'journal' ? content.unfinished : []).toEqual([]);
    }),
  );
  expect(readJournal('')).toEqual({ type: 'journal', unfinished: [], badLines: 0 });
});

test('a call ends when the process was last known to be alive', () => {
  const lines = [formatHeader(AT_MS), formatOpen(AT_MS, attempt('1')), formatAlive(AT_MS + 60_000)];
  const content = readJournal(lines.join(''));
  const [unfinished] = content.type === 'journal' ? content.unfinished : [];
  if (unfinished === undefined) throw new Error('no call');
  expect(killedRecord(unfinished, AT_MS + 90_000)).toEqual({
    ...attempt('1'),
    timestamps: { ...attempt('1').timestamps, end: later(60) },
    durations: { pdd: 1, ring: 1, bill: 57 },
    release: {
      side: 'sbc',
      sipCode: 200,
      q850: 41,
      internalCode: 'process-killed',
      text: 'process killed',
    },
    recovered: { at: later(90) },
  });
});

test.each([
  [
    'a call that was never answered',
    { invite: later(0), ringing: later(2) },
    5,
    { ring: 3, bill: 0 },
    500,
  ],
  [
    'a clock that was put back an hour',
    attempt('1').timestamps,
    -3600,
    { pdd: 1, ring: 1, bill: 0 },
    200,
  ],
])('%s', (...row) => {
  const [, timestamps, lastSeconds, durations, sipCode] = row;
  const unfinished = {
    attempt: { ...attempt('1'), timestamps },
    lastMs: AT_MS + 1000 * lastSeconds,
  };
  const { durations: made, release } = killedRecord(unfinished, AT_MS);
  expect(made).toEqual(durations);
  expect(release.sipCode).toBe(sipCode);
});
