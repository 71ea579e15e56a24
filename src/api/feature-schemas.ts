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

const actor = z.string().meta({
  description:
    'User of the phone, login of the portal, operating-system user of the command line; for the API `token`, or `loopback` where none was sent.',
});

const lastChange = z.strictObject({ at: time, source, actor });

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
  new: value.meta({ description: 'Of a refusal: what was asked.' }).exactOptional(),
  source,
  actor,
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

/** `["forwardTo/2828"]` or `{"forwardTo":"2828"}`. */
const miValues = z.union([
  z.strictObject({
    forwardTo: z.string().nullable().exactOptional(),
    ringCount: z.union([z.string(), z.number()]).nullable().exactOptional(),
  }),
  z.array(z.string()),
]);

/** Bodies of requests. */
export const writeSchema = z.strictObject({
  status: z.union([z.boolean(), z.literal([0, 1])]),
  forwardTo: z.string().nullable().meta({ description: 'null clears it.' }).exactOptional(),
  ringCount: z.number().nullable().exactOptional(),
  param: z.string().nullable().meta({ description: 'For the provider.' }).exactOptional(),
  values: miValues
    .meta({ description: 'The values as in MI, in place of the two above.' })
    .exactOptional(),
});

export const flagsSchema = z.strictObject({
  assigned: z.boolean().exactOptional(),
  locked: z.boolean().exactOptional(),
});

const miId = z.union([z.string(), z.number(), z.null()]);
const inOrder = z.array(z.unknown()).meta({ description: 'The same in this order.' });
const miFrame = { jsonrpc: z.literal('2.0') };
const miRequestFrame = {
  ...miFrame,
  id: miId.meta({ description: 'Without it nothing is answered.' }).exactOptional(),
};

const miSet = z.strictObject({
  ...miRequestFrame,
  method: z.enum(['presence_dfks:set_feature', 'dfks_set_feature']),
  params: z.union([
    z.strictObject({
      presentity: z.string(),
      feature,
      status: z.union([z.boolean(), z.literal([0, 1, '0', '1'])]),
      route_param: z.string().nullable().exactOptional(),
      values: miValues.exactOptional(),
    }),
    inOrder,
  ]),
});

const miRefresh = z.strictObject({
  ...miRequestFrame,
  method: z.enum(['presence:refresh_watchers', 'refresh_watchers']),
  params: z.union([
    z.strictObject({
      presentity: z.string(),
      event: z.literal('as-feature-event'),
      refresh_type: z.literal([1, '1']),
    }),
    inOrder,
  ]),
});

const miRequest = z.union([miSet, miRefresh]);

/** JSON-RPC 2.0, alone or as a batch. */
export const miRequestSchema = z.union([miRequest, z.array(miRequest)]);

const miAnswer = z.union([
  z.strictObject({ ...miFrame, result: z.literal('OK'), id: miId }),
  z.strictObject({
    ...miFrame,
    error: z.strictObject({ code: z.number(), message: z.string() }),
    id: miId,
  }),
]);

export const miAnswerSchema = z.union([miAnswer, z.array(miAnswer)]);
