/**
 * Puts secrets in place before the schema runs: `${VARIABLE}` anywhere in a secret field, or the whole field as
 * `file:PATH`. Fields that are no secrets are left alone: a file reads the same on every machine.
 */
import { childNodes, type SchemaNode } from './json-schema.ts';
import type { Finding, Path } from './problem.ts';
import { emptyMap, isList, type RawMap, type RawValue } from './yaml-source.ts';

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content of the file a secret names; throws when it cannot be read. */
  readonly readSecretFile?: ((path: string) => string) | undefined;
}

/** A copy of `root` with secrets filled in, and what could not be filled in. */
export function resolveSecrets(
  root: RawMap,
  schema: SchemaNode,
  source: SecretSource,
): { value: RawValue; findings: Finding[] } {
  const findings: Finding[] = [];
  const resolve = (value: RawValue, path: Path, nodes: readonly SchemaNode[]): RawValue => {
    if (typeof value === 'string') {
      const isSecret = nodes.some((node) => node.writeOnly === true);
      const result = isSecret ? fillIn(value, source) : leaveAlone(value);
      if (result.message !== undefined) {
        findings.push({ path, at: 'value', message: result.message });
      }
      return result.text;
    }
    const child = (step: string | number, item: RawValue): RawValue =>
      resolve(
        item,
        [...path, step],
        nodes.flatMap((node) => childNodes(node, step)),
      );
    if (isList(value)) return value.map((item, index) => child(index, item));
    const map = emptyMap();
    for (const [key, item] of Object.entries(value)) map[key] = child(key, item);
    return map;
  };
  return { value: resolve(root, [], [schema]), findings };
}

interface Filled {
  readonly text: string;
  readonly message?: string;
}

function leaveAlone(text: string): Filled {
  const [variable] = text.match(VARIABLE) ?? [];
  if (variable === undefined) return { text };
  return { text, message: `${variable} is filled in for secrets only, and this field is none` };
}

function fillIn(text: string, source: SecretSource): Filled {
  if (text.startsWith('file:')) return readFile(text.slice('file:'.length), source);
  const missing: string[] = [];
  const filled = text.replaceAll(VARIABLE, (_, name: string) => {
    const value = source.env[name];
    // An empty secret would silently switch protection off, so it counts as missing.
    if (value === undefined || value === '') missing.push(name);
    return value ?? '';
  });
  const [name] = missing;
  if (name === undefined) return { text: filled };
  return { text: 'unresolved', message: `environment variable ${name} is not set or empty` };
}

function readFile(path: string, source: SecretSource): Filled {
  if (source.readSecretFile === undefined) {
    return { text: 'unresolved', message: 'file: secrets can be read only from a file on disk' };
  }
  try {
    const text = source.readSecretFile(path).replace(/\r?\n$/, '');
    if (text !== '') return { text };
    return { text: 'unresolved', message: `secret file ${path} is empty` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { text: 'unresolved', message: `secret file cannot be read: ${reason}` };
  }
}
