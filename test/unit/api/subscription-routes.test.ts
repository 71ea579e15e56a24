import { expect, test } from 'vitest';
import type { SubscriptionView } from '../../../src/api/backend.ts';
import { buildApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { fakeBackend } from './fake-backend.ts';

function subscription(callId: string): SubscriptionView {
  const rest = { kind: 'in-dialog', eventId: '', state: 'active' } as const;
  return { callId, leg: 'caller', role: 'notifier', ...rest };
}

/** Asks for subscriptions of three calls; gives the status and their calls. */
async function ask(query: string): Promise<{ status: number; calls: string[] }> {
  const all = ['c1', 'c2', 'c3'].map((callId) => subscription(callId));
  const backend = fakeBackend({ listSubscriptions: (limit) => all.slice(0, limit) });
  const listen = { address: '127.0.0.1', port: 0 };
  const app = await buildApi({ listen, token: '', backend, log: createLog('silent') });
  const reply = await app.inject({ method: 'GET', url: `/api/v1/subscriptions${query}` });
  await app.close();
  const body: unknown = reply.json();
  const views: readonly SubscriptionView[] = Array.isArray(body) ? body : [];
  return { status: reply.statusCode, calls: views.map(({ callId }) => callId) };
}

test.each([
  ['', 200, ['c1', 'c2', 'c3']],
  ['?limit=2', 200, ['c1', 'c2']],
  ['?event=kpml&limit=1', 200, ['c1']],
  ['?event=as-feature-event&limit=1', 200, []],
  ['?limit=0', 400, []],
  ['?limit=many', 400, []],
])('%s: %i %j', async (query, status, calls) => {
  expect(await ask(query)).toEqual({ status, calls });
});
