/** Who may read call records, and what does not stand in them. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CdrWriter } from '../../../src/observe/cdr-writer.ts';
import type { OpenAttempt } from '../../../src/observe/cdr.ts';
import { attempt, record, recordsIn, SOON } from './cdr-fixtures.ts';

const SECRET = '5ecret';
const URI = `sip:1001:${SECRET}@host`;

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdr-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

/** A call in whose URIs peers have put passwords. */
function withPasswords(cdrId: string): OpenAttempt {
  const known = attempt(cdrId);
  const address = `"A" <${URI}>;tag=x`;
  return {
    ...known,
    ingress: { ...known.ingress, ruri: URI, from: address, to: address, pai: `<${URI}>, ${URI}` },
    attempts: known.attempts.map((each) => ({ ...each, nextHop: URI, reason: `see ${URI}` })),
    forwarding: { steps: [{ feature: 'x', from: URI, to: URI }], chain: [URI] },
  };
}

test('passwords in URIs stand neither in records nor in the journal', async () => {
  const file = join(folder, 'cdr.jsonl');
  const cdr = new CdrWriter({
    file,
    hasJournal: true,
    hasStartEvents: true,
    onFailure: () => undefined,
  });
  await cdr.start();
  for (const id of ['1', '2']) cdr.opened(id, () => withPasswords(id));
  cdr.answered('1', () => withPasswords('1'));
  cdr.write({ ...record('1'), ...withPasswords('1'), timestamps: record('1').timestamps });
  await cdr.close();
  await expect.poll(() => readFile(`${file}.journal`, 'utf8'), SOON).toContain('[redacted]');
  const journal = await readFile(`${file}.journal`, 'utf8');
  expect(`${journal}${await readFile(file, 'utf8')}`).not.toContain(SECRET);
  const [start, end] = await recordsIn(file);
  const masked = 'sip:1001:[redacted]@host';
  for (const each of [start, end]) {
    expect(each?.ingress).toMatchObject({ ruri: masked, from: `"A" <${masked}>;tag=x` });
    expect(each?.forwarding?.chain).toEqual([masked]);
  }
});

test('new files are for their owner and group alone, those that are there keep their mode', async () => {
  const [made, found] = [join(folder, 'a', 'cdr.jsonl'), join(folder, 'cdr.jsonl')];
  await writeFile(found, '');
  await chmod(found, 0o604);
  for (const file of [made, found]) {
    const cdr = new CdrWriter({ file, hasJournal: true, onFailure: () => undefined });
    await cdr.start();
    cdr.opened('1', () => attempt('1'));
    cdr.write(record('2'));
    await cdr.close();
  }
  expect((await modeOf(made)) & 0o007).toBe(0);
  expect((await modeOf(`${made}.journal`)) & 0o007).toBe(0);
  expect(await modeOf(found)).toBe(0o604);
});
