/** The routes about feature keys as the OpenAPI document shows them. */
import { z } from 'zod';
import { FEATURES } from '../wire/feature-event.ts';
import * as schemas from './feature-schemas.ts';
import { jsonSchema } from './schemas.ts';

type Answers = Readonly<Record<number, z.ZodType>>;

const MEANINGS: Readonly<Record<number, string>> = {
  200: 'Done.',
  400: 'Not understood; nothing was done.',
  401: 'The token is missing or wrong.',
  403: 'Only loopback is served.',
  404: 'No such account or domain, or feature keys are not served.',
  409: 'Refused; the stored value stays.',
  412: 'The feature has another version by now.',
  429: 'Too many changes a second.',
  503: 'The store failed.',
};

const error = schemas.featureErrorSchema;
const READ_ERRORS: Answers = { 400: error, 401: error, 403: error, 404: error, 503: error };
const WRITE_ERRORS: Answers = { ...READ_ERRORS, 409: schemas.refusedSchema, 429: error };

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

export const GET_ACCOUNT = {
  ...describe('All features of an account', schemas.accountSchema, READ_ERRORS),
  params: byAccount,
};

export const GET_FEATURE = {
  ...describe('One feature of an account', schemas.featureSchema, READ_ERRORS),
  params: byFeature,
};

export const PUT_FEATURE = {
  ...describe('Changes a feature and tells every phone of the account', schemas.outcomeSchema, {
    ...WRITE_ERRORS,
    412: schemas.conflictSchema,
  }),
  params: byFeature,
  querystring: waiting,
  ...requestBody(schemas.writeSchema),
};

export const PATCH_FEATURE = {
  ...describe('Assigns or locks a feature', schemas.outcomeSchema, WRITE_ERRORS),
  params: byFeature,
  ...requestBody(schemas.flagsSchema),
};

export const REFRESH = {
  ...describe('Tells every phone of the account everything', schemas.refreshedSchema, {
    ...READ_ERRORS,
    429: error,
  }),
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
      limit: { type: 'string', description: 'Rows at most, 100 by default, up to 1000.' },
      before: { type: 'string', description: 'Only rows older than the one with this id.' },
    },
  },
};

function describe(summary: string, answer: z.ZodType, errors: Answers) {
  const answers: Answers = { 200: answer, ...errors };
  const response = Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      { description: MEANINGS[Number(status)], ...jsonSchema(schema) },
    ]),
  );
  return { summary, response };
}

/** For the document alone: bodies are read and judged by feature-request.ts. */
function requestBody(schema: z.ZodType) {
  return { consumes: ['application/json'], body: jsonSchema(schema) };
}
