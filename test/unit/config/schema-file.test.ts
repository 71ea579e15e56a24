import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../../src/config/load-file.ts';
import {
  allKeys,
  buildJsonSchema,
  formatSchemaFile,
  schemaAt,
} from '../../../src/config/json-schema.ts';
import { lintConfig } from '../../../src/config/lint.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import type { Path } from '../../../src/config/problem.ts';
import { isList, type RawValue, YamlSource } from '../../../src/config/yaml-source.ts';

const folder = new URL('../../../config/', import.meta.url);
const schema = buildJsonSchema();

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

function loadValid(name: string): Extract<LoadedConfig, { type: 'config' }> {
  const loaded = loadConfigFile(new URL(name, folder).pathname, {});
  if (loaded.type === 'config') return loaded;
  throw new Error(JSON.stringify(loaded.problems));
}

test('the checked-in schema is up to date (npm run schema)', () => {
  expect(read('sbc.schema.json')).toBe(formatSchemaFile());
});

test('every key has a description', () => {
  const silent = allKeys(schema).filter(({ key, place }) => {
    const path = `${place}.${key}`
      .split('.')
      .flatMap(stepsOf)
      .filter((step) => step !== '');
    return schemaAt(schema, path).every((node) => node.description === undefined);
  });
  // The alternatives of the provider are described where `kind` stands first.
  expect(silent.map(({ key, place }) => `${place}.${key}`)).toEqual(['feature-keys.provider']);
});

/** `session-agents[]` is a key and an index. */
function stepsOf(step: string): Path {
  return step.endsWith('[]') ? [step.slice(0, -2), 0] : [step];
}

test.each(['sbc.yaml', 'sbc.example.yaml'])('%s loads, and the linter has no objection', (name) => {
  const findings = lintConfig(loadValid(name)).filter(({ severity }) => severity !== 'info');
  expect(findings).toEqual([]);
});

test.each(['sbc.yaml', 'sbc.example.yaml'])('%s names its schema in the first line', (name) => {
  expect(read(name).split('\n')[0]).toBe('# yaml-language-server: $schema=./sbc.schema.json');
});

test('sbc.yaml stays on loopback', () => {
  const { config } = loadValid('sbc.yaml');
  const addresses = [
    ...config.realms.map(({ media }) => media.address),
    ...config.sipInterfaces.flatMap(({ sipPorts }) => sipPorts.map(({ address }) => address)),
    config.api.address,
  ];
  expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
});

describe('sbc.example.yaml', () => {
  const text = read('sbc.example.yaml');
  const lines = text.split('\n');
  const source = new YamlSource(text);
  const leaves = leavesOf(source.value, []);

  test('mentions every key of the schema', () => {
    const live = new Set(leaves.flatMap(({ path }) => prefixesOf(path)));
    const comments = lines.filter((line) => line.trim().startsWith('#'));
    const missing = allKeys(schema).filter(({ key, place }) => {
      const full = place === '' ? key : `${place}.${key}`;
      const isCommented = comments.some(
        (line) => line.includes(`${key}: `) || line.includes(`${key}:  `),
      );
      return !live.has(full) && !isCommented;
    });
    expect(missing).toEqual([]);
  });

  test('says (default) exactly where a value is the default', () => {
    const wrong = leaves.filter(({ path, value: written }) => {
      const usual = schemaAt(schema, path)
        .map((node) => node.default)
        .find((value) => value !== undefined);
      const line = lines[(source.lineOf(path) ?? 0) - 1] ?? '';
      const isDefault = usual !== undefined && asText(usual) === asText(written);
      return line.includes('(default)') !== isDefault;
    });
    expect(wrong.map(({ path }) => path.join('.'))).toEqual([]);
  });

  test('repeats the description of each key', () => {
    const comments = new Set(lines.map((line) => line.trim()));
    const silent = leaves.filter(({ path }) => {
      const [node] = schemaAt(schema, path);
      return node?.description !== undefined && !comments.has(`# ${node.description}`);
    });
    expect(silent.map(({ path }) => path.join('.'))).toEqual([]);
  });
});

interface Leaf {
  readonly path: Path;
  readonly value: RawValue;
}

/** Scalars and lists of scalars with their paths. */
function leavesOf(value: RawValue, path: Path): Leaf[] {
  if (typeof value === 'string') return [{ path, value }];
  if (isList(value)) {
    const isFlat = value.every((item) => typeof item === 'string');
    return isFlat
      ? [{ path, value }]
      : value.flatMap((item, index) => leavesOf(item, [...path, index]));
  }
  return Object.entries(value).flatMap(([key, item]) => leavesOf(item, [...path, key]));
}

/** The path and all its beginnings in the notation of `allKeys`. */
function prefixesOf(path: Path): string[] {
  const found: string[] = [];
  let text = '';
  for (const step of path) {
    text = typeof step === 'number' ? `${text}[]` : `${text}${text === '' ? '' : '.'}${step}`;
    found.push(text, text.replace(/\.(?:2001|carrier|carrier-two|pbx\.example)(?=\.|$)/, '.*'));
  }
  return found;
}

function asText(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}
