/** The stream of what happens to feature keys. */
import type { FastifyInstance } from 'fastify';
import type { FeatureEvent } from '../feature-keys/feature-service.ts';
import type { ApiBackend } from './backend.ts';
import type { EventStreams } from './event-stream.ts';
import { failed, type FeatureAnswer } from './feature-answers.ts';
import { type FeatureDesk, isAnswer, sendAnswer, strayParameter } from './feature-desk.ts';
import { getEvents } from './feature-documents.ts';

const EVENT_NAMES: readonly FeatureEvent['type'][] = [
  'feature-changed',
  'feature-refused',
  'feature-configured',
  'feature-subscribed',
  'feature-unsubscribed',
];

const NO_ROOM: FeatureAnswer = {
  ...failed(503, 'unavailable', 'no further stream is served now'),
  headers: { 'Retry-After': '5' },
};

export interface EventParts {
  readonly backend: ApiBackend;
  readonly desk: FeatureDesk;
  readonly streams: EventStreams;
}

/** Adds the stream; `streams` are closed by whoever drains the SBC. */
export function addEventRoute(app: FastifyInstance, parts: EventParts): void {
  const { backend, desk, streams } = parts;
  const schema = getEvents(EVENT_NAMES);
  app.get<{ Querystring: { account?: string } }>(
    '/api/v1/events',
    { schema, exposeHeadRoute: false },
    async (request, reply) => {
      const stray = strayParameter(request, ['account']);
      if (stray !== undefined) return sendAnswer(reply, stray);
      const { account } = request.query;
      const counter = account === undefined ? undefined : desk.account(account);
      if (counter !== undefined && isAnswer(counter)) return sendAnswer(reply, counter);
      if (!streams.hasRoom || backend.isDraining) {
        return sendAnswer(reply, NO_ROOM);
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
