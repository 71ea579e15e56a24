/** The list of accounts with feature keys, as far as this SBC knows them without asking a store. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Presentity } from '../feature-keys/feature-state.ts';
import type { ApiBackend } from './backend.ts';
import type { FeatureBackend } from './feature-backend.ts';
import { sendAnswer, strayParameter } from './feature-desk.ts';
import { describeRoute } from './openapi.ts';
import { knownAccounts } from './portal-accounts.ts';

interface FeatureAccountsView {
  readonly isServed: boolean;
  /** Users of the configuration first, then accounts that only phones name. */
  readonly accounts: readonly FeatureAccountView[];
  /** There are more than are listed. */
  readonly hasMore: boolean;
}

interface FeatureAccountView {
  /** `sip:user@domain`. */
  readonly account: string;
  /** Subscriptions of phones. */
  readonly phones: number;
}

const MAX_ACCOUNTS = 1000;

const accountsSchema: z.ZodType<FeatureAccountsView> = z.strictObject({
  isServed: z.boolean(),
  accounts: z.array(z.strictObject({ account: z.string(), phones: z.number() })),
  hasMore: z.boolean(),
});

export function addFeatureAccountsRoute(app: FastifyInstance, backend: ApiBackend): void {
  const summary = 'Accounts with feature keys: users of the configuration and those of phones';
  const schema = describeRoute({ summary, answer: accountsSchema });
  app.get('/api/v1/features', { schema }, async (request, reply) => {
    const stray = strayParameter(request);
    if (stray !== undefined) return sendAnswer(reply, stray);
    const { features } = backend;
    return features === undefined
      ? { isServed: false, accounts: [], hasMore: false }
      : accountsView(features);
  });
}

function accountsView(features: FeatureBackend): FeatureAccountsView {
  const phones = new Map<Presentity, number>();
  for (const account of knownAccounts(features.config)) phones.set(account, 0);
  for (const { account } of features.listSubscriptions()) {
    phones.set(account, (phones.get(account) ?? 0) + 1);
  }
  const accounts = Array.from(phones, ([account, count]) => ({ account, phones: count }));
  return {
    isServed: true,
    accounts: accounts.slice(0, MAX_ACCOUNTS),
    hasMore: accounts.length > MAX_ACCOUNTS,
  };
}
