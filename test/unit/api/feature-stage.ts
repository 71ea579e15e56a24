/** The API without a socket over the real write path and a store in memory. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApi } from '../../../src/api/server.ts';
import type { FeatureService, FeatureWatcher } from '../../../src/feature-keys/feature-service.ts';
import { createFeatureService } from '../../../src/feature-keys/feature-write-path.ts';
import { createLog } from '../../../src/observe/log.ts';
import { MemoryFeatureStore } from '../../support/memory-feature-store.ts';
import { configOf, SAMPLE } from '../config/sample.ts';
import { fakeBackend } from './fake-backend.ts';

export const ACCOUNT = 'sip:2001@pbx.example';
export const ROOT = '/api/v1/features/2001@pbx.example';

export interface FeatureApi {
  readonly app: FastifyInstance;
  readonly store: MemoryFeatureStore;
  readonly service: FeatureService;
  /** Every notice that a phone of `ACCOUNT` got. */
  readonly notices: unknown[];
  ask(method: 'GET' | 'PUT' | 'PATCH' | 'POST', url: string, more?: InjectOptions): Promise<Answer>;
  put(feature: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface FeatureApiOptions {
  /** Keys of `feature-keys` as YAML flow text. */
  readonly keys?: string;
  readonly token?: string;
  /** Whether a phone is told and answers. */
  readonly phone?: 'answers' | 'silent';
  readonly isDraining?: boolean;
}

export async function openFeatureApi(options: FeatureApiOptions = {}): Promise<FeatureApi> {
  const { keys = '', token = '', phone, isDraining = false } = options;
  const section = `enabled: true, domains: { pbx.example: [ sbc.example ] }${keys}`;
  const config = configOf(`feature-keys: { ${section} }\n${SAMPLE}`).featureKeys;
  const store = new MemoryFeatureStore();
  const log = createLog('silent');
  const parts = { provider: store, history: store, config: () => config, log };
  const service = createFeatureService(parts);
  const notices: unknown[] = [];
  if (phone !== undefined) {
    const watcher: FeatureWatcher = {
      id: 'phone',
      notice: (notice) => notices.push(notice.mark),
      whenTold: () =>
        phone === 'answers' ? Promise.resolve(true) : Promise.withResolvers<boolean>().promise,
    };
    service.watch(ACCOUNT, watcher, store.account(ACCOUNT));
  }
  const features = { service, config, listSubscriptions: () => [] };
  const backend = { ...fakeBackend(), features, isDraining };
  const app = await buildApi({ listen: { address: '127.0.0.1', port: 0 }, token, backend, log });
  const ask: FeatureApi['ask'] = async (method, url, more = {}) => {
    const answer = await app.inject({ ...more, method, url });
    const body: unknown = answer.body === '' ? undefined : JSON.parse(answer.body);
    return { status: answer.statusCode, headers: answer.headers, body };
  };
  return {
    app,
    store,
    service,
    notices,
    ask,
    put: (feature, body, headers = {}) =>
      ask('PUT', `${ROOT}/${feature}`, {
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    close: async () => {
      await app.close();
      await service.close();
    },
  };
}
