import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FeatureOutcome } from '../../../src/feature-keys/feature-service.ts';
import { ACCOUNT, API, FeatureDesk, PHONE } from '../../support/feature-desk.ts';

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const OTHER = 'sip:2002@pbx.example';

const DND_ON = { feature: DND, status: true } as const;
const FAILED = { type: 'failed', cause: 'storage' };
const TIMED_OUT = { type: 'failed', cause: 'timeout' };

beforeEach(() => {
  vi.useFakeTimers();
});

/** A failed set has the store looked at again, half a minute later for the last time. */
const LAST_LOOK_MS = 60_000;

afterEach(async () => {
  await vi.advanceTimersByTimeAsync(LAST_LOOK_MS);
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers left behind`);
});

describe('a store', () => {
  test('that cannot be read fails every request, and nobody is told', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.failing.add('get');
    expect(await desk.service.read(ACCOUNT, PHONE)).toEqual(FAILED);
    expect(await desk.press(a, DND_ON)).toEqual(FAILED);
    expect(await desk.service.refresh(ACCOUNT, API)).toEqual(FAILED);
    expect(await desk.service.configure(ACCOUNT, DND, { locked: true }, API)).toEqual(FAILED);
    expect(a.told()).toEqual([]);
    desk.store.failing.clear();
    expect(await desk.press(a, DND_ON)).toMatchObject({ type: 'done' });
  });

  test('that cannot be written fails the change, and the history has it', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.failing.add('set');
    expect(await desk.press(a, DND_ON)).toEqual(FAILED);
    expect(a.told()).toEqual([]);
    expect(desk.rows()).toEqual(['failed DoNotDisturb storage']);
    expect(desk.logLines.at(-1)).toMatchObject({
      level: 40,
      err: { message: 'set fails as told' },
    });
  });

  test('that fails the second of two documents has the first told to everybody', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    let sets = 0;
    desk.store.answer = (result) => {
      sets += 1;
      if (sets === 2) throw new Error('full');
      return result;
    };
    const outcome = await desk.press(a, DND_ON, { feature: CFB, status: true, forwardTo: '7' });
    expect(outcome).toEqual(FAILED);
    expect([a.told(), b.told()]).toEqual([[DND], [DND]]);
  });

  test('that refuses is obeyed, and the stored value told to the setter', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.refuse = 'no such service';
    expect(await desk.press(a, DND_ON)).toMatchObject({
      outcomes: [{ type: 'refused', code: 'provider', reason: 'no such service' }],
    });
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], []]);
    expect(desk.rows()).toEqual(['refused DoNotDisturb provider: no such service off on']);
  });

  test('that takes the feature away in the set has the setter told the rest', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.setAssigned = false;
    expect(await desk.press(a, DND_ON)).toMatchObject({
      outcomes: [{ type: 'refused', code: 'unassigned' }],
    });
    expect(a.notices).toMatchObject([{ state: { DoNotDisturb: { assigned: false } } }]);
    expect([a.told(), b.told()]).toEqual([['full!'], []]);
  });

  test('that keeps a change quiet has the setter answered without a body', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.setNotifies = false;
    expect(await desk.press(a, DND_ON)).toMatchObject({
      outcomes: [{ type: 'applied', notified: 1 }],
    });
    expect([a.told(), b.told()]).toEqual([['empty!'], []]);
  });

  test('that normalises a number has its own told', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.answer = (result) => ({ ...result, values: { forwardTo: '+492424' } });
    const outcome = await desk.press(a, { feature: CFA, status: true, forwardTo: '2424' });
    expect(outcome).toMatchObject({
      outcomes: [{ new: { forwardTo: '+492424' } }],
      state: { CallForwardingAlways: { values: { forwardTo: '+492424' } } },
    });
  });

  test('that answers what no phone may be told has failed', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.answer = (result) => ({ ...result, values: {} });
    const outcome = await desk.press(a, { feature: CFA, status: true, forwardTo: '2424' });
    expect(outcome).toEqual(FAILED);
    expect(a.told()).toEqual([]);
  });

  test('that writes the history itself is not helped', async () => {
    const desk = new FeatureDesk();
    desk.store.writesHistory = true;
    const own = new FeatureDesk(desk.store);
    await own.phone('a');
    await own.service.set(ACCOUNT, DND, { status: true }, API);
    await own.service.set(ACCOUNT, CFA, { status: true }, API);
    expect(own.store.rows).toMatchObject([
      { outcome: 'applied', feature: DND, dialogs: 1, param: 'portal' },
      { outcome: 'refused', feature: CFA, reason: 'no-target' },
    ]);
  });
});

describe('a slow store', () => {
  test('fails a change after 3 s, and tells everybody when it comes true nevertheless', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.held.add('set');
    const press = desk.press(a, DND_ON);
    await vi.advanceTimersByTimeAsync(2999);
    expect(desk.rows()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await press).toEqual(TIMED_OUT);
    expect([a.told(), b.told()]).toEqual([[], []]);
    expect(desk.store.calls.at(-1)?.context.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(4000);
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
    expect([a.told(), b.told()]).toEqual([[DND], [DND]]);
    expect(desk.rows()).toEqual(['failed DoNotDisturb timeout', 'applied DoNotDisturb off on']);
  });

  test('holds up its own account for 10 s at most, and every request there for 3 s', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.held.add('set');
    const first = desk.press(a, DND_ON);
    const second = desk.service.read(ACCOUNT, PHONE);
    expect(await desk.service.read(OTHER, PHONE)).toMatchObject({ type: 'state' });
    await vi.advanceTimersByTimeAsync(3000);
    expect([await first, await second]).toEqual([TIMED_OUT, TIMED_OUT]);
    const third = desk.service.read(ACCOUNT, PHONE);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await third).toEqual(TIMED_OUT);
    await vi.advanceTimersByTimeAsync(2000);
    const fourth = desk.service.read(ACCOUNT, PHONE);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await fourth).toMatchObject({ type: 'state' });
    // The change comes true when nobody expects it any more: it is read, and told.
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(a.told()).toEqual([DND]);
    expect(desk.rows()).toEqual(['failed DoNotDisturb timeout', 'applied DoNotDisturb off on']);
  });

  test('has a change that comes true after another one told with it, not in place of it', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.held.add('set');
    const press = desk.press(a, DND_ON);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await press).toEqual(TIMED_OUT);
    desk.store.held.clear();
    await desk.service.set(ACCOUNT, CFB, { status: true, forwardTo: '7' }, API);
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(a.notices.at(-1)).toMatchObject({
      state: { DoNotDisturb: { status: true }, CallForwardingBusy: { status: true } },
    });
    expect(a.told()).toEqual([CFB, DND]);
  });

  test('does not apply a request whose time was over before its turn', async () => {
    const desk = new FeatureDesk();
    desk.store.held.add('set');
    const first = desk.service.set(ACCOUNT, DND, { status: true }, API);
    const second = desk.service.set(ACCOUNT, CFA, { status: true, forwardTo: '7' }, API);
    await vi.advanceTimersByTimeAsync(3000);
    expect([await first, await second]).toEqual([TIMED_OUT, TIMED_OUT]);
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.store.calls.map(({ operation }) => operation)).toEqual(['get', 'set', 'get']);
    expect(desk.store.state(ACCOUNT, DND).status).toBe(true);
    expect(desk.store.state(ACCOUNT, CFA).status).toBe(false);
    expect(desk.rows()).toContain('failed CallForwardingAlways timeout');
  });

  test('leaves what it fails late as it was told', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.held.add('set');
    desk.store.failing.add('set');
    const press = desk.press(a, DND_ON);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await press).toEqual(TIMED_OUT);
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(a.told()).toEqual([]);
    expect(desk.rows()).toEqual(['failed DoNotDisturb timeout']);
  });

  test('has a limited number of requests wait for it', async () => {
    const desk = new FeatureDesk();
    desk.store.held.add('get');
    const requests: Promise<FeatureOutcome>[] = [];
    for (let count = 0; count < 1001; count += 1) {
      requests.push(desk.service.set(ACCOUNT, DND, { status: true }, API));
    }
    expect(await requests.at(-1)).toEqual(TIMED_OUT);
    await vi.advanceTimersByTimeAsync(3000);
    expect(new Set(await Promise.all(requests))).toContainEqual(TIMED_OUT);
    desk.store.release();
    await vi.advanceTimersByTimeAsync(0);
  });
});
