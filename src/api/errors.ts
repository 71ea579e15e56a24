/** How requests fail: always JSON, one stable name and one sentence, never a stack. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../observe/log.ts';
import type { ErrorView } from './schemas.ts';

const NAMES: Readonly<Record<number, string>> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported-media-type',
  500: 'internal',
  503: 'unavailable',
};

/** The routes about feature keys, whose errors are an object of their own: what a refusal says stands beside it. */
const NESTED = /^\/(?:api\/v1\/(?:features|subscriptions|events)|mi)(?:[/?]|$)/;

/** Sends an error answer; `message` is shown to the client. */
export function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
  const view = errorView(status, message);
  const { error: code } = view;
  const isNested = NESTED.test(reply.request.url);
  return reply
    .code(status)
    .type('application/json')
    .send(isNested ? { error: { code, message } } : view);
}

/** Answers what a route or fastify itself threw: the reason for a bad request, nothing of our own faults. */
export function createErrorHandler(log: Log) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return sendError(reply, status, error.message);
    log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'API failed',
    );
    return sendError(reply, 500, 'internal error');
  };
}

/** Answers bytes that are no HTTP request. */
export function refuseBrokenRequest(_error: Error, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorView(400, 'not an HTTP request'));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function errorView(status: number, message: string): ErrorView {
  return { error: NAMES[status] ?? 'bad-request', message };
}
