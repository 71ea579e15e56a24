/** Who asks for a change: the API itself, or the command line behind it. */
import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { FeatureActor } from '../feature-keys/feature-service.ts';

/** Set by the command line: the operating-system user. Whoever may write may also say for whom. */
export const CLI_USER_HEADER = 'x-tonebridge-cli-user';

const USER = /^[\p{L}\p{N}._@\\$-]{1,64}$/u;

/** The only token there is has no name of its own. */
const TOKEN_NAME = 'token';
const WITHOUT_TOKEN = 'loopback';

export function actorOf(request: FastifyRequest, param: string | null = null): FeatureActor {
  const user = cliUserOf(request);
  const remote = request.ip;
  if (user !== undefined) {
    return { source: 'cli', actor: user, param, origin: { user, remote } };
  }
  const token = tokenName(request);
  const origin = { token, requestId: randomUUID(), remote };
  return { source: 'api', actor: token, param, origin };
}

/** Whose rate a write counts against. */
export function tokenName(request: FastifyRequest): string {
  return request.headers.authorization === undefined ? WITHOUT_TOKEN : TOKEN_NAME;
}

function cliUserOf({ headers }: FastifyRequest): string | undefined {
  const value = headers[CLI_USER_HEADER];
  if (typeof value !== 'string') return undefined;
  const user = decoded(value);
  return user !== undefined && USER.test(user) ? user : undefined;
}

/** Header values are ASCII: the name comes percent-encoded. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
