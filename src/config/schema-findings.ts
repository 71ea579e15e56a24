/** Turns what zod reports into findings an operator can act on. */
import type * as z from 'zod';
import { allKeys, keysAt, type SchemaNode } from './json-schema.ts';
import type { Finding, Path } from './problem.ts';
import { nearest } from './suggestion.ts';

type Issue = z.core.$ZodIssue;

/** Names that other programs or older releases use for our keys. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'kpml-2833-interworking': 'kpml-interworking',
  'realm-config': 'realms',
  'realm-id': 'realm',
  'ip-address': 'address',
  hostname: 'address',
  'steering-pool': 'media',
  'local-policy': 'local-policies',
  'session-group': 'session-groups',
};

const KIND_NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a single value',
};

/** Findings for all `issues` that the schema raised against the file's content. */
export function schemaFindings(issues: readonly Issue[], schema: SchemaNode): Finding[] {
  return issues.flatMap((issue) => findingsOf(issue, schema));
}

function findingsOf(issue: Issue, schema: SchemaNode): Finding[] {
  const path = stepsOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(key, path, schema));
  }
  if (issue.code === 'invalid_type') return [wrongType(issue, path)];
  if (issue.code === 'invalid_union') {
    const message =
      path.at(-1) === 'apply-to-calls'
        ? 'must be true, false or a list of domains and accounts'
        : 'must be one of sqlite, http, module, postgres';
    return [{ path, at: 'value', message }];
  }
  if (issue.code === 'too_small') {
    return [{ path, at: 'key', message: 'needs at least one entry' }];
  }
  const suggestion: unknown = issue.code === 'custom' ? issue.params?.['suggestion'] : undefined;
  return [
    {
      path,
      at: 'value',
      message: issue.message,
      suggestion: typeof suggestion === 'string' ? suggestion : undefined,
    },
  ];
}

function stepsOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

function wrongType(issue: z.core.$ZodIssueInvalidType, path: Path): Finding {
  const { input } = issue;
  const expected = KIND_NAMES[issue.expected] ?? issue.expected;
  if (input === undefined) {
    return { path, at: 'key', message: `"${String(path.at(-1))}" is required here` };
  }
  const actual = typeof input === 'string' ? 'a single value' : nameOf(input);
  return { path, at: 'value', message: `expected ${expected}, found ${actual}` };
}

function nameOf(input: unknown): string {
  return Array.isArray(input) ? 'a list' : 'a mapping';
}

function unknownKey(key: string, path: Path, schema: SchemaNode): Finding {
  return {
    path: [...path, key],
    at: 'key',
    message: `unknown key "${key}"`,
    suggestion: suggestKey(key, path, schema),
  };
}

/** The nearest key valid here, else the place where the key would be valid. */
function suggestKey(key: string, path: Path, schema: SchemaNode): string | undefined {
  const here = keysAt(schema, path);
  const renamed = OTHER_NAMES[key];
  if (renamed !== undefined && here.includes(renamed)) return `here it is called "${renamed}"`;
  const near = nearest(key, here);
  if (near !== undefined) return `did you mean "${near}"?`;
  const elsewhere = allKeys(schema);
  const wanted = nearest(
    key,
    elsewhere.map((known) => known.key),
  );
  if (wanted === undefined) return undefined;
  const places = elsewhere.filter((known) => known.key === wanted).map((known) => known.place);
  const shown = places.slice(0, 3).map((place) => (place === '' ? 'the top level' : place));
  return `"${wanted}" belongs to ${shown.join(' or ')}`;
}
