/** docs/configuration.md: every key of the configuration as tables, made from the schema. */
import { buildJsonSchema, type SchemaNode } from './json-schema.ts';

/** Depth of nesting that stands in the table of its section, as `media.port-min`; deeper mappings get a section. */
const INLINE_DEPTH = 2;

const HEAD = `# Configuration reference

Every key with its type, default and meaning. This file is made from the schema by \`npm run docs\`; the same schema is
\`config/sbc.schema.json\`, which completes keys in an editor. Worked examples: \`config/sbc.yaml\` (the default),
\`config/sbc.example.yaml\` (every key).

- One YAML file. Every scalar is read as text: \`+49\` and \`0049\` stay what they are. Quote digit strings all the same, since
  other programs read the file too.
- An unknown or doubled key is an error, with line, column and the nearest valid key.
- Durations are a number with its unit: \`100ms\`, \`30s\`, \`5m\`, \`1h\`, \`1d\`, or \`0\`. Keys that end in \`-ms\` are bare milliseconds.
- Secrets (marked so below) may hold \`\${VARIABLE}\` or be \`file:PATH\`, relative to the configuration file. Other values
  may not: a file means the same on every machine.
- The file is the one named by \`--config\`, else by \`SBC_CONFIG_FILE\`, else the text in \`SBC_CONFIG_BODY\`, else \`config/sbc.yaml\`.
- A parameter of a leg is the session agent's if it is set there (not \`inherit\`, \`none\` or 0), else the interface's.
  \`tonebridge explain\` shows which one it was.
`;

/** The whole file; ends with a line feed. */
export function formatReference(schema: SchemaNode = buildJsonSchema()): string {
  const sections = Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, node]) => sectionsOf(key, node));
  return [HEAD, ...sections].join('\n');
}

interface Row {
  readonly key: string;
  readonly node: SchemaNode;
  readonly isRequired: boolean;
}

/** The section of one mapping, and behind it those of the mappings inside that do not fit into its table. */
function sectionsOf(path: string, node: SchemaNode): string[] {
  const forms = mappingsOf(node);
  if (forms.length === 0) return [sectionOf(path, node, [])];
  return forms.flatMap((form) => {
    const place = form.name === undefined ? path : `${path}${form.name}`;
    const { rows, deeper } = rowsOf(form.node, '', INLINE_DEPTH);
    return [
      sectionOf(place, node, rows),
      ...deeper.flatMap(([key, inner]) => sectionsOf(`${path}${form.suffix}.${key}`, inner)),
    ];
  });
}

interface Mapping {
  /** Tells alternatives apart, such as ` (kind: http)`. */
  readonly name: string | undefined;
  /** Of the path of what is inside. */
  readonly suffix: string;
  readonly node: SchemaNode;
}

/** The mappings that may stand at `node`: itself, the entries of a list, each alternative. */
function mappingsOf(node: SchemaNode, suffix = ''): Mapping[] {
  if (node.properties !== undefined) return [{ name: alternativeOf(node), suffix, node }];
  if (node.items !== undefined) return mappingsOf(node.items, `${suffix}[]`);
  if (typeof node.additionalProperties === 'object') {
    return mappingsOf(node.additionalProperties, `${suffix}.NAME`);
  }
  return [...(node.oneOf ?? []), ...(node.anyOf ?? [])].flatMap((form) => mappingsOf(form, suffix));
}

/** The value that makes an alternative the one it is. */
function alternativeOf(node: SchemaNode): string | undefined {
  const fixed = Object.entries(node.properties ?? {}).find(
    ([, child]) => constOf(child) !== undefined,
  );
  return fixed === undefined ? undefined : ` (${fixed[0]}: ${textOf(constOf(fixed[1]))})`;
}

function rowsOf(
  node: SchemaNode,
  prefix: string,
  depth: number,
): { readonly rows: Row[]; readonly deeper: [string, SchemaNode][] } {
  const rows: Row[] = [];
  const deeper: [string, SchemaNode][] = [];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const key = `${prefix}${name}`;
    const isRequired = node.required?.includes(name) === true;
    const isPlain = child.properties !== undefined && depth > 1;
    if (isPlain && Object.keys(child.properties ?? {}).length <= 6) {
      const inner = rowsOf(child, `${key}.`, depth - 1);
      rows.push(...inner.rows);
      deeper.push(...inner.deeper);
      continue;
    }
    rows.push({ key, node: child, isRequired });
    if (mappingsOf(child).length > 0) deeper.push([key, child]);
  }
  return { rows, deeper };
}

function sectionOf(path: string, node: SchemaNode, rows: readonly Row[]): string {
  const lines = [`## ${path}`, '', node.description ?? '', ''];
  if (rows.length === 0) {
    lines.push(`Type: ${typeOf(node)}. Default: ${defaultOf(node)}.`, '');
  } else {
    lines.push('| key | type | default | meaning |', '| --- | --- | --- | --- |');
    for (const { key, node: child, isRequired } of rows) {
      const fallback = isRequired ? requiredAt(key) : defaultOf(child);
      const secret = child.writeOnly === true ? ' (secret)' : '';
      const cells = [`\`${key}\``, typeOf(child), fallback, `${child.description ?? ''}${secret}`];
      lines.push(`| ${cells.map(cell).join(' | ')} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

/** A key of a mapping that may be left out is required where the mapping stands. */
function requiredAt(key: string): string {
  const dot = key.lastIndexOf('.');
  return dot < 0 ? 'required' : `required in \`${key.slice(0, dot)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();
}

function typeOf(node: SchemaNode): string {
  const fixed = constOf(node);
  if (fixed !== undefined) return `\`${textOf(fixed)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  const forms = [...(node.oneOf ?? []), ...(node.anyOf ?? [])];
  if (forms.length > 0) return [...new Set(forms.map(typeOf))].join(' or ');
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.properties !== undefined) return 'mapping';
  if (typeof node.additionalProperties === 'object') {
    return `mapping of names to ${typeOf(node.additionalProperties)}`;
  }
  return scalarOf(node);
}

function scalarOf(node: SchemaNode): string {
  if (node.pattern?.includes('(ms|s|m|h|d)') === true) return 'duration';
  if (node.type === 'boolean') return '`true`, `false`';
  if (node.type !== 'integer') return node.type === undefined ? 'any' : 'text';
  const { minimum, maximum } = node;
  return minimum === undefined || maximum === undefined ? 'number' : `${minimum} to ${maximum}`;
}

function defaultOf(node: SchemaNode): string {
  const value = node.default;
  if (value === undefined) return '–';
  if (value === '') return 'empty';
  return `\`${textOf(value)}\``;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function constOf(node: SchemaNode): unknown {
  return 'const' in node ? node.const : undefined;
}
