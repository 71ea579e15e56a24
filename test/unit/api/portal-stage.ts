/** The API with a portal over a store in memory, and a browser that is only its requests. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApi } from '../../../src/api/server.ts';
import type { FeatureSubscriptionView } from '../../../src/api/feature-backend.ts';
import { featureKeys } from '../../../src/config/schema-feature-keys.ts';
import type { FeatureKeysConfig } from '../../../src/config/feature-keys-config.ts';
import type {
  FeatureActor,
  FeatureEvent,
  FeatureService,
} from '../../../src/feature-keys/feature-service.ts';
import { createFeatureService } from '../../../src/feature-keys/feature-write-path.ts';
import { createLog } from '../../../src/observe/log.ts';
import { MemoryFeatureStore } from '../../support/memory-feature-store.ts';
import { fakeBackend } from './fake-backend.ts';

export const ACCOUNT = 'sip:2001@pbx.example';
export const OTHER = 'sip:2002@pbx.example';

/** A phone of the account. */
export const PHONE: FeatureActor = {
  source: 'phone',
  actor: '2001',
  origin: { userAgent: 'DeskPhone/1.0' },
};

export const USERS = {
  '2001': { password: 'secret-1' },
  '2002': { password: 'secret-2' },
  boss: { password: 'secret-3', accounts: ['2001', '2002@pbx.example'] },
};

/** The section with the given keys, all others by default. */
export function portalConfig(keys: Readonly<Record<string, unknown>> = {}): FeatureKeysConfig {
  return featureKeys.parse({
    enabled: 'true',
    domains: { 'pbx.example': ['sbc.pbx.example'] },
    users: USERS,
    provider: { kind: 'sqlite' },
    calls: {},
    ...keys,
  });
}

export interface PortalStage {
  readonly app: FastifyInstance;
  readonly store: MemoryFeatureStore;
  readonly service: FeatureService;
  readonly lines: string[];
  /** Replaced by a test: what is in force, or nothing while feature keys are not served. */
  config: FeatureKeysConfig | undefined;
  phones: readonly FeatureSubscriptionView[];
  /** A new store and service behind the same server. */
  reset(): void;
  close(): Promise<void>;
}

export async function openPortal(token = ''): Promise<PortalStage> {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const rules = portalConfig();
  const listeners = new Set<(event: FeatureEvent) => void>();
  const services: FeatureService[] = [];
  const begin = (): Pick<PortalStage, 'store' | 'service' | 'config' | 'phones'> => {
    const store = new MemoryFeatureStore();
    const parts = { provider: store, history: store, config: () => rules, log };
    const service = createFeatureService(parts);
    service.onEvent((event) => {
      for (const listener of listeners) listener(event);
    });
    services.push(service);
    return { store, service, config: rules, phones: [] };
  };
  const stage = {
    ...begin(),
    lines,
    reset: () => {
      Object.assign(stage, begin());
    },
    close: async () => {
      await app.close();
      for (const service of services) await service.close();
    },
  };
  const backend = fakeBackend({
    onFeatureEvent: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  });
  Object.defineProperty(backend, 'features', { get: () => featuresOf(stage) });
  const listen = { address: '127.0.0.1', port: 0 };
  const app = await buildApi({ listen, token, backend, log });
  return Object.assign(stage, { app });
}

function featuresOf(stage: Pick<PortalStage, 'config' | 'service' | 'phones'>) {
  const { config, service } = stage;
  if (config === undefined) return undefined;
  return {
    service,
    config,
    listSubscriptions: (account?: string) =>
      stage.phones.filter((phone) => phone.account === account),
  };
}

/** Gives the account some settings, phones and a history. */
export async function fillPortal(stage: PortalStage): Promise<void> {
  const { service } = stage;
  await service.set(ACCOUNT, 'CallForwardingAlways', { status: false, forwardTo: '2424' }, PHONE);
  const busy = { status: true, forwardTo: '+49 30 1234567' };
  await service.set(ACCOUNT, 'CallForwardingBusy', busy, { ...PHONE, source: 'api', actor: 'crm' });
  const unanswered = { status: true, forwardTo: 'sip:voicemail@pbx.example', ringCount: 4 };
  await service.set(ACCOUNT, 'CallForwardingNoAnswer', unanswered, PHONE);
  const phone = { account: ACCOUNT, event: 'as-feature-event', eventId: '', due: [] } as const;
  stage.phones = [
    {
      ...phone,
      id: 'd1',
      callId: 'c1',
      userAgent: 'DeskPhone-600-UA/5.4.0.5841',
      remote: '192.0.2.21:5060',
      transport: 'udp',
      expiresInSeconds: 3424,
    },
    {
      ...phone,
      id: 'd2',
      callId: 'c2',
      userAgent: 'SoftPhone/2.1',
      remote: '[2001:db8::21]:49152',
      transport: 'tls',
      expiresInSeconds: 1800,
    },
  ];
}

export interface PortalAnswer {
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Keeps the cookie and says that it is the page. */
export class PortalVisit {
  cookie: string | undefined;
  readonly #app: FastifyInstance;
  readonly #from: InjectOptions;

  constructor({ app }: PortalStage, from: InjectOptions = {}) {
    this.#app = app;
    this.#from = from;
  }

  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    more: InjectOptions = {},
  ): Promise<PortalAnswer> {
    const answer = await this.#app.inject({
      ...this.#from,
      ...more,
      method,
      url: `/features/api${path}`,
      headers: present({
        host: 'localhost:8080',
        'x-tonebridge-portal': '1',
        cookie: this.cookie,
        ...more.headers,
      }),
    });
    const [set] = [answer.headers['set-cookie']].flat();
    if (set !== undefined) this.cookie = set.split(';')[0];
    const data: unknown = answer.body === '' ? {} : JSON.parse(answer.body);
    const fields = typeof data === 'object' && data !== null ? { ...data } : {};
    return { status: answer.statusCode, data: fields, headers: answer.headers };
  }

  signIn(user: string, password: string): Promise<PortalAnswer> {
    return this.ask('POST', '/session', { payload: { user, password } });
  }

  set(feature: string, body: object, version?: number): Promise<PortalAnswer> {
    const headers = version === undefined ? {} : { 'if-match': `"${version}"` };
    const path = `/accounts/2001%40pbx.example/features/${feature}`;
    return this.ask('PUT', path, { payload: body, headers });
  }
}

/** Without those that are `undefined`. */
function present(headers: NonNullable<InjectOptions['headers']>) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}
