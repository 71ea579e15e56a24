/** The stream of what happens to feature keys. */
import type { FastifyInstance } from 'fastify';
import type { FeatureEvent } from '../feature-keys/feature-service.ts';
import type { ApiBackend } from './backend.ts';
import { sendError } from './errors.ts';
import type { EventStreams } from './event-stream.ts';
import { type FeatureDesk, isAnswer, sendPlain } from './feature-desk.ts';
import { describeRoute } from './openapi.ts';
import { errorSchema } from './schemas.ts';

const EVENT_NAMES: readonly FeatureEvent['type'][] = [
  'feature-changed',
  'feature-refused',
  'feature-configured',
  'feature-subscribed',
  'feature-unsubscribed',
];

const TRY_LATER_SECONDS = '5';

export interface EventParts {
  readonly backend: ApiBackend;
  readonly desk: FeatureDesk;
  readonly streams: EventStreams;
}

/** Adds the stream; `streams` are closed by whoever drains the SBC. */
export function addEventRoute(app: FastifyInstance, parts: EventParts): void {
  const { backend, desk, streams } = parts;
  const { summary, response } = describeRoute({
    summary: 'What happens to feature keys from now on, as server-sent events',
    otherAnswers: { 400: errorSchema, 404: errorSchema, 503: errorSchema },
  });
  const content = { 'text/event-stream': { schema: { type: 'string' } } };
  const querystring = {
    type: 'object',
    properties: { account: { type: 'string', description: 'Only what concerns this account.' } },
  };
  const schema = {
    summary,
    querystring,
    response: { ...response, 200: { description: EVENT_NAMES.join(', '), content } },
  };
  app.get<{ Querystring: { account?: string } }>(
    '/api/v1/events',
    { schema, exposeHeadRoute: false },
    async (request, reply) => {
      const { account } = request.query;
      const counter = account === undefined ? undefined : desk.account(account);
      if (counter !== undefined && isAnswer(counter)) return sendPlain(reply, counter);
      if (!streams.hasRoom || backend.isDraining) {
        reply.header('Retry-After', TRY_LATER_SECONDS);
        return sendError(reply, 503, 'no further stream is served now');
      }
      const wanted = counter?.presentity;
      reply.hijack();
      const stream = streams.open(reply.raw, () => stop());
      const stop = backend.onFeatureEvent((event) => {
        if (wanted === undefined || event.presentity === wanted) stream.send(toStream(event));
      });
      return reply;
    },
  );
}

function toStream(event: FeatureEvent) {
  return { name: event.type, data: event };
}
