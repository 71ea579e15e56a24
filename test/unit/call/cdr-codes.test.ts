import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { allVerdicts } from '../../../src/call/end-cause.ts';
import { PROCESS_KILLED } from '../../../src/observe/cdr-killed.ts';

test('docs/cdr.md lists every internal code as it is', async () => {
  const text = await readFile(new URL('../../../docs/cdr.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split('| internalCode |');
  const listed = table.split('\n').filter((line) => line.startsWith('| `'));
  const rows = Object.entries(allVerdicts()).map(
    ([name, { status, q850, result, text: meaning }]) =>
      `| \`${name}\` | ${status} | ${q850} | ${result} | ${meaning} |`,
  );
  expect(listed).toEqual(rows.toSorted());
});

test('the record of a killed process says what its internal code stands for', () => {
  const { internalCode, ...killed } = PROCESS_KILLED;
  expect(allVerdicts()[internalCode]).toMatchObject(killed);
});
