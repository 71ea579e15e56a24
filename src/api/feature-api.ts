import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from './backend.ts';
import { addEventRoute } from './event-routes.ts';
import { EventStreams } from './event-stream.ts';
import { addFeatureAccountsRoute } from './feature-accounts-route.ts';
import { FeatureDesk } from './feature-desk.ts';
import { addMiRoute } from './feature-mi.ts';
import { addFeatureRoutes } from './feature-routes.ts';
import { addSubscriptionRoute } from './subscription-routes.ts';

/** Adds all routes about feature keys and subscriptions; one count of writes for all of them. */
export function addFeatureApi(app: FastifyInstance, backend: ApiBackend): void {
  const desk = new FeatureDesk(backend);
  const streams = new EventStreams();
  const liveStreams = new EventStreams();
  addFeatureRoutes(app, desk);
  addFeatureAccountsRoute(app, backend);
  addMiRoute(app, desk);
  addSubscriptionRoute(app, backend, desk);
  addEventRoute(app, { backend, desk, streams, liveStreams });
  const stopListening = backend.onDraining(() => streams.close());
  app.addHook('preClose', (done) => {
    stopListening();
    streams.close();
    liveStreams.close();
    done();
  });
}
