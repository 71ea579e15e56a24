import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allKeys, schemaAt } from '../../../src/config/json-schema.ts';
import { loadScenario, scenarioJsonSchema } from '../../../src/simulation/load-scenario.ts';
import { allPages, fencesOf } from '../../support/markdown.ts';

const FOLDER = new URL('../../../config/scenarios/', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

test('the checked-in schema is up to date (node src/simulation/write-scenario-schema.ts)', () => {
  expect(JSON.parse(read('scenario.schema.json'))).toEqual(scenarioJsonSchema());
});

test('every key has a description', () => {
  const schema = scenarioJsonSchema();
  const silent = allKeys(schema).filter(({ key, place }) => {
    const steps = `${place}.${key}`.split('.').filter((step) => step !== '');
    const path = steps.flatMap((step) => (step.endsWith('[]') ? [step.slice(0, -2), 0] : [step]));
    return schemaAt(schema, path).every((node) => node.description === undefined);
  });
  expect(silent).toEqual([]);
});

test('every example names its schema in the first line', () => {
  const examples = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
  const first = new Set(examples.map((name) => read(name).split('\n')[0]));
  expect([...first]).toEqual(['# yaml-language-server: $schema=./scenario.schema.json']);
});

test('the scenario in docs/simulation.md is one', () => {
  const page = allPages().find(({ path }) => path === 'docs/simulation.md');
  const [example] = (page === undefined ? [] : fencesOf(page)).filter(
    ({ language }) => language === 'yaml',
  );
  expect(loadScenario(example?.text ?? '', () => '')).toMatchObject({
    type: 'scenario',
    scenario: { events: [{ atMs: 4000 }, { atMs: 6000 }], expect: { rows: { caller: 'K1' } } },
  });
});
