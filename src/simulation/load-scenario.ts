/** Text of a scenario file -> Scenario, or everything that is wrong with it. */
import * as z from 'zod';
import type { SchemaNode } from '../config/json-schema.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { schemaFindings } from '../config/schema-findings.ts';
import { YamlSource } from '../config/yaml-source.ts';
import type { Scenario } from './scenario.ts';
import { scenarioSchema } from './scenario-schema.ts';
import type { ReadFile } from './scenario-values.ts';

export type LoadedScenario =
  | { readonly type: 'scenario'; readonly scenario: Scenario }
  | { readonly type: 'invalid'; readonly problems: readonly ConfigProblem[] };

/** @param readFile reads what `file:NAME` names in the text; throws where it cannot. */
export function loadScenario(text: string, readFile: ReadFile): LoadedScenario {
  const yaml = new YamlSource(text);
  if (!yaml.isReadable) return { type: 'invalid', problems: yaml.problems };
  const schema = scenarioSchema(readFile);
  const parsed = schema.safeParse(yaml.value, { reportInput: true });
  const findings = parsed.success ? [] : schemaFindings(parsed.error.issues, nodeOf(schema));
  const problems = [...yaml.problems, ...findings.map((finding) => yaml.locate(finding))];
  if (parsed.success && problems.length === 0) return { type: 'scenario', scenario: parsed.data };
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { type: 'invalid', problems: sorted };
}

/** The JSON Schema of scenario files, for editors. */
export function scenarioJsonSchema(): SchemaNode {
  const node = nodeOf(scenarioSchema(() => ''));
  return { title: 'Tonebridge call scenario', ...node };
}

function nodeOf(schema: z.ZodType): SchemaNode {
  // Through text: zod's type also allows boolean schemas everywhere, which this schema never produces.
  return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })));
}
