import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from './backend.ts';
import { addEventRoute } from './event-routes.ts';
import { EventStreams } from './event-stream.ts';
import { FeatureDesk } from './feature-desk.ts';
import { addMiRoute } from './feature-mi.ts';
import { addFeatureRoutes } from './feature-routes.ts';
import { addSubscriptionRoute } from './subscription-routes.ts';

/** Adds all routes about feature keys and subscriptions; one count of writes for all of them. */
export function addFeatureApi(app: FastifyInstance, backend: ApiBackend): void {
  const desk = new FeatureDesk(backend);
  const streams = new EventStreams();
  addFeatureRoutes(app, desk);
  addMiRoute(app, desk);
  addSubscriptionRoute(app, backend, desk);
  addEventRoute(app, { backend, desk, streams });
  const stopListening = backend.onDraining(() => streams.close());
  app.addHook('preClose', (done) => {
    stopListening();
    streams.close();
    done();
  });
}
