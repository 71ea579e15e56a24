import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import { startEngine } from '../../src/engine/engine.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import { EnginePeer } from './engine-peer.ts';

/** What these tests use of drachtio-srf; its own typings leave out half of it. */
export interface AppMessage {
  readonly method: string;
  readonly body: string;
  readonly status: number;
  readonly receivedOn?: string;
  readonly source: string;
  readonly stackDialogId: string;
  get(name: string): string;
  has(name: string): boolean;
}

export interface AppRequest extends AppMessage, EventEmitter {
  cancel(options?: object, callback?: (error: unknown) => void): void;
}

export interface AppResponse extends AppMessage {
  send(
    status: number,
    options?: object,
    callback?: (error: unknown, sent: AppMessage) => void,
  ): void;
}

export interface AppDialog extends EventEmitter {
  readonly id: string;
  readonly connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  request(options: object): Promise<AppMessage>;
  modify(sdp: string): Promise<string>;
  destroy(): Promise<unknown>;
}

export type AppHandler = (request: AppRequest, response: AppResponse) => void;

export interface App extends EventEmitter {
  connect(options: object): void;
  disconnect(): void;
  invite(handler: AppHandler): void;
  subscribe(handler: AppHandler): void;
  notify(handler: AppHandler): void;
  options(handler: AppHandler): void;
  createUAS(request: AppRequest, response: AppResponse, options: object): Promise<AppDialog>;
  createUAC(uri: string, options: object, progress?: object): Promise<AppDialog>;
  createB2BUA(
    request: AppRequest,
    response: AppResponse,
    uri: string,
    options: object,
  ): Promise<{ uas: AppDialog; uac: AppDialog }>;
  request(
    uri: string,
    options: object,
    callback: (error: Error | null, request: AppRequest) => void,
  ): void;
}

// The library is CommonJS and exports its class; the interface above stands for it.
const Srf: new () => App = createRequire(import.meta.url)('drachtio-srf');

/** An engine on free loopback ports with everything that hangs on it; `close` ends it all. */
export class EngineBench {
  readonly #engine: Engine;
  readonly #apps = new Set<App>();
  readonly #peers: EnginePeer[] = [];

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async start(options: Partial<EngineOptions> = {}): Promise<EngineBench> {
    const listen = (['udp', 'tcp'] as const).map((protocol) => {
      return { protocol, address: '127.0.0.1', port: 0 };
    });
    const admin = { host: '127.0.0.1', port: 0 };
    return new EngineBench(await startEngine({ listen, admin, secret: 'cymru', ...options }));
  }

  get sipPort(): number {
    return this.#engine.listenPoints[0]?.port ?? 0;
  }

  get listenPoints(): Engine['listenPoints'] {
    return this.#engine.listenPoints;
  }

  get adminPort(): number {
    return this.#engine.adminPort;
  }

  get tcpPort(): number {
    return this.#engine.listenPoints[1]?.port ?? 0;
  }

  /** An application; `prepare` sets its handlers, whose routes are known when this returns. */
  async app(prepare: (app: App) => void = () => undefined): Promise<App> {
    const app = await connectApp(this.#engine.adminPort, prepare);
    this.#apps.add(app);
    return app;
  }

  /** The application goes away; a second time the library would throw. */
  disconnect(app: App): void {
    if (this.#apps.delete(app)) app.disconnect();
  }

  async peer(port = 0): Promise<EnginePeer> {
    const peer = await EnginePeer.open(this.sipPort, port);
    this.#peers.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    for (const app of this.#apps) this.disconnect(app);
    for (const peer of this.#peers) peer.close();
    await this.#engine.close();
  }
}

/** Connects an application to an admin port. */
export async function connectApp(
  adminPort: number,
  prepare: (app: App) => void = () => undefined,
): Promise<App> {
  const app = new Srf();
  app.on('error', () => undefined);
  prepare(app);
  app.connect({ host: '127.0.0.1', port: adminPort, secret: 'cymru' });
  await once(app, 'connect');
  // Its routes are already on their way; an answered request says that they have arrived.
  await answered(app);
  return app;
}

/** Resolves when the engine has taken everything the application said so far. */
function answered(app: App): Promise<void> {
  return new Promise((resolve) => {
    app.request('sip:nobody@[', { method: 'OPTIONS' }, () => resolve());
  });
}

/** A promise and the function that resolves it, for events that tests wait for. */
export function signal<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  return Promise.withResolvers<Value>();
}
