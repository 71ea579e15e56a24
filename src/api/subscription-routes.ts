/** The list of subscriptions: KPML inside calls, feature keys of phones. */
import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from './backend.ts';
import { type FeatureDesk, isAnswer, sendAnswer, strayParameter } from './feature-desk.ts';
import { GET_SUBSCRIPTIONS } from './feature-documents.ts';

interface Query {
  Querystring: { event?: string; account?: string; limit?: number };
}

const KPML = 'kpml';
const FEATURE_KEYS = 'as-feature-event';

export function addSubscriptionRoute(
  app: FastifyInstance,
  backend: ApiBackend,
  desk: FeatureDesk,
): void {
  const schema = GET_SUBSCRIPTIONS;
  app.get<Query>('/api/v1/subscriptions', { schema }, async (request, reply) => {
    const stray = strayParameter(request, ['event', 'account', 'limit']);
    if (stray !== undefined) return sendAnswer(reply, stray);
    const { event, account, limit } = request.query;
    const isKpml = event !== FEATURE_KEYS && account === undefined;
    const kpml = isKpml ? backend.listSubscriptions(limit) : [];
    if (event === KPML) return kpml;
    if (account === undefined) {
      return [...kpml, ...(backend.features?.listSubscriptions() ?? [])].slice(0, limit);
    }
    const counter = desk.account(account);
    if (isAnswer(counter)) return sendAnswer(reply, counter);
    return counter.features.listSubscriptions(counter.presentity).slice(0, limit);
  });
}
