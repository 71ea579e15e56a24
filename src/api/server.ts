/** The HTTP server: access, errors and limits; the routes stand in files of their own. */
import assert from 'node:assert/strict';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Log } from '../observe/log.ts';
import { decideAccess } from './access.ts';
import type { Access } from './access.ts';
import type { ApiBackend } from './backend.ts';
import { addCallRoutes } from './call-routes.ts';
import { addConsole } from './console-files.ts';
import { createErrorHandler, refuseBrokenRequest, sendError } from './errors.ts';
import { addFeatureApi } from './feature-api.ts';
import { KnownMethods } from './known-methods.ts';
import { addOpenApi } from './openapi.ts';
import { addPortal } from './portal-routes.ts';
import { addSystemRoutes } from './system-routes.ts';

export interface ApiOptions {
  /** IP address without brackets; port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number };
  /** Empty when none is configured. */
  readonly token: string;
  readonly backend: ApiBackend;
  readonly log: Log;
}

export interface Api {
  readonly address: string;
  readonly port: number;
  /** Ends open connections too; resolves when nothing is left. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served to everybody, with less detail for those who may not read. */
    isOpen?: boolean;
  }
}

/** Room for a configuration file. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** An account as a URI, each character escaped. */
const MAX_PARAMETER_LENGTH = 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Starts the server; rejects when it cannot listen. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = await buildApi(options);
  const { address, port } = options.listen;
  try {
    await app.listen({ host: address, port });
  } catch (error) {
    await app.close();
    throw error;
  }
  const bound = app.server.address();
  assert(bound !== null && typeof bound === 'object', 'a TCP server has an address and a port');
  return {
    address: bound.address,
    port: bound.port,
    close: async () => {
      await app.close();
    },
  };
}

/** The server without its socket. */
export async function buildApi(options: ApiOptions): Promise<FastifyInstance> {
  const { token, backend, log } = options;
  const onError = createErrorHandler(log);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    forceCloseConnections: true,
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      onError(error, request, reply);
    },
  });
  app.setErrorHandler(onError);
  const methods = new KnownMethods();
  methods.watch(app);
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url);
    if (allowed.length === 0) return sendError(reply, 404, 'there is no such resource');
    reply.header('Allow', allowed.join(', '));
    return sendError(reply, 405, `this resource takes ${allowed.join(', ')} alone`);
  });
  // Schemas of answers are for the document; leaving out what they do not name would hide mistakes.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  acceptTextBodies(app);
  app.addHook('onRequest', async (request, reply) => {
    const access = accessOf(token, request);
    if (access.type === 'allowed' || request.routeOptions.config.isOpen === true) return;
    log.warn({ remote: request.ip, method: request.method, reason: access.message }, 'API refused');
    await sendError(reply, access.status, access.message);
  });
  app.addHook('onResponse', async (request, reply) => {
    if (!isWrite(request)) return;
    const { method, ip } = request;
    // Some put the token into the query.
    const [url] = request.url.split('?', 1);
    log.info({ remote: ip, method, url, status: reply.statusCode }, 'API write');
  });
  await addOpenApi(app, backend.health().version);
  addSystemRoutes(app, backend, (request) => accessOf(token, request).type === 'allowed');
  addCallRoutes(app, backend);
  addFeatureApi(app, backend);
  await addPortal(app, { backend, token, log });
  await addConsole(app);
  return app;
}

/** Bodies are configuration files: YAML, or JSON, which is YAML too. */
function acceptTextBodies(app: FastifyInstance): void {
  const types = [
    'application/json',
    'application/yaml',
    'application/x-yaml',
    'text/plain',
    'text/yaml',
  ];
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(types, { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
}

function accessOf(token: string, request: FastifyRequest): Access {
  const { authorization, host, origin } = request.headers;
  return decideAccess(token, {
    isWrite: isWrite(request),
    remoteAddress: request.socket.remoteAddress ?? '',
    authorization,
    host,
    origin,
  });
}

function isWrite(request: FastifyRequest): boolean {
  return !READING_METHODS.has(request.method);
}
