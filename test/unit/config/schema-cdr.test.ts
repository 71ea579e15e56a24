import { expect, test } from 'vitest';
import { cdr } from '../../../src/config/schema-cdr.ts';

test('nothing written means a journal, no sync, no rotation', () => {
  expect(cdr.parse({})).toEqual({
    file: 'data/cdr.jsonl',
    hasJournal: true,
    isSynced: false,
    hasStartEvents: false,
    rotation: { sizeBytes: 0, everyMs: 0, keep: 0 },
  });
});

test.each([
  ['0', 0],
  ['500kB', 500_000],
  ['8KB', 8000],
  ['100mb', 100_000_000],
  ['100MB', 100_000_000],
  ['2GB', 2_000_000_000],
])('a size of %s is %d bytes', (size, bytes) => {
  expect(cdr.parse({ rotate: { size } }).rotation.sizeBytes).toBe(bytes);
});

test.each(['', '100', '100 MB', '1.5GB', '-1MB', '00MB', '100B', '1000000MB'])(
  'a size of "%s" is refused',
  (size) => {
    expect(() => cdr.parse({ rotate: { size } })).toThrow('is no size');
  },
);

test('every switch can be turned', () => {
  const turned = cdr.parse({
    journal: 'disabled',
    fsync: 'batch',
    'start-events': 'enabled',
    rotate: { every: '24h', keep: '30' },
  });
  expect(turned).toMatchObject({
    hasJournal: false,
    isSynced: true,
    hasStartEvents: true,
    rotation: { everyMs: 86_400_000, keep: 30 },
  });
});
