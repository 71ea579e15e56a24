/** Writes config/sbc.schema.json, which editors use for completion and for the meaning of each key. */
import { writeFileSync } from 'node:fs';
import { formatSchemaFile } from './json-schema.ts';

const target = new URL('../../config/sbc.schema.json', import.meta.url);
writeFileSync(target, formatSchemaFile());
process.stdout.write(`wrote ${target.pathname}\n`);
