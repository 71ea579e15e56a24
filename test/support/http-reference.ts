/** docs/http-api.md: every route of the OpenAPI document, with what it takes and what it answers. */
import { z } from 'zod';

const parameterSchema = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
  description: z.string().optional(),
  schema: z
    .object({
      type: z.union([z.string(), z.array(z.string())]).optional(),
      enum: z.array(z.unknown()).optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      default: z.unknown().optional(),
    })
    .optional(),
});

const operationSchema = z.object({
  summary: z.string().optional(),
  parameters: z.array(parameterSchema).optional(),
  responses: z.record(z.string(), z.object({ description: z.string().optional() })).optional(),
});

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

type Operation = z.infer<typeof operationSchema>;
type Parameter = z.infer<typeof parameterSchema>;

/** `head` is what stands before the routes. */
export function formatHttpReference(document: unknown, head: string): string {
  const routes = Object.entries(documentSchema.parse(document).paths).flatMap(
    ([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        title: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      })),
  );
  const sorted = routes.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  const table = sorted.map(
    ({ title, operation }) => `| \`${title}\` | ${operation.summary ?? ''} |`,
  );
  const sections = sorted.map(({ title, operation }) => sectionOf(title, operation));
  return [head, '| route | what it does |', '| --- | --- |', ...table, '', ...sections].join('\n');
}

function sectionOf(title: string, { summary, parameters = [], responses = {} }: Operation): string {
  const lines = [`## ${title}`, '', sentence(summary ?? ''), ''];
  if (parameters.length > 0) {
    lines.push('| parameter | in | values | meaning |', '| --- | --- | --- | --- |');
    lines.push(...parameters.map(parameterRow), '');
  }
  lines.push('| status | meaning |', '| --- | --- |');
  for (const [status, { description }] of Object.entries(responses)) {
    lines.push(`| ${status} | ${cell(description ?? '')} |`);
  }
  return [...lines, ''].join('\n');
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): string {
  const bounds =
    schema?.minimum === undefined ? '' : ` ${schema.minimum} to ${schema.maximum ?? 'any'}`;
  const values = schema?.enum?.map((value) => `\`${String(value)}\``).join(', ');
  const type = [schema?.type ?? ''].flat().join(' or ');
  const fallback =
    schema?.default === undefined ? '' : `, default \`${JSON.stringify(schema.default)}\``;
  const must = required === true ? ', required' : '';
  return `| \`${name}\` | ${place} | ${values ?? type + bounds}${fallback}${must} | ${cell(description ?? '')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
