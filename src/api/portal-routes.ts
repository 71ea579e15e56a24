/**
 * The portal at `/features`: its page, who is signed in, and the accounts behind it. It does not go by the table of
 * access.ts, since its users have no token:
 *
 *   signed in with               sees and changes                         may be asked from
 *   name and password of a user  the accounts of that user                everywhere
 *   the token                    every account, also assigned and locked  everywhere
 *   nothing, no token configured the same                                 loopback, as the API allows it there
 *
 * A session is a random secret in a cookie. Everything but reading must come from our own page.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { Log } from '../observe/log.ts';
import { decideAccess } from './access.ts';
import type { ApiBackend } from './backend.ts';
import { addAccountRoutes } from './portal-account-routes.ts';
import {
  accountsOf,
  isSameText,
  isStillValid,
  knownAccounts,
  userNameOf,
  verifyUser,
} from './portal-accounts.ts';
import { PortalStreams } from './portal-events.ts';
import { addPortalFiles } from './portal-files.ts';
import {
  SignInLimits,
  isOwnPage,
  secureHeaders,
  sessionSecret,
  setSessionCookie,
} from './portal-guard.ts';
import type { FeatureBackend } from './feature-backend.ts';
import { OPEN, fieldsOf, sendNotServed, sendProblem } from './portal-request.ts';
import type { PortalVisitor } from './portal-request.ts';
import { PortalSessions } from './portal-sessions.ts';
import type { SessionHolder } from './portal-sessions.ts';

export interface PortalOptions {
  readonly backend: Pick<ApiBackend, 'features' | 'onFeatureEvent'>;
  /** Of the API; empty when none is configured. */
  readonly token: string;
  readonly log: Log;
  /** Milliseconds that never go back. */
  readonly nowMs?: () => number;
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const BODY_LIMIT_BYTES = 16 * 1024;
const ADMINISTRATOR = 'administrator';

/** Adds the portal; resolves when its files are read. */
export async function addPortal(app: FastifyInstance, options: PortalOptions): Promise<void> {
  const nowMs = options.nowMs ?? (() => performance.now());
  const { backend } = options;
  const streams = new PortalStreams(backend.onFeatureEvent, () => backend.features?.config);
  const desk = new PortalDesk(options, nowMs, (key) => streams.endOf(key));
  const features = (): FeatureBackend | undefined => backend.features;
  const visitorOf = (request: FastifyRequest): PortalVisitor | undefined => desk.visitorOf(request);
  await app.register(
    async (portal) => {
      acceptJson(portal);
      portal.addHook('preClose', async () => streams.close());
      portal.addHook('onRequest', async (request, reply) => {
        secureHeaders(reply);
        if (READING_METHODS.has(request.method) || isOwnPage(request)) return;
        await sendProblem(reply, 403, 'this is for the page of the portal only');
      });
      await addPortalFiles(portal);
      addSessionRoutes(portal, desk);
      addAccountRoutes(portal, { features, streams, nowMs, visitorOf });
    },
    { prefix: '/features' },
  );
}

function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (_request, body, done) => done(null, body),
  );
}

function addSessionRoutes(app: FastifyInstance, desk: PortalDesk): void {
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/features/api/')) reply.header('Cache-Control', 'no-store');
  });
  app.get('/api/session', OPEN, (request, reply) => reply.send(desk.describe(request)));
  app.post('/api/session', OPEN, (request, reply) => desk.signIn(request, reply));
  app.delete('/api/session', OPEN, (request, reply) => {
    desk.signOut(request);
    setSessionCookie(request, reply, '');
    return reply.code(204).send();
  });
}

/** Signs people in and out and knows who they are. */
class PortalDesk {
  readonly #options: PortalOptions;
  readonly #sessions: PortalSessions;
  readonly #limits: SignInLimits;
  readonly #onSignedOut: (key: string) => void;

  /** @param onSignedOut gets the key of a session that has ended. */
  constructor(options: PortalOptions, nowMs: () => number, onSignedOut: (key: string) => void) {
    this.#options = options;
    this.#onSignedOut = onSignedOut;
    this.#sessions = new PortalSessions(nowMs);
    this.#limits = new SignInLimits(nowMs);
  }

  visitorOf(request: FastifyRequest): PortalVisitor | undefined {
    const secret = sessionSecret(request);
    const session = secret === undefined ? undefined : this.#sessions.find(secret);
    if (session === undefined) return undefined;
    const { holder, key } = session;
    if (holder.type === 'administrator') {
      return { session, isAdministrator: true, login: ADMINISTRATOR };
    }
    const config = this.#config();
    // Switched off for a while is no reason to sign anybody out.
    if (config === undefined || isStillValid(holder.user, config)) {
      return { session, isAdministrator: false, login: holder.user.name };
    }
    this.#end(key);
    return undefined;
  }

  /** What the page needs to know before anything else. */
  describe(request: FastifyRequest): Record<string, unknown> {
    const visitor = this.visitorOf(request);
    if (visitor !== undefined) return this.#describeVisitor(visitor);
    if (this.#config() === undefined) return { type: 'not-served' };
    return { type: 'nobody', isOpenHere: this.#isOpenHere(request) };
  }

  async signIn(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const fields = fieldsOf(request.body);
    const name = typeof fields['user'] === 'string' ? fields['user'].slice(0, 256).trim() : '';
    const { log } = this.#options;
    const remote = request.ip;
    const config = this.#config();
    if (config === undefined) return await sendNotServed(reply);
    // However the name is spelled, it has one allowance.
    const limited = userNameOf(name, config);
    const waitSeconds = this.#limits.waitSeconds(limited, remote);
    if (waitSeconds > 0) {
      reply.header('Retry-After', String(waitSeconds));
      return await sendProblem(
        reply,
        429,
        `too many failed attempts, try again in ${waitSeconds} s`,
      );
    }
    const holder = this.#holderOf(request, name, fields);
    if (holder === undefined) {
      this.#limits.failed(limited, remote);
      // Some type their password in place of the name: only names that exist are worth a line.
      const login = Object.hasOwn(config.users, limited) ? limited : 'unknown';
      log.warn({ remote, login }, 'portal: sign-in refused');
      return await sendProblem(reply, 403, 'the name and the password do not fit');
    }
    // A secret from before would otherwise last on beside the new one.
    this.signOut(request);
    const secret = this.#sessions.open(holder);
    setSessionCookie(request, reply, secret);
    log.info({ remote, login: name === '' ? ADMINISTRATOR : name }, 'portal: signed in');
    const session = this.#sessions.find(secret);
    if (session === undefined) throw new Error('a session just opened lasts');
    return this.#describeVisitor({
      session,
      isAdministrator: holder.type === 'administrator',
      login: holder.type === 'user' ? holder.user.name : ADMINISTRATOR,
    });
  }

  signOut(request: FastifyRequest): void {
    const secret = sessionSecret(request);
    const session = secret === undefined ? undefined : this.#sessions.find(secret);
    if (session !== undefined) this.#end(session.key);
  }

  #end(key: string): void {
    this.#sessions.end(key);
    this.#onSignedOut(key);
  }

  #config(): FeatureKeysConfig | undefined {
    return this.#options.backend.features?.config;
  }

  #holderOf(
    request: FastifyRequest,
    name: string,
    fields: Readonly<Record<string, unknown>>,
  ): SessionHolder | undefined {
    const { token } = this.#options;
    const config = this.#config();
    if (name === '') {
      const sent = fields['token'];
      const isRight =
        token === ''
          ? this.#isOpenHere(request)
          : typeof sent === 'string' && isSameText(sent.trim(), token);
      return isRight ? { type: 'administrator' } : undefined;
    }
    const password = fields['password'];
    if (typeof password !== 'string' || password === '' || password.length > 1024) return undefined;
    if (config === undefined) return undefined;
    const user = verifyUser(name, password, config);
    return user === undefined ? undefined : { type: 'user', user };
  }

  /** True: the API would let this request change anything although no token is configured. */
  #isOpenHere(request: FastifyRequest): boolean {
    if (this.#options.token !== '') return false;
    const { authorization, host, origin } = request.headers;
    const remoteAddress = request.socket.remoteAddress ?? '';
    const access = { isWrite: true, remoteAddress, authorization, host, origin };
    return decideAccess('', access).type === 'allowed';
  }

  #describeVisitor({ session: { holder }, login }: PortalVisitor): Record<string, unknown> {
    const config = this.#config();
    if (config === undefined) return { type: 'not-served' };
    const accounts =
      holder.type === 'user' ? accountsOf(holder.user.name, config) : knownAccounts(config);
    return { type: holder.type, login, accounts: accounts.map((account) => account.slice(4)) };
  }
}
