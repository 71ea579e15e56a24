import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ACCOUNT, API, FeatureDesk, PHONE } from '../../support/feature-desk.ts';

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const CFN = 'CallForwardingNoAnswer';

const DND_ON = { feature: DND, status: true } as const;
const FAILED = { type: 'failed', cause: 'storage' };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers left behind`);
});

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** The store does what it is told, and then its answer is lost. */
function loseAnswers(desk: FeatureDesk): void {
  desk.store.answer = () => {
    throw new Error('connection reset');
  };
}

/** The other node changes what is stored between our reading and our writing, once. */
function raced(desk: FeatureDesk, change: () => void): void {
  desk.store.beforeSet = () => {
    desk.store.beforeSet = undefined;
    change();
  };
}

/** By then nobody looks any more. */
const LAST_LOOK_MS = 60_000;

describe('a set of which nobody knows whether it was stored', () => {
  test('is told to all phones as soon as it shows', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    loseAnswers(desk);
    expect(await desk.press(a, DND_ON)).toEqual(FAILED);
    await pass(0);
    expect(b.notices).toMatchObject([{ state: { DoNotDisturb: { status: true } } }]);
    expect([a.told(), b.told()]).toEqual([[DND], [DND]]);
    expect(desk.rows()).toEqual(['failed DoNotDisturb storage', 'applied DoNotDisturb off on']);
    await pass(LAST_LOOK_MS);
    expect([a.told(), b.told()]).toEqual([[], []]);
  });

  test.each([1000, 6000, 36_000])(
    'is looked for after %d ms again, also if the store can be read',
    async (ms) => {
      const desk = new FeatureDesk();
      const a = await desk.phone('a');
      desk.store.failing.add('set');
      expect(await desk.press(a, DND_ON)).toEqual(FAILED);
      await pass(ms - 1);
      expect(a.told()).toEqual([]);
      desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
      await pass(1);
      expect(a.told()).toEqual([DND]);
      await pass(LAST_LOOK_MS);
      expect(a.told()).toEqual([]);
    },
  );

  test('is not lost behind another one that is found first, nor behind a change from elsewhere', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.failing.add('set');
    expect(await desk.press(a, DND_ON)).toEqual(FAILED);
    await pass(100);
    expect(await desk.press(a, { feature: CFA, status: true, forwardTo: '4711' })).toEqual(FAILED);
    await pass(500);
    desk.store.put(ACCOUNT, CFB, { values: { forwardTo: '1' }, version: 1 });
    await pass(500);
    desk.store.put(ACCOUNT, CFA, { status: true, values: { forwardTo: '4711' }, version: 1 });
    await pass(6000);
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await pass(LAST_LOOK_MS);
    expect(a.told()).toEqual([CFB, CFA, DND]);
  });

  test('is looked for a few times, then no more', async () => {
    const desk = new FeatureDesk();
    desk.store.failing.add('set');
    await desk.service.set(ACCOUNT, DND, { status: true }, API);
    await pass(LAST_LOOK_MS);
    const reads = desk.store.calls.filter(({ operation }) => operation === 'get');
    // Before the set; at once, and three times more.
    expect(reads).toHaveLength(5);
  });

  test('however many fail, is one search', async () => {
    const desk = new FeatureDesk();
    desk.store.failing.add('set');
    for (let count = 0; count < 100; count += 1) {
      await desk.service.set(ACCOUNT, DND, { status: true }, API);
    }
    const before = desk.store.calls.length;
    await pass(LAST_LOOK_MS);
    expect(desk.store.calls.length - before).toBeLessThanOrEqual(4);
  });

  test('is not looked for any more once the service is closed', async () => {
    const desk = new FeatureDesk();
    desk.store.failing.add('set');
    await desk.service.set(ACCOUNT, DND, { status: true }, API);
    await desk.service.close();
    const before = desk.store.calls.length;
    await pass(LAST_LOOK_MS);
    expect(desk.store.calls.length).toBe(before);
  });

  test('pressed again shows at the other phones, and once at its own', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    expect(await desk.press(a, DND_ON)).toMatchObject({ outcomes: [{ type: 'unchanged' }] });
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], [DND]]);
    expect(await desk.press(a, DND_ON)).toMatchObject({ outcomes: [{ type: 'unchanged' }] });
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], []]);
  });
});

describe('a state that differs from what the phones were told', () => {
  test.each([
    ['a reading', (desk: FeatureDesk) => desk.service.read(ACCOUNT, API)],
    ['a refused set', (desk: FeatureDesk) => desk.service.set(ACCOUNT, CFA, { status: true }, API)],
    [
      'a set of the same value',
      (desk: FeatureDesk) => desk.service.set(ACCOUNT, DND, { status: true }, API),
    ],
    [
      'a flag that is as wanted',
      (desk: FeatureDesk) => desk.service.configure(ACCOUNT, CFA, { locked: false }, API),
    ],
  ])('is told by %s', async (_, look) => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await look(desk);
    await look(desk);
    expect(a.told()).toEqual([DND]);
    const found = desk.store.rows.filter(({ outcome }) => outcome === 'applied');
    expect(found).toMatchObject([{ source: 'provider', feature: DND, new: { status: true } }]);
  });

  test('is told by a refresh, with everything else', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await desk.service.refresh(ACCOUNT, API);
    expect(a.told()).toEqual(['full']);
    expect(desk.store.rows).toMatchObject([{ source: 'provider', feature: DND }]);
  });

  test('is the loss of a feature: who sets it hears of that alone, everybody by the next reading', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.put(ACCOUNT, DND, { assigned: false });
    expect(await desk.press(a, DND_ON)).toMatchObject({
      outcomes: [{ type: 'refused', code: 'unassigned' }],
    });
    expect([a.told(), b.told()]).toEqual([['full!'], []]);
    await desk.service.read(ACCOUNT, API);
    expect(b.told()).toEqual(['full']);
  });

  test('is not told twice to the phone that asks', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await desk.service.read(ACCOUNT, PHONE, a);
    expect([a.told(), b.told()]).toEqual([[], [DND]]);
  });

  test('is told with the other change that found it', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    await desk.press(a, { feature: CFB, status: true, forwardTo: '7' });
    expect([a.told(), b.told()]).toEqual([[`${DND}+${CFB}!`], [DND, CFB]]);
  });

  test('is told to the phone whose own change failed', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.put(ACCOUNT, DND, { status: true, version: 1 });
    desk.store.failing.add('set');
    expect(await desk.press(a, { feature: CFB, status: true, forwardTo: '7' })).toEqual(FAILED);
    expect(a.told()).toEqual([DND]);
    await pass(LAST_LOOK_MS);
  });
});

describe('a set that another node was quicker than', () => {
  test('is merged with what the other one stored', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    const values = { forwardTo: '7' };
    raced(desk, () => desk.store.put(ACCOUNT, CFN, { values, version: 1 }));
    const rings = { status: false, ringCount: 8 };
    const outcome = await desk.service.set(ACCOUNT, CFN, rings, API);
    expect(outcome).toMatchObject({
      type: 'applied',
      old: { forwardTo: '7' },
      new: { status: false, forwardTo: '7', ringCount: 8 },
      version: 2,
    });
    expect(desk.store.state(ACCOUNT, CFN)).toMatchObject({ values: { ...values, ringCount: 8 } });
    for (const phone of [a, b]) {
      expect(phone.notices.at(-1)).toMatchObject({
        state: { CallForwardingNoAnswer: { values: { forwardTo: '7', ringCount: 8 } } },
      });
    }
  });

  test('of a certain version is a conflict', async () => {
    const desk = new FeatureDesk();
    raced(desk, () => desk.store.put(ACCOUNT, CFA, { values: { forwardTo: '7' }, version: 1 }));
    const wanted = { status: true, forwardTo: '8' };
    const outcome = await desk.service.set(ACCOUNT, CFA, wanted, API, { ifVersion: 0 });
    expect(outcome).toEqual({ type: 'conflict', version: 1 });
    expect(desk.store.state(ACCOUNT, CFA)).toMatchObject({ values: { forwardTo: '7' } });
  });

  test.each([
    ['locked', { locked: true }],
    ['unassigned', { assigned: false }],
  ])('finds the feature %s', async (code, flags) => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    raced(desk, () => desk.store.put(ACCOUNT, DND, flags));
    expect(await desk.press(a, DND_ON)).toMatchObject({ outcomes: [{ type: 'refused', code }] });
    expect(desk.store.state(ACCOUNT, DND).status).toBe(false);
  });

  test('every time fails in the end', async () => {
    const desk = new FeatureDesk();
    let version = 0;
    desk.store.beforeSet = () => {
      version += 1;
      desk.store.put(ACCOUNT, CFA, { values: { forwardTo: String(version) }, version });
    };
    const wanted = { status: true, forwardTo: 'x' };
    expect(await desk.service.set(ACCOUNT, CFA, wanted, API)).toEqual(FAILED);
    expect(version).toBeLessThan(100);
    await pass(LAST_LOOK_MS);
  });
});

describe('a store that first says in the set that there is no such account', () => {
  test('has the request answered so, and nothing else happens', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    desk.store.answer = (result) => ({ ...result, outcome: 'unknown-account' });
    expect(await desk.press(a, DND_ON)).toEqual({ type: 'unknown-account' });
    const outcome = await desk.service.set(ACCOUNT, CFB, { status: true, forwardTo: '7' }, API);
    expect(outcome).toEqual({ type: 'unknown-account' });
    expect(desk.rows().filter((row) => !row.startsWith('applied'))).toEqual([]);
  });
});
