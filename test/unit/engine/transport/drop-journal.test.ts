import { expect, test } from 'vitest';
import { DropJournal } from '../../../../src/engine/transport/drop-journal.ts';

function dropMany(journal: DropJournal, count: number, address: string): void {
  for (let index = 0; index < count; index += 1) journal.add('source-rate', address);
}

test('nothing dropped, nothing to report', () => {
  expect(new DropJournal().takeReport(0)).toBeUndefined();
});

test('a source is named at once and then once in a minute, with all it lost in between', () => {
  const journal = new DropJournal();
  const seen: unknown[] = [];
  for (let second = 0; second < 130; second += 1) {
    dropMany(journal, 10, '192.0.2.7');
    const report = journal.takeReport(second * 1000);
    expect(report?.counts).toEqual({ 'source-rate': 10 });
    for (const source of report?.sources ?? []) seen.push([second, source.source, source.count]);
  }
  expect(seen).toEqual([
    [0, '192.0.2.7', 10],
    [60, '192.0.2.7', 600],
    [120, '192.0.2.7', 600],
  ]);
});

test('ten thousand sources give a bounded number of names and the whole count', () => {
  const journal = new DropJournal();
  for (let index = 0; index < 10_000; index += 1) {
    journal.add('strangers-rate', `10.0.${index >> 8}.${index & 255}`);
  }
  const report = journal.takeReport(0);
  expect(report?.counts).toEqual({ 'strangers-rate': 10_000 });
  expect(report?.sources).toHaveLength(64);
});

test('a source that is quiet for a minute makes room for another', () => {
  const journal = new DropJournal();
  for (let index = 0; index < 64; index += 1) journal.add('scanner', `10.0.0.${index}`);
  journal.takeReport(0);
  journal.takeReport(60_000);
  journal.add('scanner', '192.0.2.9');
  expect(journal.takeReport(61_000)?.sources).toEqual([
    { source: '192.0.2.9', reason: 'scanner', count: 1 },
  ]);
});
