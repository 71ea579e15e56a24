/** What every feature provider has to do, whatever stores the state behind it. */
import { afterEach, describe, expect, test } from 'vitest';
import type {
  FeatureChange,
  FeatureHistory,
  FeatureProvider,
  HistoryRow,
  ProviderContext,
  RequestedFeature,
} from '../../src/feature-keys/feature-state.ts';
import { FEATURES, type Feature } from '../../src/wire/feature-event.ts';

export interface OpenedProvider {
  readonly provider: FeatureProvider;
  readonly history: FeatureHistory;
}

export const ACCOUNT = 'sip:2001@pbx.example';
export const OTHER = 'sip:2002@pbx.example';

let requests = 0;

/** A context as the service makes them. */
export function contextOf(part: Partial<ProviderContext> = {}): ProviderContext {
  requests += 1;
  return {
    source: 'phone',
    actor: '2001',
    param: null,
    requestId: `request-${requests}`,
    deadlineMs: 3000,
    signal: new AbortController().signal,
    origin: { callId: 'a1f00d', userAgent: 'DeskPhone/1.0', remote: '192.0.2.21:5060' },
    dialogs: 2,
    ...part,
  };
}

/** A change as the service makes it: merged with what the provider says now. */
export async function changeOf(
  provider: FeatureProvider,
  presentity: string,
  feature: Feature,
  requested: RequestedFeature,
): Promise<FeatureChange> {
  const account = await provider.getAll(presentity, contextOf());
  if (account === undefined) throw new Error(`${presentity} does not exist`);
  const current = account[feature];
  const { status, forwardTo, ringCount } = requested;
  const values = {
    ...current.values,
    ...(typeof forwardTo === 'string' ? { forwardTo } : {}),
    ...(typeof ringCount === 'number' ? { ringCount } : {}),
  };
  return { requested, current, proposed: { status, values } };
}

/** Reads, merges and sets, as the service does. */
export async function change(
  provider: FeatureProvider,
  presentity: string,
  feature: Feature,
  requested: RequestedFeature,
): ReturnType<FeatureProvider['set']> {
  const made = await changeOf(provider, presentity, feature, requested);
  return provider.set(presentity, feature, made, contextOf());
}

export function providerConformance(name: string, open: () => Promise<OpenedProvider>): void {
  describe(`${name} provider`, () => {
    let opened: OpenedProvider | undefined;
    const start = async (): Promise<OpenedProvider> => {
      opened = await open();
      return opened;
    };
    afterEach(async () => {
      await opened?.provider.close();
      await opened?.history.close();
      opened = undefined;
    });

    test('an account that nobody changed has every feature, off', async () => {
      const { provider } = await start();
      const account = await provider.getAll(ACCOUNT, contextOf());
      expect(Object.keys(account ?? {})).toEqual([...FEATURES]);
      for (const feature of FEATURES) {
        expect(account?.[feature]).toMatchObject({
          status: false,
          values: {},
          assigned: true,
          notify: true,
          locked: false,
          version: 0,
        });
      }
    });

    test('what is set is read again, of that account and that feature alone', async () => {
      const { provider } = await start();
      const wanted = { status: true, forwardTo: 'sip:Müller "1"&<x>@pbx.example', ringCount: 8 };
      const result = await change(provider, ACCOUNT, 'CallForwardingNoAnswer', wanted);
      const values = { forwardTo: wanted.forwardTo, ringCount: 8 };
      expect(result).toMatchObject({ outcome: 'applied', status: true, values, assigned: true });
      const account = await provider.getAll(ACCOUNT, contextOf());
      expect(account?.CallForwardingNoAnswer).toMatchObject({ status: true, values });
      expect(account?.DoNotDisturb.status).toBe(false);
      expect(account?.CallForwardingBusy).toMatchObject({ status: false, values: {} });
      const other = await provider.getAll(OTHER, contextOf());
      expect(other?.CallForwardingNoAnswer).toMatchObject({ status: false, values: {} });
    });

    test('each change raises the version of its feature by one and is dated', async () => {
      const { provider } = await start();
      for (const [status, version] of [
        [true, 1],
        [false, 2],
        [true, 3],
      ] as const) {
        const result = await change(provider, ACCOUNT, 'DoNotDisturb', { status });
        expect(result.version).toBe(version);
        const account = await provider.getAll(ACCOUNT, contextOf());
        expect(account?.DoNotDisturb.version).toBe(version);
        expect(account?.DoNotDisturb.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(account?.CallForwardingAlways.version).toBe(0);
      }
    });

    test('a number that is cleared is gone', async () => {
      const { provider } = await start();
      await change(provider, ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo: '2424' });
      const made = await changeOf(provider, ACCOUNT, 'CallForwardingBusy', {
        status: false,
        forwardTo: null,
      });
      const cleared: FeatureChange = { ...made, proposed: { status: false, values: {} } };
      await provider.set(ACCOUNT, 'CallForwardingBusy', cleared, contextOf({ source: 'api' }));
      const account = await provider.getAll(ACCOUNT, contextOf());
      expect(account?.CallForwardingBusy).toMatchObject({ status: false, values: {} });
      expect(account?.CallForwardingBusy.values).not.toHaveProperty('forwardTo');
    });

    test('accounts and features at the same time do not disturb each other', async () => {
      const { provider } = await start();
      const accounts = Array.from({ length: 6 }, (_, index) => `sip:30${index}@pbx.example`);
      await Promise.all(
        accounts.flatMap((account) =>
          FEATURES.map((feature) =>
            change(provider, account, feature, { status: true, forwardTo: `9${account}` }),
          ),
        ),
      );
      for (const account of accounts) {
        const state = await provider.getAll(account, contextOf());
        for (const feature of FEATURES) {
          expect(state?.[feature]).toMatchObject({ status: true, version: 1 });
          expect(state?.[feature].values.forwardTo).toBe(`9${account}`);
        }
      }
    });

    test('the history holds each change once, newest first, and pages', async () => {
      const { provider, history } = await start();
      for (const status of [true, false, true]) {
        const result = await change(provider, ACCOUNT, 'DoNotDisturb', { status });
        // As the service does it for stores that do not write it with the change.
        if (!provider.writesHistory) await history.add(applied(status, result.version ?? 0));
      }
      await history.add(refused());
      const rows = await history.list(ACCOUNT, {});
      expect(rows.map(({ outcome, version }) => [outcome, version])).toEqual([
        ['refused', undefined],
        ['applied', 3],
        ['applied', 2],
        ['applied', 1],
      ]);
      expect(rows[1]).toMatchObject({
        feature: 'DoNotDisturb',
        old: { status: false },
        new: { status: true },
        source: 'phone',
        actor: '2001',
        origin: { callId: 'a1f00d', userAgent: 'DeskPhone/1.0', remote: '192.0.2.21:5060' },
        param: null,
        dialogs: 2,
      });
      expect(rows[0]).toMatchObject({ reason: 'locked', param: 'by hand', source: 'api' });
      const before = rows[1]?.id ?? 0;
      const older = await history.list(ACCOUNT, { before, limit: 1 });
      expect(older.map(({ version }) => version)).toEqual([2]);
      const ofOne = await history.list(ACCOUNT, { feature: 'CallForwardingBusy' });
      expect(ofOne.map(({ outcome }) => outcome)).toEqual(['refused']);
      expect(await history.list(ACCOUNT, { to: '2001-01-01T00:00:00Z' })).toEqual([]);
      expect(await history.list(ACCOUNT, { from: '2999-01-01T01:00:00+01:00' })).toEqual([]);
      expect(await history.list(OTHER, {})).toEqual([]);
    });

    test('what is closed refuses, and closing twice is closing once', async () => {
      const { provider, history } = await start();
      await provider.close();
      await history.close();
      await provider.close();
      await expect(provider.getAll(ACCOUNT, contextOf())).rejects.toThrow(/closed/);
    });
  });
}

function applied(status: boolean, version: number): HistoryRow {
  const { source, actor, param, origin } = contextOf();
  return {
    at: new Date().toISOString(),
    presentity: ACCOUNT,
    feature: 'DoNotDisturb',
    outcome: 'applied',
    old: { status: !status },
    new: { status },
    source,
    actor,
    origin,
    param,
    version,
    dialogs: 2,
  };
}

function refused(): HistoryRow {
  return {
    at: new Date().toISOString(),
    presentity: ACCOUNT,
    feature: 'CallForwardingBusy',
    outcome: 'refused',
    reason: 'locked',
    old: { status: false },
    source: 'api',
    actor: 'portal',
    origin: { remote: '192.0.2.9' },
    param: 'by hand',
    dialogs: 0,
  };
}
