/** The schema as JSON Schema: for editors, for the list of valid keys and to know which fields are secrets. */
import * as z from 'zod';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';

export interface SchemaNode {
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly writeOnly?: boolean;
  readonly required?: readonly string[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The JSON Schema (draft 2020-12) of the file as operators write it. */
export function buildJsonSchema(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { type, default: text, usual, ...rest } = jsonSchema;
      if (typeof text === 'string' && (type === 'integer' || type === 'boolean')) {
        jsonSchema.default = type === 'integer' ? Number(text) : text === 'true';
      }
      if (type === undefined && typeof text === 'string' && /^\d+$/.test(text)) {
        jsonSchema.default = Number(text);
      }
      // An empty section is no news; a leg parameter keeps its default outside of zod.
      if (isEmptyObject(text) && !Array.isArray(text)) delete jsonSchema.default;
      if ('usual' in jsonSchema) {
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
        Object.assign(jsonSchema, { default: usual, type, ...rest });
      }
    },
  });
  // Through text: zod's type also allows boolean schemas everywhere, which this schema never produces.
  const node: SchemaNode = JSON.parse(JSON.stringify(schema));
  return { title: 'Tonebridge configuration', ...node };
}

/** What the schema says about `path`: several nodes where alternatives exist, none for unknown keys. */
export function schemaAt(root: SchemaNode, path: Path): readonly SchemaNode[] {
  let nodes = [root];
  for (const step of path) nodes = nodes.flatMap((node) => childNodes(node, step));
  return nodes;
}

export function childNodes(node: SchemaNode, step: string | number): SchemaNode[] {
  const found: SchemaNode[] = [];
  if (typeof step === 'number') {
    if (node.items !== undefined) found.push(node.items);
  } else {
    const own = Object.hasOwn(node.properties ?? {}, step) ? node.properties?.[step] : undefined;
    if (own !== undefined) found.push(own);
    else if (typeof node.additionalProperties === 'object') found.push(node.additionalProperties);
  }
  for (const branch of branches(node)) found.push(...childNodes(branch, step));
  return found;
}

/** Keys that may stand in the mapping at `path`. */
export function keysAt(root: SchemaNode, path: Path): string[] {
  const collect = (node: SchemaNode): string[] => [
    ...Object.keys(node.properties ?? {}),
    ...branches(node).flatMap((branch) => collect(branch)),
  ];
  return [...new Set(schemaAt(root, path).flatMap((node) => collect(node)))];
}

/** Every key of the schema with the mapping it belongs to, written `session-agents[]`. */
export function allKeys(root: SchemaNode): { key: string; place: string }[] {
  const found = new Map<string, { key: string; place: string }>();
  const visit = (node: SchemaNode, place: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      found.set(`${place} ${key}`, { key, place });
      visit(child, place === '' ? key : `${place}.${key}`);
    }
    if (node.items !== undefined) visit(node.items, `${place}[]`);
    if (typeof node.additionalProperties === 'object')
      visit(node.additionalProperties, `${place}.*`);
    for (const branch of branches(node)) visit(branch, place);
  };
  visit(root, '');
  return [...found.values()];
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  return [...(node.oneOf ?? []), ...(node.anyOf ?? [])];
}

/** The text of config/sbc.schema.json. */
export function formatSchemaFile(): string {
  return `${JSON.stringify(buildJsonSchema(), undefined, 2)}\n`;
}
