/** Routes about the process as a whole: health, metrics, agents, configuration, drain. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { prefersOpenMetrics } from './accept.ts';
import { addAgentRoutes } from './agent-routes.ts';
import type { ApiBackend } from './backend.ts';
import { describeRoute } from './openapi.ts';
import { addPlanRoute } from './plan-route.ts';
import {
  configCheckSchema,
  drainSchema,
  readinessSchema,
  reloadSchema,
  statusSchema,
} from './schemas.ts';
import { addStatusRoutes } from './status-routes.ts';

/** Of the Prometheus text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Adds the routes; `mayRead` decides who sees the details behind the two probes that are open to all. */
export function addSystemRoutes(
  app: FastifyInstance,
  backend: ApiBackend,
  mayRead: (request: FastifyRequest) => boolean,
): void {
  addProbes(app, backend, mayRead);
  addConfigRoutes(app, backend);
  addPlanRoute(app, backend);
  addAgentRoutes(app, backend);
  addStatusRoutes(app, backend);
}

function addProbes(
  app: FastifyInstance,
  backend: ApiBackend,
  mayRead: (request: FastifyRequest) => boolean,
): void {
  const config = { isOpen: true };
  app.get(
    '/healthz',
    { config, schema: describeRoute({ summary: 'Is the process alive?', answer: statusSchema }) },
    (request, reply) => reply.send({ status: 'ok', ...(mayRead(request) ? backend.health() : {}) }),
  );
  const otherAnswers = { 503: readinessSchema };
  const summary = 'Does it take new calls?';
  app.get(
    '/readyz',
    { config, schema: describeRoute({ summary, answer: readinessSchema, otherAnswers }) },
    async (request, reply) => {
      const { isReady, reasons } = backend.readiness();
      reply.code(isReady ? 200 : 503);
      return { isReady, reasons: mayRead(request) ? reasons : [] };
    },
  );
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Prometheus metrics',
        produces: ['text/plain', 'application/openmetrics-text'],
      },
    },
    async (request, reply) => {
      const isOpen = prefersOpenMetrics(request.headers.accept);
      reply.type(isOpen ? OPENMETRICS_TYPE : METRICS_TYPE).header('Vary', 'Accept');
      return await backend.metricsText(isOpen ? 'openmetrics' : 'prometheus');
    },
  );
}

function addConfigRoutes(app: FastifyInstance, backend: ApiBackend): void {
  const check = 'Checks the YAML in the body, or the file in use, and changes nothing';
  app.post(
    '/api/v1/config/check',
    { schema: describeRoute({ summary: check, answer: configCheckSchema }) },
    async ({ body }) => {
      const text = typeof body === 'string' && body.trim() !== '' ? body : undefined;
      return await backend.checkConfig(text);
    },
  );
  const reload = 'Reads the configuration file again; a bad one is refused whole';
  const otherAnswers = { 422: reloadSchema };
  app.post(
    '/api/v1/config/reload',
    { schema: describeRoute({ summary: reload, answer: reloadSchema, otherAnswers }) },
    async (_request, reply) => {
      const outcome = await backend.reload();
      reply.code(outcome.type === 'applied' ? 200 : 422);
      return outcome;
    },
  );
  app.post(
    '/api/v1/drain',
    { schema: describeRoute({ summary: 'Takes no new calls', status: 202, answer: drainSchema }) },
    async (_request, reply) => {
      reply.code(202);
      return await backend.drain();
    },
  );
}
