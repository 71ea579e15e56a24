import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ACCOUNT, API, FeatureDesk, PHONE } from '../../support/feature-desk.ts';
import { MemoryFeatureStore } from '../../support/memory-feature-store.ts';

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers left behind`);
});

/** Lets everything that is under way come to its end. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

describe('a change behind our back', () => {
  test('is told to every phone, and recorded as the store’s', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.changeBehind(ACCOUNT, CFA, { status: true, values: { forwardTo: '7' } });
    await settle();
    expect(a.notices).toMatchObject([{ state: { CallForwardingAlways: { status: true } } }]);
    expect([a.told(), b.told()]).toEqual([[CFA], [CFA]]);
    expect(desk.rows()).toEqual(['applied CallForwardingAlways off on/7']);
    expect(desk.store.rows).toMatchObject([{ source: 'provider', actor: 'provider', dialogs: 2 }]);
    expect(desk.events).toContainEqual(
      expect.objectContaining({ type: 'feature-changed', source: 'provider', version: 1 }),
    );
  });

  test('of whether a feature is assigned has the full state told', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.changeBehind(ACCOUNT, CFB, { assigned: false });
    await settle();
    expect(a.told()).toEqual(['full']);
    expect(desk.rows()).toEqual([]);
  });

  test('that changes nothing is told to nobody', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.changeBehind(ACCOUNT, CFB, { locked: true });
    await settle();
    expect(a.told()).toEqual([]);
  });

  test('that was our own does not come back', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    await desk.press(a, { feature: DND, status: true });
    desk.store.changeBehind(ACCOUNT, DND, {});
    await settle();
    expect(a.told()).toEqual([`${DND}!`]);
    expect(desk.rows()).toEqual(['applied DoNotDisturb off on']);
  });

  test('is told to the phones that were there even if another one has fetched it since', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    const b = await desk.phone('b');
    expect([a.told(), b.told()]).toEqual([[DND], []]);
    expect(desk.store.rows).toMatchObject([{ outcome: 'applied', source: 'provider' }]);
    desk.store.changeBehind(ACCOUNT, DND, {});
    await settle();
    expect([a.told(), b.told()]).toEqual([[], []]);
  });

  test('is told once it is back, if a phone was told otherwise in between', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    // Another node switches it on, and the report of it is still under way.
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await desk.press(a, { feature: DND, status: true });
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], [DND]]);
    desk.store.changeBehind(ACCOUNT, DND, { status: false });
    await settle();
    expect(a.notices).toMatchObject([{ state: { DoNotDisturb: { status: false } } }]);
    expect([a.told(), b.told()]).toEqual([[DND], [DND]]);
    expect(desk.rows()).toEqual(['applied DoNotDisturb off on', 'applied DoNotDisturb on off']);
    desk.store.changeBehind(ACCOUNT, DND, {});
    await settle();
    expect(a.told()).toEqual([]);
  });

  test('is read once, however often it is reported while one reading waits', async () => {
    const desk = new FeatureDesk();
    await desk.phone('a');
    desk.store.held.add('get');
    const first = desk.service.read(ACCOUNT, PHONE);
    for (let round = 0; round < 100; round += 1) {
      desk.store.changeBehind(ACCOUNT, DND, { status: round % 2 === 0 });
    }
    desk.store.release();
    await first;
    await settle();
    // The fetch of the phone, the one that was held, and one for all the reports.
    expect(desk.store.calls).toHaveLength(3);
  });

  test('that is reported while an older state is under way is read again', async () => {
    const store = new MemoryFeatureStore();
    const read = store.getAll.bind(store);
    store.getAll = async (...request) => {
      const state = await read(...request);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return state;
    };
    const desk = new FeatureDesk(store);
    const subscribed = desk.phone('a');
    await vi.advanceTimersByTimeAsync(100);
    const a = await subscribed;
    store.changeBehind(ACCOUNT, DND, { status: true });
    await vi.advanceTimersByTimeAsync(50);
    store.changeBehind(ACCOUNT, CFB, { status: true, values: { forwardTo: '7' } });
    await vi.advanceTimersByTimeAsync(200);
    expect(a.told()).toEqual([DND, CFB]);
  });

  test('that crosses the first reading of an account is not missed by the next call', async () => {
    const store = new MemoryFeatureStore();
    const read = store.getAll.bind(store);
    store.getAll = async (...request) => {
      const state = await read(...request);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return state;
    };
    const desk = new FeatureDesk(store);
    const first = desk.service.forCall(ACCOUNT);
    await vi.advanceTimersByTimeAsync(50);
    store.changeBehind(ACCOUNT, DND, { status: true });
    await vi.advanceTimersByTimeAsync(200);
    expect(await first).toMatchObject({ DoNotDisturb: { status: false } });
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: true } });
  });

  test('of an account that nobody watches or knows is not even read', async () => {
    const desk = new FeatureDesk();
    desk.store.changeBehind('sip:2099@pbx.example', DND, { status: true });
    await settle();
    expect(desk.store.calls).toEqual([]);
  });

  test('is looked for again when the store could not be read', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.failing.add('get');
    desk.store.changeBehind(ACCOUNT, DND, { status: true });
    await settle();
    desk.store.failing.clear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(a.told()).toEqual([DND]);
  });

  test('is not looked for any more once the service is closed', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.failing.add('get');
    desk.store.changeBehind(ACCOUNT, DND, { status: true });
    await settle();
    await desk.service.close();
    desk.store.failing.clear();
    desk.store.changeBehind(ACCOUNT, DND, { status: true });
    await settle();
    expect(a.told()).toEqual([]);
  });

  test('somewhere has all watched accounts read when the store has lost track', async () => {
    const store = new MemoryFeatureStore();
    const listeners: ((presentity: string) => void)[] = [];
    store.watch = (changed) => {
      listeners.push(changed);
      return () => {};
    };
    const desk = new FeatureDesk(store);
    const a = await desk.phone('a');
    store.put(ACCOUNT, DND, { status: true });
    for (const changed of listeners) changed('*');
    await settle();
    expect(a.told()).toEqual([DND]);
  });
});

describe('the state for a call', () => {
  test('is read once, until something changes', async () => {
    const desk = new FeatureDesk();
    await desk.service.forCall(ACCOUNT);
    await desk.service.forCall(ACCOUNT);
    expect(desk.store.calls).toHaveLength(1);
    desk.store.changeBehind(ACCOUNT, DND, { status: true });
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: true } });
    await desk.service.set(ACCOUNT, DND, { status: false }, API);
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: false } });
  });

  test('is the last known one after 500 ms, or after a failure', async () => {
    const desk = new FeatureDesk();
    await desk.service.set(ACCOUNT, DND, { status: true }, API);
    desk.store.held.add('get');
    desk.store.changeBehind(ACCOUNT, DND, { status: false });
    const late = desk.service.forCall(ACCOUNT);
    await vi.advanceTimersByTimeAsync(500);
    expect(await late).toMatchObject({ DoNotDisturb: { status: true } });
    desk.store.failing.add('get');
    desk.store.release();
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: true } });
    desk.store.failing.clear();
    await vi.advanceTimersByTimeAsync(5000);
  });

  test('is none when the account was never read, or does not exist', async () => {
    const desk = new FeatureDesk();
    desk.store.held.add('get');
    const calls = Promise.all([desk.service.forCall(ACCOUNT), desk.service.forCall(ACCOUNT)]);
    await vi.advanceTimersByTimeAsync(500);
    expect(await calls).toEqual([undefined, undefined]);
    expect(desk.store.calls).toHaveLength(1);
    desk.store.release();
    await settle();
    desk.store.unknown.add('sip:2099@pbx.example');
    expect(await desk.service.forCall('sip:2099@pbx.example')).toBeUndefined();
  });

  test('counts for a second, since not every store reports changes', async () => {
    const desk = new FeatureDesk();
    await desk.service.forCall(ACCOUNT);
    desk.store.put(ACCOUNT, DND, { status: true });
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: false } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await desk.service.forCall(ACCOUNT)).toMatchObject({ DoNotDisturb: { status: true } });
  });
});
