/** The answers about feature keys as schemas, for the OpenAPI document and for the command line. */
import { z } from 'zod';
import { FEATURES } from '../wire/feature-event.ts';
import type { FeatureSubscriptionView } from './feature-backend.ts';

const count = z.number();
const time = z.string().meta({ format: 'date-time' });
const feature = z.enum(FEATURES);
const source = z.enum(['phone', 'api', 'cli', 'portal', 'provider', 'call']);

const value = z.strictObject({
  status: z.boolean(),
  forwardTo: z.string().exactOptional(),
  ringCount: z.number().exactOptional(),
});

/** What a request about feature keys gets when it fails. */
export const featureErrorSchema = z.object({
  error: z.strictObject({ code: z.string(), message: z.string() }),
});

export const refusedSchema = featureErrorSchema.extend({
  outcome: z.literal('refused').exactOptional(),
  reason: z.string().exactOptional(),
  state: value.exactOptional(),
  version: count.exactOptional(),
});

export const conflictSchema = featureErrorSchema.extend({ version: count.exactOptional() });

export const outcomeSchema = z.strictObject({
  outcome: z.enum(['applied', 'unchanged']),
  old: value,
  new: value,
  version: count,
  subscribers: count,
  notified: count.meta({ description: 'Phones for which a NOTIFY was made due.' }),
  delivered: count.meta({ description: 'Phones that answered it, with wait.' }).exactOptional(),
  assigned: z.boolean().exactOptional(),
  locked: z.boolean().exactOptional(),
});

const lastChange = z.strictObject({ at: time, source, actor: z.string() });

const state = z.strictObject({
  ...value.shape,
  assigned: z.boolean(),
  locked: z.boolean(),
  version: count.meta({ description: 'Grows with every change; for If-Match.' }),
  updatedAt: time.exactOptional(),
  lastChange: lastChange.exactOptional(),
});

export const featureSchema = z.strictObject({ account: z.string(), feature, ...state.shape });

export const accountSchema = z.strictObject({
  account: z.string(),
  features: z.strictObject({
    DoNotDisturb: state,
    CallForwardingAlways: state,
    CallForwardingBusy: state,
    CallForwardingNoAnswer: state,
  }),
  subscribers: count,
});

export const refreshedSchema = z.strictObject({
  subscribers: count,
  notified: count,
  delivered: count.exactOptional(),
});

export const historyRowSchema = z.strictObject({
  id: count,
  at: time,
  presentity: z.string(),
  feature,
  outcome: z.enum(['applied', 'refused', 'failed']),
  reason: z.string().exactOptional(),
  old: value.exactOptional(),
  new: value.exactOptional(),
  source,
  actor: z.string(),
  origin: z.record(z.string(), z.union([z.string(), z.number()])),
  param: z.string().nullable(),
  version: count.exactOptional(),
  dialogs: count,
});

export const featureSubscriptionSchema: z.ZodType<FeatureSubscriptionView> = z.strictObject({
  event: z.literal('as-feature-event'),
  account: z.string(),
  id: z.string(),
  callId: z.string(),
  userAgent: z.string(),
  remote: z.string(),
  transport: z.string(),
  expiresInSeconds: z.number(),
  lastNotify: z.strictObject({ at: time, status: z.number().exactOptional() }).exactOptional(),
  due: z.array(z.string()),
});

/** Bodies of requests. */
export const writeSchema = z.strictObject({
  status: z.union([z.boolean(), z.literal([0, 1])]),
  forwardTo: z.string().nullable().meta({ description: 'null clears it.' }).exactOptional(),
  ringCount: z.number().nullable().exactOptional(),
  param: z.string().nullable().meta({ description: 'For the provider.' }).exactOptional(),
  values: z
    .union([
      z.strictObject({
        forwardTo: z.string().nullable().exactOptional(),
        ringCount: z.union([z.string(), z.number()]).nullable().exactOptional(),
      }),
      z.array(z.string()),
    ])
    .meta({ description: 'The values as in MI, in place of the two above.' })
    .exactOptional(),
});

export const flagsSchema = z.strictObject({
  assigned: z.boolean().exactOptional(),
  locked: z.boolean().exactOptional(),
});
