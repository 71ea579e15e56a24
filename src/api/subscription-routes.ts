/** The list of subscriptions: KPML inside calls, feature keys of phones. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiBackend } from './backend.ts';
import { type FeatureDesk, isAnswer, sendPlain } from './feature-desk.ts';
import { featureSubscriptionSchema } from './feature-schemas.ts';
import { describeRoute } from './openapi.ts';
import { errorSchema, subscriptionSchema } from './schemas.ts';

interface Query {
  Querystring: { event?: string; account?: string };
}

const KPML = 'kpml';
const FEATURE_KEYS = 'as-feature-event';

export function addSubscriptionRoute(
  app: FastifyInstance,
  backend: ApiBackend,
  desk: FeatureDesk,
): void {
  const querystring = {
    type: 'object',
    properties: {
      event: { type: 'string', enum: [KPML, FEATURE_KEYS], description: 'Only this package.' },
      account: { type: 'string', description: 'Only phones of this account.' },
    },
  };
  const answer = z.array(z.union([subscriptionSchema, featureSubscriptionSchema]));
  const otherAnswers = { 400: errorSchema, 404: errorSchema };
  const schema = {
    ...describeRoute({ summary: 'Subscriptions', answer, otherAnswers }),
    querystring,
  };
  app.get<Query>('/api/v1/subscriptions', { schema }, async (request, reply) => {
    const { event, account } = request.query;
    const isKpml = event !== FEATURE_KEYS && account === undefined;
    const kpml = isKpml ? backend.listSubscriptions() : [];
    if (event === KPML) return kpml;
    if (account === undefined) {
      return [...kpml, ...(backend.features?.listSubscriptions() ?? [])];
    }
    const counter = desk.account(account);
    if (isAnswer(counter)) return sendPlain(reply, counter);
    return counter.features.listSubscriptions(counter.presentity);
  });
}
