/** The stream of what happens to feature keys, calls, agents and digits. */
import type { FastifyInstance } from 'fastify';
import type { FeatureEvent } from '../feature-keys/feature-service.ts';
import type { ApiBackend } from './backend.ts';
import type { EventStreams } from './event-stream.ts';
import { failed, type FeatureAnswer } from './feature-answers.ts';
import {
  badRequest,
  type FeatureDesk,
  isAnswer,
  sendAnswer,
  strayParameter,
} from './feature-desk.ts';
import { getEvents } from './feature-documents.ts';
import { liveEventSchemas } from './live-schemas.ts';
import { LIVE_TOPICS, type LiveTopic } from './live-views.ts';

const EVENT_NAMES: readonly FeatureEvent['type'][] = [
  'feature-changed',
  'feature-refused',
  'feature-configured',
  'feature-subscribed',
  'feature-unsubscribed',
];

const FEATURES_TOPIC = 'features';

const UNKNOWN_TOPIC: FeatureAnswer = badRequest(
  `topics are ${[...LIVE_TOPICS, FEATURES_TOPIC].join(', ')}`,
);

const NO_ROOM: FeatureAnswer = {
  ...failed(503, 'unavailable', 'no further stream is served now'),
  headers: { 'Retry-After': '5' },
};

export interface EventParts {
  readonly backend: ApiBackend;
  readonly desk: FeatureDesk;
  /** Closed by whoever drains the SBC. */
  readonly streams: EventStreams;
  /** Those with more than feature keys: a drain is what their readers want to see. */
  readonly liveStreams: EventStreams;
}

/** What a reader asked for. */
interface Topics {
  readonly hasFeatures: boolean;
  readonly live: readonly LiveTopic[];
}

export function addEventRoute(app: FastifyInstance, parts: EventParts): void {
  const { backend, desk } = parts;
  const schema = getEvents([...EVENT_NAMES, ...Object.keys(liveEventSchemas)]);
  app.get<{ Querystring: { account?: string; topics?: string } }>(
    '/api/v1/events',
    { schema, exposeHeadRoute: false },
    async (request, reply) => {
      const stray = strayParameter(request, ['account', 'topics']);
      if (stray !== undefined) return sendAnswer(reply, stray);
      const { account } = request.query;
      const topics = readTopics(request.query.topics);
      if (topics === undefined) return sendAnswer(reply, UNKNOWN_TOPIC);
      const counter = account === undefined ? undefined : desk.account(account);
      if (counter !== undefined && isAnswer(counter)) return sendAnswer(reply, counter);
      const isLive = topics.live.length > 0;
      const streams = isLive ? parts.liveStreams : parts.streams;
      if (!streams.hasRoom || (backend.isDraining && !isLive)) {
        return sendAnswer(reply, NO_ROOM);
      }
      const wanted = counter?.presentity;
      reply.hijack();
      const stops: (() => void)[] = [];
      const stream = streams.open(reply.raw, () => {
        for (const stop of stops) stop();
      });
      if (topics.hasFeatures) {
        const isWanted = (event: FeatureEvent): boolean =>
          wanted === undefined || event.presentity === wanted;
        stops.push(
          backend.onFeatureEvent((event) => {
            if (isWanted(event)) stream.send(toStream(event));
          }),
        );
      }
      if (isLive) {
        stops.push(backend.onLiveEvent(topics.live, (_event, text) => stream.sendText(text)));
      }
      return reply;
    },
  );
}

/** Feature keys alone where nothing is asked for; `undefined` for a topic that there is not. */
function readTopics(text: string | undefined): Topics | undefined {
  if (text === undefined) return { hasFeatures: true, live: [] };
  const names = new Set(text.split(','));
  const hasFeatures = names.delete(FEATURES_TOPIC);
  const live = LIVE_TOPICS.filter((topic) => names.delete(topic));
  return names.size > 0 ? undefined : { hasFeatures, live };
}

function toStream(event: FeatureEvent) {
  return { name: event.type, data: event };
}
