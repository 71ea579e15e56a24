/** Asks the API of a running SBC. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { featureErrorSchema } from '../api/feature-schemas.ts';
import { errorSchema } from '../api/schemas.ts';
import type { ApiConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadConfigFile } from '../config/load-file.ts';
import { type ReceivedEvent, readEvents } from './event-reader.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { badConfig, type CommandResult, globalOptions } from './output.ts';

export const DEFAULT_API = 'http://127.0.0.1:8080';

/** Variable with the token for the API; preferred to the one in the configuration. */
export const TOKEN_VARIABLE = 'SBC_API_TOKEN';

const TIMEOUT_MS = 10_000;

export type ApiAnswer<T> =
  | { readonly type: 'answer'; readonly value: T }
  /** The SBC is there and said no. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly message: string;
      /** Stable name, where the API gives one of its own. */
      readonly code?: string;
    }
  | { readonly type: 'not-connected'; readonly message: string };

export interface ApiQuestion<T> {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Text of a configuration, sent as it is in place of `body`. */
  readonly yaml?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: z.ZodType<T>;
  /** Statuses whose body is an answer as well, besides all of 2xx. */
  readonly alsoAnswers?: readonly number[];
}

export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #timeoutMs: number;

  /** `url` without a path; `token` empty when none is needed; `timeoutMs` for each answer. */
  constructor(url: string, token = '', timeoutMs = TIMEOUT_MS) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  async ask<T>(question: ApiQuestion<T>): Promise<ApiAnswer<T>> {
    const reply = await this.#fetch(question);
    if (reply.type !== 'answer') return reply;
    const { status, text } = reply.value;
    const body = parseJson(text);
    if (!isGood(status) && question.alsoAnswers?.includes(status) !== true) {
      return refusal(status, body);
    }
    const parsed = question.answer.safeParse(body);
    if (parsed.success) return { type: 'answer', value: parsed.data };
    return { type: 'not-connected', message: `${this.#url} is not a Tonebridge API` };
  }

  /** A stream of events that goes on until `signal` is aborted; it ends when the SBC ends it. */
  async listen(
    path: string,
    signal: AbortSignal,
  ): Promise<ApiAnswer<AsyncIterable<ReceivedEvent>>> {
    const headers = new Headers({ accept: 'text/event-stream' });
    if (this.#token !== '') headers.set('authorization', `Bearer ${this.#token}`);
    try {
      const reply = await fetch(this.#url + path, { headers, signal, redirect: 'error' });
      if (!isGood(reply.status) || reply.body === null) {
        return refusal(reply.status, parseJson(await reply.text()));
      }
      return { type: 'answer', value: eventsOf(reply) };
    } catch (error) {
      return {
        type: 'not-connected',
        message: `cannot connect to ${this.#url}: ${causeOf(error)}`,
      };
    }
  }

  async #fetch({
    path,
    method = 'GET',
    body,
    yaml,
    ...question
  }: ApiQuestion<unknown>): Promise<ApiAnswer<{ readonly status: number; readonly text: string }>> {
    const headers = new Headers({ accept: 'application/json', ...question.headers });
    if (body !== undefined) headers.set('content-type', 'application/json');
    if (yaml !== undefined) headers.set('content-type', 'application/yaml');
    const sent = yaml ?? (body === undefined ? undefined : JSON.stringify(body));
    if (this.#token !== '') headers.set('authorization', `Bearer ${this.#token}`);
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs);
      // A redirect would carry the token to somebody else.
      const reply = await fetch(this.#url + path, {
        method,
        headers,
        signal,
        redirect: 'error',
        ...(sent === undefined ? {} : { body: sent }),
      });
      return { type: 'answer', value: { status: reply.status, text: await reply.text() } };
    } catch (error) {
      return {
        type: 'not-connected',
        message: `cannot connect to ${this.#url}: ${causeOf(error)}`,
      };
    }
  }
}

/** Adds `--api` to a command that talks to a running SBC. */
export function withApiOption(command: Command): Command {
  return command.option(
    '--api <url>',
    `API of the SBC (default: api.listen of the configuration, else ${DEFAULT_API}); token from ${TOKEN_VARIABLE}`,
  );
}

/** The client for the SBC the operator means, or why there is none. */
export function clientFor(
  command: Command,
  env = readEnvironment(),
  timeoutMs = TIMEOUT_MS,
): ApiClient | CommandResult {
  const token = env[TOKEN_VARIABLE] ?? '';
  const { api } = command.optsWithGlobals<{ api?: string }>();
  if (api !== undefined) {
    const isUsable = /^https?:\/\//.test(api) && URL.canParse(api);
    return isUsable
      ? new ApiClient(api, token, timeoutMs)
      : command.error(`error: --api ${api} is no http URL`);
  }
  const { config: file } = globalOptions(command);
  const loaded = loadConfigFile(file, env);
  if (loaded.type === 'config') {
    const { api: listen } = loaded.config;
    return new ApiClient(apiUrl(listen), token === '' ? listen.token : token, timeoutMs);
  }
  if (file === undefined) return new ApiClient(DEFAULT_API, token, timeoutMs);
  return badConfig(file, loaded.problems);
}

/** Where an API that listens like this is reached from the same machine. */
export function apiUrl({ address, port }: Pick<ApiConfig, 'address' | 'port'>): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address;
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

/** What a command prints when it got no answer. */
export function failure(answer: Exclude<ApiAnswer<unknown>, { type: 'answer' }>): CommandResult {
  const { type: error, message } = answer;
  const exitCode = error === 'refused' ? EXIT_CODES.findings : EXIT_CODES.notConnected;
  const code = answer.type === 'refused' && answer.code !== undefined ? { code: answer.code } : {};
  return { exitCode, text: '', errorText: `${message}\n`, json: { error, ...code, message } };
}

/** Holds the whole answer until its end: fetch cancels the body of a Response that was collected before it is read. */
async function* eventsOf(reply: Response): AsyncGenerator<ReceivedEvent> {
  if (reply.body !== null) yield* readEvents(reply.body);
}

function refusal(status: number, body: unknown): ApiAnswer<never> {
  const plain = errorSchema.safeParse(body);
  if (plain.success) return { type: 'refused', status, message: plain.data.message };
  const nested = featureErrorSchema.safeParse(body);
  const { code, message } = nested.data?.error ?? {
    code: undefined,
    message: `the SBC answered ${status}`,
  };
  return { type: 'refused', status, message, ...(code === undefined ? {} : { code }) };
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch hides the reason one level down. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
