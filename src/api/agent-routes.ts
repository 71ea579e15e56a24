/** Routes about session agents. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import { describeRoute } from './openapi.ts';
import { agentSchema, errorSchema, jsonSchema } from './schemas.ts';

interface ByName {
  Params: { name: string };
}

const patchSchema = z.strictObject({
  locked: z.boolean().meta({ description: 'No new calls to it while true.' }),
});

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
  addPatchRoute(app, backend);
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

function addPatchRoute(app: FastifyInstance, backend: ApiBackend): void {
  const schema = describeRoute({
    summary: 'Locks a session agent, or unlocks it',
    answer: agentSchema,
    otherAnswers: { 400: errorSchema },
    canBeMissing: true,
  });
  const body = { consumes: ['application/json'], body: jsonSchema(patchSchema) };
  app.patch<ByName>(
    '/api/v1/agents/:name',
    // The body is read here: it arrives as text.
    { schema: { ...schema, params, ...body }, validatorCompiler: () => () => true },
    async (request, reply) => {
      const patch = patchSchema.safeParse(jsonOf(request.body));
      if (!patch.success) return sendError(reply, 400, 'expected { "locked": true or false }');
      const view = backend.setAgentLock(request.params.name, patch.data.locked);
      return view ?? sendError(reply, 404, NO_AGENT);
    },
  );
}

function jsonOf(body: unknown): unknown {
  try {
    return typeof body === 'string' ? JSON.parse(body) : undefined;
  } catch {
    return undefined;
  }
}
