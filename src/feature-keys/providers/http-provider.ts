/** Feature state behind a webhook: one POST per operation. */

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { FeatureProviderConfig, WebhookTls } from '../../config/feature-keys-config.ts';
import { webhookProblem } from '../../config/webhook-url.ts';
import type { Feature } from '../../wire/feature-event.ts';
import type { FeatureChange, Presentity, ProviderContext, SetResult } from '../feature-state.ts';
import { accountFrom } from './account-shape.ts';
import { type ForeignAccount, parseForeignAccount, wholeAccount } from './foreign-account.ts';
import {
  AnswerError,
  type ForeignState,
  membersOf,
  parseForeignState,
  parseSetResult,
  refusalReason,
} from './foreign-state.ts';
import type { ForeignStore } from './foreign-store.ts';
import type { FeatureStoreDeps } from './open-store.ts';
import { type WebhookAnswer, WebhookClient, WebhookError } from './webhook-client.ts';

export type HttpProviderConfig = Extract<FeatureProviderConfig, { readonly kind: 'http' }>;

const POOL = { keepAlive: true, maxSockets: 16, maxFreeSockets: 16 };
const REFUSALS = new Set([403, 409, 422]);

/** @throws Error when the address or the files of TLS cannot be used. Nothing is sent yet. */
export function openHttpProvider(config: HttpProviderConfig, deps: FeatureStoreDeps): ForeignStore {
  const problem = webhookProblem(config.url, config.insecure);
  if (problem !== undefined) throw new Error(`feature provider http: ${problem}`);
  return new HttpProvider(config, deps);
}

class HttpProvider implements ForeignStore {
  readonly #agent: HttpAgent;
  readonly #client: WebhookClient;
  readonly #isBatch: boolean;

  constructor(config: HttpProviderConfig, { log, nowMs }: FeatureStoreDeps) {
    const url = new URL(config.url);
    this.#agent = url.protocol === 'https:' ? httpsAgent(config.tls) : new HttpAgent(POOL);
    this.#isBatch = config.batch;
    this.#client = new WebhookClient({
      url,
      agent: this.#agent,
      secrets: config.secrets.filter((secret) => secret !== ''),
      token: config.token,
      nowMs,
      onCircuit: (isOpen) => {
        if (isOpen) log.warn({ host: url.host }, 'feature webhook fails and is left alone');
        else log.info({ host: url.host }, 'feature webhook works again');
      },
    });
  }

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<ForeignAccount | undefined> {
    if (this.#isBatch) return this.#getBatch(presentity, context);
    const states = await accountFrom((feature) => this.#get(presentity, feature, context));
    return wholeAccount(states);
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    const answer = await this.#post({ op: 'set', presentity, feature, change }, context);
    if (REFUSALS.has(answer.status)) {
      return parseSetResult({ outcome: 'refused', reason: reasonOf(answer) }, change);
    }
    if (answer.status === 404) {
      return { ...parseSetResult({ outcome: 'refused' }, change), outcome: 'unknown-account' };
    }
    return parseSetResult(contentOf(answer), change);
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  async #get(
    presentity: Presentity,
    feature: Feature,
    context: ProviderContext,
  ): Promise<ForeignState | undefined> {
    const answer = await this.#post({ op: 'get', presentity, feature }, context);
    if (answer.status === 404) return undefined;
    const content = contentOf(answer);
    return content === null ? undefined : parseForeignState(content);
  }

  async #getBatch(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<ForeignAccount | undefined> {
    const answer = await this.#post({ op: 'get-all', presentity }, context);
    if (answer.status === 404) return undefined;
    const content = contentOf(answer);
    return content === null ? undefined : parseForeignAccount(content);
  }

  #post(
    operation: Readonly<Record<string, unknown>>,
    context: ProviderContext,
  ): Promise<WebhookAnswer> {
    const { source, actor, param, requestId, sip } = context;
    const told = { source, actor, param, requestId, ...(sip === undefined ? {} : { sip }) };
    const body = JSON.stringify({ version: 1, ...operation, context: told });
    return this.#client.send(body, context);
  }
}

function contentOf({ status, body }: WebhookAnswer): unknown {
  if (status !== 200) throw new WebhookError(`the webhook answered ${status}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new AnswerError('the answer is no JSON');
  }
}

function reasonOf({ status, body }: WebhookAnswer): string {
  try {
    const reason = refusalReason(membersOf(JSON.parse(body.toString()), 'the answer')['reason']);
    if (reason !== undefined) return reason;
  } catch {
    // Refused without a word.
  }
  return `the webhook answered ${status}`;
}

function httpsAgent(tls: WebhookTls | undefined): HttpsAgent {
  if (tls === undefined) return new HttpsAgent(POOL);
  const { certificate, key, ca } = tls;
  const context = {
    ...(certificate === undefined ? {} : { cert: readPem('certificate', certificate) }),
    ...(key === undefined ? {} : { key: readPem('key', key) }),
    ...(ca === undefined ? {} : { ca: readPem('ca', ca) }),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`feature provider http: the files of tls cannot be used: ${text}`, {
      cause: error,
    });
  }
  return new HttpsAgent({ ...POOL, ...context });
}

function readPem(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`feature provider http: ${what} ${path} cannot be read: ${text}`, {
      cause: error,
    });
  }
}
