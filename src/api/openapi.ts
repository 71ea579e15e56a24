/** The OpenAPI 3.1 document, collected from the routes. */
import openapi from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { errorSchema, jsonSchema } from './schemas.ts';

/** Begins collecting: must come before the routes. Serves the document at `/openapi.json`. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(openapi, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tonebridge',
        version,
        description: 'Calls, digits, agents and subscriptions of a running SBC.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{}, { token: [] }],
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

const ERROR_MEANINGS: Readonly<Record<number, string>> = {
  401: 'The token is missing or wrong.',
  403: 'Only loopback is served.',
  404: 'There is no such call or session agent.',
};

/** The schema of a route that answers with JSON. */
export function describeRoute(options: {
  readonly summary: string;
  readonly status?: number;
  /** What a good answer looks like; none for an answer without a body. */
  readonly answer?: z.ZodType;
  readonly otherAnswers?: Readonly<Record<number, z.ZodType>>;
  /** Errors of this route alone: what each status means. */
  readonly errors?: Readonly<Record<number, string>>;
  /** Whether the resource may be missing. */
  readonly canBeMissing?: boolean;
}) {
  const { summary, status = 200, answer, otherAnswers = {}, canBeMissing = false } = options;
  const { errors = {} } = options;
  const response: Record<string, unknown> = {};
  response[status] =
    answer === undefined
      ? { description: 'Done.', type: 'null' }
      : { description: 'Done.', ...jsonSchema(answer) };
  for (const [otherStatus, schema] of Object.entries(otherAnswers)) {
    response[otherStatus] = { description: 'Refused.', ...jsonSchema(schema) };
  }
  for (const errorStatus of canBeMissing ? [401, 403, 404] : [401, 403]) {
    const description = ERROR_MEANINGS[errorStatus];
    response[errorStatus] = { description, ...jsonSchema(errorSchema) };
  }
  for (const [errorStatus, description] of Object.entries(errors)) {
    response[errorStatus] = { description, ...jsonSchema(errorSchema) };
  }
  return { summary, response };
}
