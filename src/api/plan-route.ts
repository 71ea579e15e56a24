/** Route that tells what a new configuration would change. */
import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import { describeRoute } from './openapi.ts';
import { configPlanSchema } from './plan-schemas.ts';

export function addPlanRoute(app: FastifyInstance, backend: ApiBackend): void {
  const summary =
    'What the YAML in the body, or the file in use, would change against the configuration in force';
  app.post(
    '/api/v1/config/plan',
    { schema: describeRoute({ summary, answer: configPlanSchema }) },
    async ({ body }, reply) => {
      const text = typeof body === 'string' && body.trim() !== '' ? body : undefined;
      const plan = await backend.planConfig(text);
      if (plan !== undefined) return plan;
      return sendError(reply, 409, 'this SBC was started without a configuration file');
    },
  );
}
