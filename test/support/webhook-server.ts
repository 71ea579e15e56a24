/** A webhook for feature state on loopback: keeps the state, records what comes, and answers as it is told. */
import { createServer as createHttpServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface WebhookRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  /** The body, read as JSON. */
  readonly op: string;
  readonly presentity: string;
  readonly feature: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface WebhookReply {
  readonly status: number;
  /** Sent as it is when it is text, else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is done with a request: an answer, no answer at all, the end of the connection, or what the state says. */
export type WebhookTurn = WebhookReply | 'silence' | 'hang-up' | 'normal';

export interface WebhookTls {
  readonly cert: string;
  readonly key: string;
  /** Authority whose certificates clients must show. */
  readonly ca: string;
}

export class WebhookServer {
  readonly requests: WebhookRequest[] = [];
  /** Decides over each request; its index counts from 0. */
  decide: (request: WebhookRequest, index: number) => WebhookTurn = () => 'normal';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #states = new Map<string, unknown>();
  /** Connections that were ever made. */
  connections = 0;

  private constructor(tls: WebhookTls | undefined) {
    const handle = (message: Request, response: ServerResponse): void => {
      void this.#handle(message, response);
    };
    this.#server =
      tls === undefined
        ? createHttpServer(handle)
        : createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, handle);
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(tls?: WebhookTls): Promise<WebhookServer> {
    const webhook = new WebhookServer(tls);
    await new Promise<void>((resolve) => {
      webhook.#server.listen(0, '127.0.0.1', resolve);
    });
    return webhook;
  }

  get port(): number {
    // A server that listens on TCP has such an address.
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/dfks`;
  }

  /** What `get` says of a feature. */
  put(presentity: string, feature: string, state: unknown): void {
    this.#states.set(`${presentity} ${feature}`, state);
  }

  /** Forgets the state and the requests, and answers from the state again. */
  reset(): void {
    this.#states.clear();
    this.requests.length = 0;
    this.decide = () => 'normal';
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #handle(message: Request, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    const raw = Buffer.concat(chunks).toString();
    const body: Record<string, unknown> = JSON.parse(raw);
    const request: WebhookRequest = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers: message.headers,
      raw,
      op: String(body['op']),
      presentity: String(body['presentity']),
      feature: String(body['feature']),
      body,
    };
    this.requests.push(request);
    const turn = this.decide(request, this.requests.length - 1);
    if (turn === 'silence') return;
    if (turn === 'hang-up') {
      message.socket.destroy();
      return;
    }
    const {
      status,
      body: answer = {},
      headers = {},
    } = turn === 'normal' ? this.#normal(request) : turn;
    response.writeHead(status, headers);
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }

  #normal({ op, presentity, feature, body }: WebhookRequest): WebhookReply {
    const stateOf = (name: string): unknown => this.#states.get(`${presentity} ${name}`) ?? {};
    if (op === 'get') return { status: 200, body: stateOf(feature) };
    if (op === 'get-all') {
      const names = ['DoNotDisturb', 'CallForwardingBusy', 'CallForwardingNoAnswer'];
      const states = names.map((name) => [name, stateOf(name)]);
      const always = 'CallForwardingAlways';
      return { status: 200, body: { ...Object.fromEntries(states), [always]: stateOf(always) } };
    }
    const change: { proposed?: unknown } = Object(body['change']);
    this.put(presentity, feature, change.proposed);
    return { status: 200 };
  }
}

type Request = Parameters<Parameters<typeof createHttpServer>[1] & object>[0];
