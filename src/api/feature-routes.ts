/** Routes about the feature keys of an account; every change goes through the one write path. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { FeatureOutcome } from '../feature-keys/feature-service.ts';
import { actorOf } from './feature-actor.ts';
import {
  accountView,
  answerOf,
  answerOfFailure,
  type FeatureAnswer,
  featureView,
  good,
  lastChanges,
} from './feature-answers.ts';
import { deliveredWithin } from './feature-delivery.ts';
import {
  badRequest,
  type Counter,
  type FeatureDesk,
  isAnswer,
  sendAnswer,
  strayParameter,
} from './feature-desk.ts';
import * as documents from './feature-documents.ts';
import {
  HISTORY_PARAMETERS,
  type HistoryText,
  readFlags,
  readHistoryQuery,
  readIfMatch,
  readNothing,
  readObject,
  readWait,
  readWrite,
} from './feature-request.ts';
import type { Feature } from '../wire/feature-event.ts';

interface ByAccount {
  Params: { account: string };
}

interface ByFeature {
  Params: { account: string; feature: string };
}

interface Waiting {
  Querystring: { wait?: unknown };
}

const ROOT = '/api/v1/features/:account';
const BODY_LIMIT_BYTES = 16 * 1024;

/** How far back the last change of a feature is looked for. */
const LAST_CHANGE_ROWS = 100;

export function addFeatureRoutes(app: FastifyInstance, desk: FeatureDesk): void {
  addReading(app, desk);
  addWriting(app, desk);
  app.post<ByAccount & Waiting>(
    `${ROOT}/refresh`,
    { bodyLimit: BODY_LIMIT_BYTES, schema: documents.REFRESH },
    async (request, reply) => sendAnswer(reply, await refresh(desk, request)),
  );
}

function addReading(app: FastifyInstance, desk: FeatureDesk): void {
  app.get<ByAccount>(ROOT, { schema: documents.GET_ACCOUNT }, async (request, reply) => {
    const counter = strayParameter(request) ?? desk.account(request.params.account);
    if (isAnswer(counter)) return sendAnswer(reply, counter);
    return sendAnswer(reply, await read(counter, request));
  });
  app.get<ByAccount & { Querystring: HistoryText }>(
    `${ROOT}/history`,
    { schema: documents.GET_HISTORY },
    async (request, reply) => {
      const stray = strayParameter(request, HISTORY_PARAMETERS);
      const counter = stray ?? desk.account(request.params.account);
      if (isAnswer(counter)) return sendAnswer(reply, counter);
      const { features, presentity } = counter;
      const asked = readHistoryQuery(request.query);
      if (asked.type === 'bad') return sendAnswer(reply, badRequest(asked.message));
      try {
        return await features.service.history(presentity, asked.query);
      } catch {
        return sendAnswer(reply, answerOfFailure({ type: 'failed', cause: 'storage' }));
      }
    },
  );
  app.get<ByFeature>(
    `${ROOT}/:feature`,
    { schema: documents.GET_FEATURE },
    async (request, reply) => {
      const counter = strayParameter(request) ?? desk.account(request.params.account);
      if (isAnswer(counter)) return sendAnswer(reply, counter);
      const feature = desk.feature(request.params.feature);
      if (isAnswer(feature)) return sendAnswer(reply, feature);
      return sendAnswer(reply, await read(counter, request, feature));
    },
  );
}

async function read(
  { features, presentity }: Counter,
  request: FastifyRequest,
  feature?: Feature,
): Promise<FeatureAnswer> {
  const { service } = features;
  const outcome = await service.read(presentity, actorOf(request));
  if (outcome.type !== 'state') return answerOfFailure(outcome);
  const { state } = outcome;
  const query = { limit: LAST_CHANGE_ROWS, ...(feature === undefined ? {} : { feature }) };
  // Who changed what is worth less than the state itself.
  const rows = await service.history(presentity, query).catch(() => []);
  const changes = lastChanges(rows);
  if (feature === undefined) {
    const subscribers = service.watchersOf(presentity).length;
    return good({ ...accountView(presentity, state, changes), subscribers });
  }
  const view = { account: presentity, feature, ...featureView(state, feature, changes) };
  return good(view, state[feature].version);
}

function addWriting(app: FastifyInstance, desk: FeatureDesk): void {
  // The schema of the body is for the document; feature-request.ts reads it and says what is wrong.
  const limits = { bodyLimit: BODY_LIMIT_BYTES, validatorCompiler: () => () => true };
  app.put<ByFeature & Waiting>(
    `${ROOT}/:feature`,
    { ...limits, schema: documents.PUT_FEATURE },
    async (request, reply) => sendAnswer(reply, await set(desk, request)),
  );
  app.patch<ByFeature>(
    `${ROOT}/:feature`,
    { ...limits, schema: documents.PATCH_FEATURE },
    async (request, reply) => sendAnswer(reply, await configure(desk, request)),
  );
}

async function set(
  desk: FeatureDesk,
  request: FastifyRequest<ByFeature & Waiting>,
): Promise<FeatureAnswer> {
  const counter = strayParameter(request, ['wait']) ?? desk.account(request.params.account);
  if (isAnswer(counter)) return counter;
  const feature = desk.feature(request.params.feature);
  if (isAnswer(feature)) return feature;
  const body = readObject(request.body);
  if (body.type === 'bad') return badRequest(body.message);
  const write = readWrite(body.fields, feature);
  if (write.type === 'bad') return badRequest(write.message);
  const match = readIfMatch(request.headers['if-match']);
  if (match.type === 'bad') return badRequest(match.message);
  const wait = readWait(request.query.wait);
  if (wait.type === 'bad') return badRequest(wait.message);
  const { features, presentity } = counter;
  const refused = desk.admit(request, features);
  if (refused !== undefined) return refused;
  const actor = actorOf(request, write.param);
  const { ifVersion } = match;
  const options = ifVersion === undefined ? {} : { ifVersion };
  const outcome = await features.service.set(presentity, feature, write.requested, actor, options);
  return answerOf(outcome, await delivery(counter, outcome, wait.seconds));
}

async function configure(
  desk: FeatureDesk,
  request: FastifyRequest<ByFeature>,
): Promise<FeatureAnswer> {
  const counter = strayParameter(request) ?? desk.account(request.params.account);
  if (isAnswer(counter)) return counter;
  const feature = desk.feature(request.params.feature);
  if (isAnswer(feature)) return feature;
  const body = readObject(request.body);
  if (body.type === 'bad') return badRequest(body.message);
  const flags = readFlags(body.fields);
  if (flags.type === 'bad') return badRequest(flags.message);
  const { features, presentity } = counter;
  const refused = desk.admit(request, features);
  if (refused !== undefined) return refused;
  const { service } = features;
  const actor = actorOf(request);
  const outcome = await service.configure(presentity, feature, flags.flags, actor);
  if (outcome.type !== 'applied' && outcome.type !== 'unchanged') return answerOf(outcome);
  const now = await service.read(presentity, actor);
  if (now.type !== 'state') return answerOf(outcome, { ...flags.flags });
  const { assigned, locked } = now.state[feature];
  return answerOf(outcome, { assigned, locked });
}

async function refresh(
  desk: FeatureDesk,
  request: FastifyRequest<ByAccount & Waiting>,
): Promise<FeatureAnswer> {
  const counter = strayParameter(request, ['wait']) ?? desk.account(request.params.account);
  if (isAnswer(counter)) return counter;
  const body = readNothing(request.body);
  if (body.type === 'bad') return badRequest(body.message);
  const wait = readWait(request.query.wait);
  if (wait.type === 'bad') return badRequest(wait.message);
  const { features, presentity } = counter;
  const refused = desk.admit(request, features);
  if (refused !== undefined) return refused;
  const outcome = await features.service.refresh(presentity, actorOf(request));
  if (outcome.type !== 'refreshed') return answerOfFailure(outcome);
  const { subscribers, notified } = outcome;
  const delivered = await deliveryTo(counter, notified, wait.seconds);
  return good({ subscribers, notified, ...delivered });
}

/** `delivered`, where the client waits for it. */
async function delivery(
  counter: Counter,
  outcome: FeatureOutcome,
  seconds: number,
): Promise<{ readonly delivered?: number }> {
  if (outcome.type !== 'applied' && outcome.type !== 'unchanged') return {};
  return await deliveryTo(counter, outcome.type === 'applied' ? outcome.notified : 0, seconds);
}

async function deliveryTo(
  { features, presentity }: Counter,
  notified: number,
  seconds: number,
): Promise<{ readonly delivered?: number }> {
  if (seconds === 0) return {};
  if (notified === 0) return { delivered: 0 };
  const watchers = features.service.watchersOf(presentity);
  const delivered = await deliveredWithin(watchers, seconds);
  return { delivered: Math.min(delivered, notified) };
}
