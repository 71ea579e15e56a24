import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allKeys, buildJsonSchema } from '../../../src/config/json-schema.ts';
import { formatReference } from '../../../src/config/reference.ts';

const FILE = new URL('../../../docs/configuration.md', import.meta.url);

describe('formatReference', () => {
  const text = formatReference();

  test('docs/configuration.md is what the schema gives; `npm run docs` writes it', () => {
    expect(readFileSync(FILE, 'utf8')).toBe(text);
  });

  test('every key of the schema stands in a table', () => {
    const steps = [...text.matchAll(/^(?:\| `([^`]+)` \||## (\S+))/gm)].flatMap(
      ([, key, section]) => (key ?? section ?? '').split(/[.[\]]+/),
    );
    const named = new Set(steps);
    const keys = allKeys(buildJsonSchema()).filter(({ key }) => key !== '$schema');
    const missing = keys.filter(({ key }) => !named.has(key));
    expect(missing).toEqual([]);
  });

  test('a table shows type, bounds, default, and what is secret', () => {
    const schema = {
      properties: {
        part: {
          description: 'A part.',
          required: ['size'],
          properties: {
            size: { type: 'integer', minimum: 1, maximum: 9, description: 'How | large.' },
            mode: { enum: ['on', 'off'], default: 'on', description: 'Which.' },
            inner: {
              required: ['word'],
              properties: { word: { type: 'string', writeOnly: true } },
            },
          },
        },
      },
    };
    expect(formatReference(schema).split('## part')[1]?.trim().split('\n')).toEqual([
      'A part.',
      '',
      '| key | type | default | meaning |',
      '| --- | --- | --- | --- |',
      '| `size` | 1 to 9 | required | How \\| large. |',
      '| `mode` | `on`, `off` | `on` | Which. |',
      '| `inner.word` | text | required in `inner` | (secret) |',
    ]);
  });
});
