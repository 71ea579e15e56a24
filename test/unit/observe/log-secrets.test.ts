import { expect, test } from 'vitest';
import { allKeys, buildJsonSchema, schemaAt } from '../../../src/config/json-schema.ts';
import { createLog } from '../../../src/observe/log.ts';

const SECRET = 'sown-4711';

/** Keys of the configuration file whose values are secrets, or lists of them. */
function secretKeys(): string[] {
  const schema = buildJsonSchema();
  const keys = allKeys(schema).filter(({ key, place }) => {
    const path = `${place}.${key}`
      .split('.')
      .flatMap((step) => (step.endsWith('[]') ? [step.slice(0, -2), 0] : [step]))
      .filter((step) => step !== '');
    const nodes = [...schemaAt(schema, path), ...schemaAt(schema, [...path, 0])];
    return nodes.some((node) => node.writeOnly === true);
  });
  return [...new Set(keys.map(({ key }) => key))];
}

test('the configuration has secrets', () => {
  expect(secretKeys().length).toBeGreaterThan(3);
});

test.each(secretKeys())('%s is masked wherever it is logged', (key) => {
  let text = '';
  const log = createLog('info', { write: (line) => (text += line) });
  const value = key === 'url' ? `postgres://sbc:${SECRET}@db/x` : SECRET;
  log.info({ config: { a: [{ [key]: value }, { [key]: [value] }] } }, 'x');
  expect(text).toContain('redacted');
  expect(text).not.toContain(SECRET);
});
