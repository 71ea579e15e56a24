/** Writes config/scenarios/scenario.schema.json, for completion in editors. */
import { writeFileSync } from 'node:fs';
import { scenarioJsonSchema } from './load-scenario.ts';

writeFileSync(
  new URL('../../config/scenarios/scenario.schema.json', import.meta.url),
  `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`,
);
