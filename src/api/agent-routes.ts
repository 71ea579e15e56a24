/** Routes about session agents. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import { describeRoute } from './openapi.ts';
import { agentSchema } from './schemas.ts';

interface ByName {
  Params: { name: string };
}

const NO_AGENT = 'there is no such session agent';

const params = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Name in the configuration.' } },
  required: ['name'],
};

export function addAgentRoutes(app: FastifyInstance, backend: ApiBackend): void {
  app.get(
    '/api/v1/agents',
    { schema: describeRoute({ summary: 'Session agents', answer: z.array(agentSchema) }) },
    async () => backend.listAgents(),
  );
  const changes = [
    { path: 'lock', isLocked: true, summary: 'No new calls to this session agent' },
    { path: 'unlock', isLocked: false, summary: 'New calls to this session agent again' },
  ] as const;
  for (const { path, isLocked, summary } of changes) {
    const schema = describeRoute({ summary, answer: agentSchema, canBeMissing: true });
    app.post<ByName>(
      `/api/v1/agents/:name/${path}`,
      { schema: { ...schema, params } },
      async (request, reply) =>
        backend.setAgentLock(request.params.name, isLocked) ?? sendError(reply, 404, NO_AGENT),
    );
  }
}
