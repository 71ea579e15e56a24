/** What the routes of the portal share: who asks, what they sent, how they fail. */
import type { FastifyReply } from 'fastify';
import type { Session } from './portal-sessions.ts';

/** Who asks, as far as the portal is concerned. */
export interface PortalVisitor {
  readonly session: Session;
  readonly isAdministrator: boolean;
  /** How the history names the visitor. */
  readonly login: string;
}

/** Of routes that judge by themselves who may use them. */
export const OPEN = { config: { isOpen: true }, schema: { hide: true } };

const NAMES = {
  400: 'bad-request',
  401: 'signed-out',
  403: 'forbidden',
  404: 'not-found',
  429: 'too-many',
  503: 'unavailable',
} as const;

/** Sends `{ error, message }`; the message is shown to people. */
export function sendProblem(
  reply: FastifyReply,
  status: keyof typeof NAMES,
  message: string,
): FastifyReply {
  return reply.code(status).type('application/json').send({ error: NAMES[status], message });
}

/** While the feature keys are switched off; the page tells it from a store that fails. */
export function sendNotServed(reply: FastifyReply): FastifyReply {
  const message = 'feature keys are not served at the moment';
  return reply.code(503).type('application/json').send({ error: 'not-served', message });
}

/** The fields of a JSON object in the body; none where it is something else. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : undefined;
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
