/** The steps that all requests about feature keys have in common: served, which account, which feature, how often. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Presentity } from '../feature-keys/feature-state.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { ApiBackend } from './backend.ts';
import { readAccount } from './feature-account.ts';
import { tokenName } from './feature-actor.ts';
import { failed, type FeatureAnswer } from './feature-answers.ts';
import type { FeatureBackend } from './feature-backend.ts';
import { featureNamed } from './feature-request.ts';
import { Allowances } from './portal-limits.ts';

/** An account of ours, and what answers about it. */
export interface Counter {
  readonly features: FeatureBackend;
  readonly presentity: Presentity;
}

export type Found<T> = T | FeatureAnswer;

const MS_PER_SECOND = 1_000;

export class FeatureDesk {
  readonly #backend: ApiBackend;
  #allowances: { readonly perSecond: number; readonly byToken: Allowances } | undefined;

  constructor(backend: ApiBackend) {
    this.#backend = backend;
  }

  /** The feature keys of this SBC. */
  open(): Found<FeatureBackend> {
    const { features } = this.#backend;
    return features ?? failed(404, 'not-enabled', 'this SBC does not serve feature keys');
  }

  account(text: string): Found<Counter> {
    const features = this.open();
    if (isAnswer(features)) return features;
    const account = readAccount(text, features.config.domains);
    if (account.type === 'account') return { features, presentity: account.presentity };
    return account.type === 'malformed'
      ? badRequest(account.message)
      : failed(404, 'unknown-domain', account.message);
  }

  feature(name: string): Feature | FeatureAnswer {
    return featureNamed(name) ?? badRequest('unknown feature');
  }

  /** Counts a write of this token; an answer where there were too many. */
  admit(request: FastifyRequest, { config }: FeatureBackend): FeatureAnswer | undefined {
    const byToken = this.#limits(config.setsPerSecond);
    const token = tokenName(request);
    const seconds = byToken.waitSeconds(token);
    if (seconds === 0) {
      byToken.use(token);
      return undefined;
    }
    const message = `more than ${config.setsPerSecond} changes a second`;
    return { ...failed(429, 'rate', message), headers: { 'Retry-After': String(seconds) } };
  }

  #limits(perSecond: number): Allowances {
    if (this.#allowances?.perSecond !== perSecond) {
      const rate = { burst: perSecond, refillMs: MS_PER_SECOND / perSecond };
      const byToken = new Allowances(rate, () => performance.now());
      this.#allowances = { perSecond, byToken };
    }
    return this.#allowances.byToken;
  }
}

export function isAnswer(found: object | string): found is FeatureAnswer {
  return typeof found === 'object' && 'status' in found && 'headers' in found && 'body' in found;
}

export function badRequest(message: string): FeatureAnswer {
  return failed(400, 'bad-request', message);
}

export function sendAnswer(reply: FastifyReply, answer: FeatureAnswer): FastifyReply {
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .type('application/json; charset=utf-8')
    .send(answer.body);
}

/** An answer where the query has a parameter besides `known`. */
export function strayParameter(
  { query }: FastifyRequest,
  known: readonly string[] = [],
): FeatureAnswer | undefined {
  const names = typeof query === 'object' && query !== null ? Object.keys(query) : [];
  const stray = names.find((name) => !known.includes(name));
  return stray === undefined ? undefined : badRequest(`unknown parameter ${JSON.stringify(stray)}`);
}
