import { buildJsonSchema, type SchemaNode } from './json-schema.ts';

let known: SchemaNode | undefined;

/** The JSON Schema of the file, built once: it takes milliseconds and never changes. */
export function knownSchema(): SchemaNode {
  return (known ??= buildJsonSchema());
}
