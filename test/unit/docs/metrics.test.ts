import { expect, test } from 'vitest';
import { Metrics } from '../../../src/observe/metrics.ts';
import { allPages } from '../../support/markdown.ts';

const ROW = /^\| `(\w+)(?:\{([\w,]+)\})?` \| (\w+) \| (.+?) \| (.+) \|$/gm;

test('docs/metrics.md has every metric with its labels, its type and its meaning, and what moves it', () => {
  const { text = '' } = allPages().find(({ path }) => path === 'docs/metrics.md') ?? {};
  const rows = Array.from(text.matchAll(ROW), ([, name = '', labels, type, help]) => ({
    name,
    type,
    help,
    labels: labels === undefined ? [] : labels.split(','),
  }));
  const documented = rows.toSorted((one, other) => one.name.localeCompare(other.name));
  expect(documented).toEqual(new Metrics().catalog());
});
