/** Schema of the plan of a new configuration, for the document and for clients. */
import { z } from 'zod';
import { ELEMENT_SECTIONS } from '../config/plan-elements.ts';
import type { ConfigPlanView } from './config-plan.ts';
import { findingSchema, problemSchema } from './schemas.ts';

const count = z.number();

const keyChange = z.strictObject({
  key: z.string(),
  from: z.string().exactOptional(),
  to: z.string().exactOptional(),
});

const parameterValue = z.strictObject({ value: z.string(), origin: z.string() });

const plan = z.strictObject({
  isChanged: z.boolean(),
  elements: z.array(
    z.strictObject({
      section: z.enum(ELEMENT_SECTIONS),
      name: z.string(),
      type: z.enum(['added', 'removed', 'changed']),
      keys: z.array(keyChange),
    }),
  ),
  settings: z.array(keyChange),
  reordered: z.array(z.string()),
  routes: z.strictObject({
    removed: z.array(z.string()),
    added: z.array(z.string()),
    changes: z.array(
      z.strictObject({
        source: z.string(),
        to: z.string(),
        from: z.string(),
        method: z.string(),
        before: z.string(),
        after: z.string(),
      }),
    ),
    isPartial: z.boolean(),
  }),
  parameters: z.array(
    z.strictObject({
      leg: z.string(),
      parameter: z.string(),
      from: parameterValue,
      to: parameterValue,
    }),
  ),
  findings: z.strictObject({ added: z.array(findingSchema), gone: z.array(findingSchema) }),
});

export const configPlanSchema: z.ZodType<ConfigPlanView> = z.strictObject({
  verdict: z.enum(['unchanged', 'live', 'restart', 'refused']),
  problems: z.array(problemSchema),
  current: z.strictObject({ hash: z.string(), file: z.string().exactOptional() }),
  hash: z.string().exactOptional(),
  plan: plan.exactOptional(),
  calls: z
    .strictObject({
      active: count,
      affected: z.array(
        z.strictObject({
          section: z.enum(['sip-interfaces', 'session-agents']),
          name: z.string(),
          type: z.enum(['removed', 'changed']),
          calls: count,
        }),
      ),
    })
    .exactOptional(),
});
