/** Routes about calls and their digits. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiBackend, CallFilter } from './backend.ts';
import { sendError } from './errors.ts';
import { addLadderRoute } from './ladder-route.ts';
import { describeRoute } from './openapi.ts';
import { callSchema, digitSchema, explanationSchema } from './schemas.ts';

interface ById {
  Params: { id: string };
}

const NO_CALL = 'there is no such call';
const CALL_OVER = 'the call has ended already';

const idParameters = {
  type: 'object',
  properties: { id: { type: 'string', description: 'Our call id.' } },
  required: ['id'],
};

const limitParameter = { type: 'integer', minimum: 1, maximum: 100_000 };

const listParameters = {
  type: 'object',
  properties: {
    state: {
      type: 'string',
      enum: ['active', 'ended', 'all'],
      description: 'Calls that are up (the default), the last ones that ended, or both.',
    },
    agent: { type: 'string', description: 'Only with this session agent on either side.' },
    number: { type: 'string', description: 'Part of the calling or the called number.' },
    limit: { ...limitParameter, description: 'At most so many.' },
  },
};

export function addCallRoutes(app: FastifyInstance, backend: ApiBackend): void {
  const list = describeRoute({
    summary: 'Calls that are up, oldest first; ended ones behind them, newest first',
    answer: z.array(callSchema),
  });
  app.get<{ Querystring: CallFilter }>(
    '/api/v1/calls',
    { schema: { ...list, querystring: listParameters } },
    async ({ query }) => backend.listCalls(query),
  );
  const one = describeRoute({ summary: 'One call', answer: callSchema, canBeMissing: true });
  app.get<ById>(
    '/api/v1/calls/:id',
    { schema: { ...one, params: idParameters } },
    async ({ params }, reply) =>
      (await backend.getCall(params.id)) ?? sendError(reply, 404, NO_CALL),
  );
  const end = describeRoute({
    summary: 'Ends a call',
    status: 204,
    errors: { 409: 'The call has ended already.' },
    canBeMissing: true,
  });
  app.delete<ById>(
    '/api/v1/calls/:id',
    { schema: { ...end, params: idParameters } },
    async ({ params }, reply) => {
      if (await backend.endCall(params.id)) return reply.code(204).send();
      const isOver = (await backend.getCall(params.id)) !== undefined;
      return isOver ? sendError(reply, 409, CALL_OVER) : sendError(reply, 404, NO_CALL);
    },
  );
  addLadderRoute(app, backend);
  addExplanationRoute(app, backend);
  addDigitRoute(app, backend);
}

function addExplanationRoute(app: FastifyInstance, backend: ApiBackend): void {
  const schema = describeRoute({
    summary: 'Why digits travel as they do in a call',
    answer: explanationSchema,
    canBeMissing: true,
  });
  app.get<ById>(
    '/api/v1/calls/:id/explanation',
    { schema: { ...schema, params: idParameters } },
    async ({ params }, reply) => backend.explanation(params.id) ?? sendError(reply, 404, NO_CALL),
  );
}

function addDigitRoute(app: FastifyInstance, backend: ApiBackend): void {
  const schema = describeRoute({ summary: 'The digit ledger', answer: z.array(digitSchema) });
  const querystring = {
    type: 'object',
    properties: {
      call: { type: 'string', description: 'Only digits of this call.' },
      limit: { ...limitParameter, description: 'At most so many, the last ones.' },
      dropped: { type: 'boolean', description: 'Only those that were lost.' },
    },
  };
  app.get<{ Querystring: { call?: string; limit?: number; dropped?: boolean } }>(
    '/api/v1/digits',
    { schema: { ...schema, querystring } },
    async ({ query: { call, limit, dropped } }) =>
      backend.listDigits({
        ...(call === undefined ? {} : { callId: call }),
        ...(limit === undefined ? {} : { limit }),
        ...(dropped === undefined ? {} : { isDropped: dropped }),
      }),
  );
}
