/** Routes of the portal about one account: its features, phones, history and what happens to it now. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FeatureActor, FeatureOutcome } from '../feature-keys/feature-service.ts';
import type { Presentity } from '../feature-keys/feature-state.ts';
import { FEATURES } from '../wire/feature-event.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { FeatureBackend } from './feature-backend.ts';
import { accountOf, accountsOf } from './portal-accounts.ts';
import type { PortalStreams } from './portal-events.ts';
import { Allowances } from './portal-limits.ts';
import { OPEN, fieldsOf, sendNotServed, sendProblem } from './portal-request.ts';
import type { PortalVisitor } from './portal-request.ts';
import { accountView, historyView, outcomeView, readFlags, readRequested } from './portal-view.ts';

export interface AccountRouteOptions {
  /** `undefined` while feature keys are not served. */
  readonly features: () => FeatureBackend | undefined;
  readonly streams: PortalStreams;
  readonly nowMs: () => number;
  readonly visitorOf: (request: FastifyRequest) => PortalVisitor | undefined;
}

interface Params {
  readonly account: string;
  readonly feature: string;
}

type AccountRequest = FastifyRequest<{ Params: Params; Querystring: { before?: string } }>;

/** What a request is about, once it is known that it may be. */
interface Matter {
  readonly features: FeatureBackend;
  readonly visitor: PortalVisitor;
  readonly presentity: Presentity;
  readonly actor: FeatureActor;
}

type Handler = (matter: Matter, request: AccountRequest, reply: FastifyReply) => Promise<unknown>;

const ACCOUNT = '/api/accounts/:account';
const FEATURE = `${ACCOUNT}/features/:feature`;
/** Changes of one session. */
const WRITE_RATE = { burst: 50, refillMs: 20 };
const HISTORY_ROWS = 10;
const STORE_RETRY_SECONDS = 5;

export function addAccountRoutes(app: FastifyInstance, options: AccountRouteOptions): void {
  const guarded = guard(options);
  const writing = limited(guarded, new Allowances(WRITE_RATE, options.nowMs));
  app.get(ACCOUNT, OPEN, guarded(readAccountState));
  app.put(FEATURE, OPEN, writing(setFeature));
  app.patch(FEATURE, OPEN, writing(configureFeature));
  app.post(`${ACCOUNT}/refresh`, OPEN, writing(refreshPhones));
  app.get(`${ACCOUNT}/history`, OPEN, guarded(readHistory));
  // A HEAD would wait for the end of a stream that has none.
  const events = { ...OPEN, exposeHeadRoute: false };
  app.get(`${ACCOUNT}/events`, events, guarded(streamEvents(options)));
}

/** Lets only those through who are signed in and have the account; others do not learn whether it exists. */
function guard(options: AccountRouteOptions) {
  return (handle: Handler) =>
    async (request: AccountRequest, reply: FastifyReply): Promise<unknown> => {
      const visitor = options.visitorOf(request);
      if (visitor === undefined) return await sendProblem(reply, 401, 'you are signed out');
      const features = options.features();
      if (features === undefined) return await sendNotServed(reply);
      const presentity = accountOf(request.params.account, features.config.domains);
      if (presentity === undefined || !mayUse(visitor, presentity, features)) {
        return await sendProblem(reply, 404, 'there is no such account');
      }
      const { login } = visitor;
      const origin = { login, address: request.ip, requestId: randomUUID() };
      const actor: FeatureActor = { source: 'portal', actor: login, origin };
      return await handle({ features, visitor, presentity, actor }, request, reply);
    };
}

function mayUse(visitor: PortalVisitor, presentity: Presentity, features: FeatureBackend): boolean {
  const { holder } = visitor.session;
  if (holder.type === 'administrator') return true;
  return accountsOf(holder.user.name, features.config).includes(presentity);
}

function streamEvents({ features, streams, visitorOf }: AccountRouteOptions): Handler {
  return async ({ presentity, visitor }, request, reply) => {
    const isAlive = (): boolean => {
      const now = visitorOf(request);
      const served = features();
      return now !== undefined && served !== undefined && mayUse(now, presentity, served);
    };
    const stream = { presentity, owner: visitor.session.key, isAlive };
    if (streams.open(reply, stream)) return await reply;
    return await sendProblem(reply, 429, 'too many pages are open');
  };
}

function limited(guarded: ReturnType<typeof guard>, allowances: Allowances) {
  return (handle: Handler) =>
    guarded(async (matter, request, reply) => {
      const { key } = matter.visitor.session;
      const waitSeconds = allowances.waitSeconds(key);
      if (waitSeconds > 0) {
        reply.header('Retry-After', String(waitSeconds));
        return await sendProblem(reply, 429, 'too many changes at once');
      }
      allowances.use(key);
      return await handle(matter, request, reply);
    });
}

const readAccountState: Handler = async (
  { features, presentity, actor, visitor },
  _request,
  reply,
) => {
  const outcome = await features.service.read(presentity, actor);
  if (outcome.type !== 'state') return await sendFailure(reply, outcome.type);
  return accountView({
    presentity,
    state: outcome.state,
    phones: features.listSubscriptions(presentity),
    config: features.config,
    isAdministrator: visitor.isAdministrator,
  });
};

const setFeature: Handler = async ({ features, presentity, actor }, request, reply) => {
  const feature = featureNamed(request.params.feature);
  if (feature === undefined) return await sendProblem(reply, 404, 'there is no such feature');
  const requested = readRequested(fieldsOf(request.body));
  if (typeof requested === 'string') return await sendProblem(reply, 400, requested);
  const ifVersion = versionOf(request.headers['if-match']);
  if (ifVersion === 'bad') return await sendProblem(reply, 400, 'If-Match names no version');
  const options = ifVersion === undefined ? {} : { ifVersion };
  const outcome = await features.service.set(presentity, feature, requested, actor, options);
  return await sendOutcome(reply, outcome);
};

const configureFeature: Handler = async (
  { features, presentity, actor, visitor },
  request,
  reply,
) => {
  if (!visitor.isAdministrator) return await sendProblem(reply, 403, 'for administrators only');
  const feature = featureNamed(request.params.feature);
  if (feature === undefined) return await sendProblem(reply, 404, 'there is no such feature');
  const flags = readFlags(fieldsOf(request.body));
  if (typeof flags === 'string') return await sendProblem(reply, 400, flags);
  const outcome = await features.service.configure(presentity, feature, flags, actor);
  return await sendOutcome(reply, outcome);
};

const refreshPhones: Handler = async ({ features, presentity, actor }, _request, reply) => {
  const outcome = await features.service.refresh(presentity, actor);
  if (outcome.type !== 'refreshed') return await sendFailure(reply, outcome.type);
  return { outcome: outcome.type, subscribers: outcome.subscribers, notified: outcome.notified };
};

const readHistory: Handler = async ({ features, presentity }, request, reply) => {
  const before = Number(request.query.before ?? Number.NaN);
  // One more than is shown tells whether there are older ones.
  const query = { limit: HISTORY_ROWS + 1, ...(Number.isSafeInteger(before) ? { before } : {}) };
  try {
    const rows = await features.service.history(presentity, query);
    return {
      rows: rows.slice(0, HISTORY_ROWS).map((row) => historyView(row)),
      hasMore: rows.length > HISTORY_ROWS,
    };
  } catch {
    return await sendFailure(reply, 'failed');
  }
};

function featureNamed(name: string): Feature | undefined {
  return FEATURES.find((feature) => feature === name);
}

/** The version in an If-Match of one entity tag (RFC 9110 §13.1.1); `*` and absence ask for none. */
function versionOf(header: string | undefined): number | undefined | 'bad' {
  if (header === undefined || header.trim() === '*') return undefined;
  const digits = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  return digits === undefined ? 'bad' : Number(digits);
}

function sendOutcome(reply: FastifyReply, outcome: FeatureOutcome): FastifyReply {
  switch (outcome.type) {
    case 'applied':
    case 'unchanged':
      return reply.code(200).send(outcomeView(outcome));
    case 'refused':
      return reply.code(409).send(outcomeView(outcome));
    case 'conflict':
      return reply.code(412).send(outcomeView(outcome));
    case 'unknown-account':
    case 'failed':
    default:
      return sendFailure(reply, outcome.type);
  }
}

function sendFailure(reply: FastifyReply, type: 'unknown-account' | 'failed'): FastifyReply {
  if (type === 'unknown-account') return sendProblem(reply, 404, 'there is no such account');
  reply.header('Retry-After', String(STORE_RETRY_SECONDS));
  return sendProblem(reply, 503, 'the store does not answer');
}
