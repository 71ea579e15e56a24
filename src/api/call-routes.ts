/** Routes about calls and their digits. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { formatLadder } from '../observe/ladder-format.ts';
import { prefersText } from './accept.ts';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import { describeRoute } from './openapi.ts';
import { callSchema, digitSchema, explanationSchema, ladderSchema } from './schemas.ts';

interface ById {
  Params: { id: string };
}

const NO_CALL = 'there is no such call';

const idParameters = {
  type: 'object',
  properties: { id: { type: 'string', description: 'Our call id.' } },
  required: ['id'],
};

export function addCallRoutes(app: FastifyInstance, backend: ApiBackend): void {
  app.get(
    '/api/v1/calls',
    { schema: describeRoute({ summary: 'Calls that are up', answer: z.array(callSchema) }) },
    async () => backend.listCalls(),
  );
  const one = describeRoute({ summary: 'One call', answer: callSchema, canBeMissing: true });
  app.get<ById>(
    '/api/v1/calls/:id',
    { schema: { ...one, params: idParameters } },
    async ({ params }, reply) =>
      (await backend.getCall(params.id)) ?? sendError(reply, 404, NO_CALL),
  );
  const end = describeRoute({ summary: 'Ends a call', status: 204, canBeMissing: true });
  app.delete<ById>(
    '/api/v1/calls/:id',
    { schema: { ...end, params: idParameters } },
    async ({ params }, reply) => {
      const isEnded = await backend.endCall(params.id);
      return isEnded ? reply.code(204).send() : sendError(reply, 404, NO_CALL);
    },
  );
  addLadderRoute(app, backend);
  addExplanationRoute(app, backend);
  addDigitRoute(app, backend);
}

function addLadderRoute(app: FastifyInstance, backend: ApiBackend): void {
  const schema = describeRoute({
    summary: 'What happened in a call: JSON, or a drawing as text/plain',
    answer: ladderSchema,
    canBeMissing: true,
  });
  const querystring = {
    type: 'object',
    properties: {
      width: { type: 'integer', minimum: 60, maximum: 400, description: 'Columns of the drawing.' },
    },
  };
  app.get<ById & { Querystring: { width?: number } }>(
    '/api/v1/calls/:id/ladder',
    { schema: { ...schema, params: idParameters, querystring } },
    async ({ params, query, headers }, reply) => {
      const ladder = backend.ladder(params.id);
      if (ladder === undefined) return sendError(reply, 404, NO_CALL);
      const { rows, droppedRows } = ladder;
      reply.header('Vary', 'Accept');
      if (!prefersText(headers.accept)) return { callId: params.id, droppedRows, rows };
      return reply
        .type('text/plain; charset=utf-8')
        .send(formatLadder(rows, { ...query, droppedRows }));
    },
  );
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
    properties: { call: { type: 'string', description: 'Only digits of this call.' } },
  };
  app.get<{ Querystring: { call?: string } }>(
    '/api/v1/digits',
    { schema: { ...schema, querystring } },
    async ({ query }) => backend.listDigits(query.call),
  );
}
