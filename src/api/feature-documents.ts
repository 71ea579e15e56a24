/** The routes about feature keys as the OpenAPI document shows them. */
import { z } from 'zod';
import { FEATURES } from '../wire/feature-event.ts';
import * as schemas from './feature-schemas.ts';
import { jsonSchema, subscriptionSchema } from './schemas.ts';

type Answers = Readonly<Record<number, z.ZodType>>;
type Headers = Readonly<Record<string, object>>;

const MEANINGS: Readonly<Record<number, string>> = {
  200: 'Done.',
  400: 'Not understood; nothing was done.',
  401: 'The token is missing or wrong.',
  403: 'Only loopback is served.',
  404: 'No such account or domain, or feature keys are not served.',
  409: 'Refused; the stored value stays.',
  412: 'The feature has another version by now.',
  413: 'The body is too large.',
  429: 'Too many changes a second.',
  503: 'The store failed.',
};

const error = schemas.featureErrorSchema;
const ACCESS_ERRORS: Answers = { 401: error, 403: error, 404: error };
const READ_ERRORS: Answers = { ...ACCESS_ERRORS, 400: error, 503: error };
const REFRESH_ERRORS: Answers = { ...READ_ERRORS, 413: error, 429: error };
const WRITE_ERRORS: Answers = { ...REFRESH_ERRORS, 409: schemas.refusedSchema };

const RETRY_AFTER = {
  'Retry-After': { type: 'string', description: 'Seconds after which it may go better.' },
};
const ETAG = {
  ETag: { type: 'string', description: 'Version of the feature, quoted; for If-Match.' },
};
const VERSION_STATUSES = [200, 412];
const LATER_STATUSES = [429, 503];

const account = {
  type: 'string',
  description: '`user@domain`, `sip:user@domain` or, with one domain, the user alone.',
};
const byAccount = { type: 'object', properties: { account }, required: ['account'] };
const feature = { type: 'string', description: `One of ${FEATURES.join(', ')}.` };
const byFeature = {
  type: 'object',
  properties: { account, feature },
  required: ['account', 'feature'],
};
const waiting = {
  type: 'object',
  properties: {
    wait: {
      type: 'string',
      description: 'Seconds for which the answer waits for the phones.',
    },
  },
};
const ifMatch = {
  type: 'object',
  properties: {
    'If-Match': {
      type: 'string',
      description: 'Quoted version that the feature must have, such as "7"; otherwise 412.',
    },
  },
};

export const GET_ACCOUNT = {
  ...describe('All features of an account', schemas.accountSchema, READ_ERRORS),
  params: byAccount,
};

export const GET_FEATURE = {
  ...describe('One feature of an account', schemas.featureSchema, READ_ERRORS, ETAG),
  params: byFeature,
};

export const PUT_FEATURE = {
  ...describe(
    'Changes a feature and tells every phone of the account',
    schemas.outcomeSchema,
    { ...WRITE_ERRORS, 412: schemas.conflictSchema },
    ETAG,
  ),
  params: byFeature,
  querystring: waiting,
  headers: ifMatch,
  ...requestBody(schemas.writeSchema),
};

export const PATCH_FEATURE = {
  ...describe('Assigns or locks a feature', schemas.outcomeSchema, WRITE_ERRORS, ETAG),
  params: byFeature,
  ...requestBody(schemas.flagsSchema),
};

export const REFRESH = {
  ...describe(
    'Tells every phone of the account everything',
    schemas.refreshedSchema,
    REFRESH_ERRORS,
  ),
  params: byAccount,
  querystring: waiting,
};

export const GET_HISTORY = {
  ...describe('Changes and refusals, newest first', z.array(schemas.historyRowSchema), READ_ERRORS),
  params: byAccount,
  querystring: {
    type: 'object',
    properties: {
      feature,
      from: { type: 'string', description: 'Not before this time (RFC 3339).' },
      to: { type: 'string', description: 'Before this time.' },
      limit: { type: 'string', description: 'Rows at most, 1 to 1000; 100 by default.' },
      before: { type: 'string', description: 'Only rows older than the one with this id.' },
    },
  },
};

export const GET_SUBSCRIPTIONS = {
  ...describe(
    'Subscriptions: KPML of calls, feature keys of phones',
    z.array(z.union([subscriptionSchema, schemas.featureSubscriptionSchema])),
    { ...ACCESS_ERRORS, 400: error },
  ),
  querystring: {
    type: 'object',
    properties: {
      event: {
        type: 'string',
        enum: ['kpml', 'as-feature-event'],
        description: 'Only this package.',
      },
      account: { type: 'string', description: 'Only phones of this account.' },
      limit: { type: 'integer', minimum: 1, maximum: 100_000, description: 'At most so many.' },
    },
  },
};

const events = describe(
  'What happens from now on, as server-sent events',
  schemas.featureErrorSchema,
  READ_ERRORS,
);

/** `names` are those of the events. */
export function getEvents(names: readonly string[]) {
  const content = { 'text/event-stream': { schema: { type: 'string' } } };
  return {
    ...events,
    querystring: {
      type: 'object',
      properties: {
        account: {
          type: 'string',
          description: 'Of feature keys only what concerns this account.',
        },
        topics: {
          type: 'string',
          description:
            'Some of calls, agents, digits, series, features, apart by commas; features by default.',
        },
      },
    },
    response: { ...events.response, 200: { description: names.join(', '), content } },
  };
}

const mi = describe(
  'JSON-RPC with the method names of OpenSIPS, where mi-compat is on',
  schemas.miAnswerSchema,
  { ...ACCESS_ERRORS, 413: error, 429: error },
);

export const POST_MI = {
  ...mi,
  response: {
    ...mi.response,
    204: { description: 'Notifications alone were sent.', type: 'null' },
  },
  ...requestBody(schemas.miRequestSchema),
};

function describe(summary: string, answer: z.ZodType, errors: Answers, tag: Headers = {}) {
  const answers: Answers = { 200: answer, ...errors };
  const response = Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: MEANINGS[Number(status)],
        ...headersOf(Number(status), tag),
        ...jsonSchema(schema),
      },
    ]),
  );
  return { summary, response };
}

function headersOf(status: number, tag: Headers): { readonly headers?: Headers } {
  const headers = {
    ...(VERSION_STATUSES.includes(status) ? tag : {}),
    ...(LATER_STATUSES.includes(status) ? RETRY_AFTER : {}),
  };
  return Object.keys(headers).length === 0 ? {} : { headers };
}

/** For the document alone: bodies are read and judged by feature-request.ts. */
function requestBody(schema: z.ZodType) {
  return { consumes: ['application/json'], body: jsonSchema(schema) };
}
