/** One POST to a webhook: sent, timed, its answer collected up to a limit. */

import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export const CONNECT_TIMEOUT_MS = 500;
/** From the moment the request has a connection of the pool, or may open one, to the end of the answer. */
export const ATTEMPT_TIMEOUT_MS = 1000;
export const ANSWER_LIMIT_BYTES = 65_536;

export interface WebhookPost {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export type AttemptResult =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly body: Buffer;
    }
  /** No connection, none any more, or no answer in time. */
  | { readonly type: 'unreachable'; readonly reason: string }
  | { readonly type: 'too-long' }
  | { readonly type: 'aborted' };

/** Never rejects. */
export function postOnce(post: WebhookPost): Promise<AttemptResult> {
  const { url, agent, headers, body, signal } = post;
  const options: RequestOptions = { method: 'POST', agent, headers, signal };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve({ type: 'aborted' });
      return;
    }
    const request = send(url, options);
    const timers = limitTime(request);
    const end = (result: AttemptResult): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve(result);
    };
    request.once('response', (response) => {
      collect(response, (result) => {
        // Reading on would only fill memory; the connection is of no further use.
        if (result.type === 'too-long') request.destroy();
        end(result);
      });
    });
    // An answer that breaks off is an error of the response alone; more errors may follow the first.
    request.on('error', (error) => {
      end(signal.aborted ? { type: 'aborted' } : { type: 'unreachable', reason: reasonOf(error) });
    });
    request.end(body);
  });
}

/** Starts when the request leaves the queue of the pool: waiting there is no fault of the webhook. */
function limitTime(request: ClientRequest): Set<NodeJS.Timeout> {
  const timers = new Set<NodeJS.Timeout>();
  const limit = (ms: number, text: string): NodeJS.Timeout => {
    const timer = setTimeout(() => request.destroy(new Error(text)), ms);
    timers.add(timer);
    return timer;
  };
  request.once('socket', (socket) => {
    limit(ATTEMPT_TIMEOUT_MS, `no answer within ${ATTEMPT_TIMEOUT_MS} ms`);
    if (!socket.connecting) return;
    const connecting = limit(CONNECT_TIMEOUT_MS, `no connection within ${CONNECT_TIMEOUT_MS} ms`);
    socket.once('connect', () => clearTimeout(connecting));
  });
  return timers;
}

function collect(response: IncomingMessage, end: (result: AttemptResult) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > ANSWER_LIMIT_BYTES) end({ type: 'too-long' });
    else chunks.push(chunk);
  });
  response.once('end', () => {
    const { statusCode: status = 0, headers } = response;
    const body = Buffer.concat(chunks);
    end({ type: 'answer', status, retryAfter: headers['retry-after'], body });
  });
  response.on('error', (error) => end({ type: 'unreachable', reason: reasonOf(error) }));
}

function reasonOf(error: Error): string {
  // Of several addresses of a host each has an error of its own, and the whole has no text.
  if (error instanceof AggregateError && error.errors.length > 0) {
    const [first]: unknown[] = error.errors;
    if (first instanceof Error) return first.message;
  }
  return error.message === '' ? error.name : error.message;
}
