/** Routes about the state of the process and its last hour. */
import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from './backend.ts';
import { processSchema, seriesSchema } from './live-schemas.ts';
import { describeRoute } from './openapi.ts';

const DEFAULT_WINDOW_SECONDS = 900;
const MAX_WINDOW_SECONDS = 3_600;

export function addStatusRoutes(app: FastifyInstance, backend: ApiBackend): void {
  app.get(
    '/api/v1/status',
    { schema: describeRoute({ summary: 'State of the process', answer: processSchema }) },
    async () => backend.status(),
  );
  const series = describeRoute({ summary: 'The last hour of the process', answer: seriesSchema });
  const querystring = {
    type: 'object',
    properties: {
      window: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_WINDOW_SECONDS,
        description: `Only the last so many seconds; ${DEFAULT_WINDOW_SECONDS} by default.`,
      },
    },
  };
  app.get<{ Querystring: { window?: number } }>(
    '/api/v1/series',
    { schema: { ...series, querystring } },
    async ({ query }) => backend.series(query.window ?? DEFAULT_WINDOW_SECONDS),
  );
}
