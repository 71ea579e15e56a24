import { describe, expect, test } from 'vitest';
import { ACCOUNT, API, DeskPhone, FeatureDesk, PHONE } from '../../support/feature-desk.ts';

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const CFNA = 'CallForwardingNoAnswer';

const DND_ON = { feature: DND, status: true } as const;

describe('a change by a phone', () => {
  test('is stored, told to every phone, and answered to the one that made it first', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    const outcome = await desk.press(a, DND_ON);
    expect(outcome).toMatchObject({
      type: 'done',
      outcomes: [
        {
          type: 'applied',
          old: { status: false },
          new: { status: true },
          version: 1,
          subscribers: 2,
          notified: 2,
        },
      ],
      state: { DoNotDisturb: { status: true, version: 1 } },
    });
    expect(a.notices).toMatchObject([{ isOwed: true, state: { DoNotDisturb: { status: true } } }]);
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], [DND]]);
    expect(desk.store.state(ACCOUNT, DND).status).toBe(true);
    expect(desk.rows()).toEqual(['applied DoNotDisturb off on']);
    expect(desk.store.rows).toMatchObject([
      { source: 'phone', actor: '2001', origin: { callId: 'a1f00d' }, param: null, dialogs: 2 },
    ]);
  });

  test('to the value it has already is told to the setter alone, and nowhere written', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    const outcome = await desk.press(a, { feature: DND, status: false });
    expect(outcome).toMatchObject({ outcomes: [{ type: 'unchanged', version: 0 }] });
    expect([a.told(), b.told()]).toEqual([[`${DND}!`], []]);
    expect(desk.store.calls.some(({ operation }) => operation === 'set')).toBe(false);
    expect(desk.rows()).toEqual([]);
    expect(desk.counts).toContain('DoNotDisturb phone unchanged');
  });

  test.each([
    ['locked', { locked: true }, { feature: CFA, status: true, forwardTo: '2424' }, 'on/2424'],
    ['no-target', {}, { feature: CFA, status: true }, 'on'],
    ['target-forbidden', {}, { feature: CFA, status: true, forwardTo: '0900123' }, 'on/0900123'],
    ['target-forbidden', {}, { feature: CFA, status: true, forwardTo: '112' }, 'on/112'],
    [
      'target-self',
      {},
      { feature: CFA, status: true, forwardTo: 'sip:2001@pbx.example' },
      'on/sip:2001@pbx.example',
    ],
    [
      'ring-count',
      {},
      { feature: CFNA, status: true, forwardTo: '2002', ringCount: '99' },
      'on/2002/99',
    ],
    [
      'ring-count',
      {},
      { feature: CFNA, status: true, forwardTo: '2002', ringCount: 'many' },
      'on/2002',
    ],
    [
      'target-forbidden',
      {},
      { feature: CFA, status: true, forwardTo: '1\u001b[2J' },
      'on/1\u{fffd}[2J',
    ],
    [
      'target-forbidden',
      {},
      { feature: CFA, status: true, forwardTo: '7'.repeat(300) },
      `on/${'7'.repeat(256)}`,
    ],
  ] as const)(
    'is refused with %s, told to the setter alone, and written down with what was asked',
    async (code, stored, set, asked) => {
      const desk = new FeatureDesk();
      desk.store.put(ACCOUNT, set.feature, stored);
      const [a, b] = [await desk.phone('a'), await desk.phone('b')];
      const outcome = await desk.press(a, set);
      expect(outcome).toMatchObject({
        outcomes: [{ type: 'refused', code, state: { status: false } }],
      });
      expect([a.told(), b.told()]).toEqual([[`${set.feature}!`], []]);
      expect(desk.rows()).toEqual([`refused ${set.feature} ${code} off ${asked}`]);
      expect(desk.events).toContainEqual(
        expect.objectContaining({ type: 'feature-refused', code }),
      );
    },
  );

  test('that is refused shows what it asked beside what is stored', async () => {
    const desk = new FeatureDesk();
    const values = { forwardTo: '2002', ringCount: 3 };
    desk.store.put(ACCOUNT, CFNA, { values, locked: true });
    await desk.press(undefined, { feature: CFNA, status: true, ringCount: '8' });
    await desk.service.set(ACCOUNT, CFNA, { status: false, forwardTo: null }, API);
    expect(desk.rows()).toEqual([
      `refused ${CFNA} locked off/2002/3 on/2002/8`,
      `refused ${CFNA} locked off/2002/3 off/3`,
    ]);
  });

  test('of a feature that the account lacks has the setter told everything but that', async () => {
    const desk = new FeatureDesk();
    desk.store.put(ACCOUNT, CFB, { assigned: false });
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    const outcome = await desk.press(a, { feature: CFB, status: true, forwardTo: '2424' });
    expect(outcome).toMatchObject({ outcomes: [{ type: 'refused', code: 'unassigned' }] });
    expect([a.told(), b.told()]).toEqual([['full!'], []]);
  });

  test('keeps the stored number where it names none', async () => {
    const desk = new FeatureDesk();
    desk.store.put(ACCOUNT, CFNA, { values: { forwardTo: '2002', ringCount: 3 } });
    await desk.press(undefined, { feature: CFNA, status: true, ringCount: '8' });
    await desk.press(undefined, { feature: CFNA, status: false });
    expect(desk.rows()).toEqual([
      'applied CallForwardingNoAnswer off/2002/3 on/2002/8',
      'applied CallForwardingNoAnswer on/2002/8 off/2002/8',
    ]);
  });

  test('of several features is one notice for each phone', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    await desk.press(
      a,
      DND_ON,
      { feature: CFA, status: true },
      { feature: CFB, status: true, forwardTo: '7' },
    );
    expect([a.told(), b.told()]).toEqual([[`${DND}+${CFA}+${CFB}!`], [`${DND}+${CFB}`]]);
  });

  test('in a first SUBSCRIBE is told to the others, and found by the new one', async () => {
    const desk = new FeatureDesk();
    const b = await desk.phone('b');
    const outcome = await desk.press(undefined, DND_ON);
    expect(b.told()).toEqual([DND]);
    expect(outcome).toMatchObject({ type: 'done', state: { DoNotDisturb: { status: true } } });
  });

  test('is logged with the number masked', async () => {
    const desk = new FeatureDesk();
    await desk.press(undefined, { feature: CFA, status: true, forwardTo: '2424' });
    expect(desk.logLines).toMatchObject([
      {
        msg: 'feature changed',
        presentity: ACCOUNT,
        feature: CFA,
        source: 'phone',
        actor: '2001',
        old: { status: false },
        new: { status: true, digits: '****' },
        version: 1,
        dialogs: 0,
      },
    ]);
    expect(JSON.stringify(desk.logLines)).not.toContain('2424');
  });

  test('that is refused is logged with what was asked, the number masked', async () => {
    const desk = new FeatureDesk();
    await desk.press(undefined, { feature: CFA, status: true, forwardTo: '0900123' });
    expect(desk.logLines).toMatchObject([
      {
        msg: 'feature change refused',
        code: 'target-forbidden',
        state: { status: false },
        requested: { status: true, digits: '*******' },
      },
    ]);
    expect(JSON.stringify(desk.logLines)).not.toContain('0900');
  });
});

describe('a change through the API', () => {
  test('is told to all phones, none of them before the others', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    const outcome = await desk.service.set(ACCOUNT, DND, { status: true }, API);
    expect(outcome).toMatchObject({ type: 'applied', subscribers: 2, notified: 2 });
    expect([a.told(), b.told()]).toEqual([[DND], [DND]]);
    const set = desk.store.calls.find(({ operation }) => operation === 'set');
    expect(set?.context).toMatchObject({ source: 'api', actor: 'token', param: 'portal' });
  });

  test('that changes nothing is told to nobody', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    const outcome = await desk.service.set(ACCOUNT, DND, { status: false }, API);
    expect(outcome).toEqual({
      type: 'unchanged',
      state: { status: false },
      version: 0,
      subscribers: 1,
    });
    expect(a.told()).toEqual([]);
  });

  test('of another version than expected is not made', async () => {
    const desk = new FeatureDesk();
    await desk.service.set(ACCOUNT, DND, { status: true }, API);
    const late = await desk.service.set(ACCOUNT, DND, { status: false }, API, { ifVersion: 0 });
    expect(late).toEqual({ type: 'conflict', version: 1 });
    const right = await desk.service.set(ACCOUNT, DND, { status: false }, API, { ifVersion: 1 });
    expect(right).toMatchObject({ type: 'applied', version: 2 });
  });

  test('clears a number', async () => {
    const desk = new FeatureDesk();
    desk.store.put(ACCOUNT, CFA, { values: { forwardTo: '2424' } });
    await desk.service.set(ACCOUNT, CFA, { status: false, forwardTo: null }, API);
    expect(desk.rows()).toEqual(['applied CallForwardingAlways off/2424 off']);
  });

  test('is refused where nobody is', async () => {
    const desk = new FeatureDesk();
    desk.store.unknown.add(ACCOUNT);
    expect(await desk.service.set(ACCOUNT, DND, { status: true }, API)).toEqual({
      type: 'unknown-account',
    });
  });
});

describe('an administrator', () => {
  test('gives and takes a feature, and every phone gets the full state', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    const taken = await desk.service.configure(ACCOUNT, CFB, { assigned: false }, API);
    expect(taken).toMatchObject({ type: 'applied', notified: 1 });
    expect(a.notices).toMatchObject([{ state: { CallForwardingBusy: { assigned: false } } }]);
    expect(a.told()).toEqual(['full']);
    const again = await desk.service.configure(ACCOUNT, CFB, { assigned: false }, API);
    expect(again).toMatchObject({ type: 'unchanged' });
    expect(desk.rows()).toEqual(['applied CallForwardingBusy assigned: false off off']);
  });

  test('locks a feature, of which phones hear nothing', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    await desk.service.configure(ACCOUNT, DND, { locked: true }, API);
    expect(a.told()).toEqual([]);
    const outcome = await desk.press(a, DND_ON);
    expect(outcome).toMatchObject({ outcomes: [{ type: 'refused', code: 'locked' }] });
  });

  test('refreshes all phones', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    expect(await desk.service.refresh(ACCOUNT, API)).toEqual({
      type: 'refreshed',
      subscribers: 2,
      notified: 2,
    });
    expect([a.told(), b.told()]).toEqual([['full'], ['full']]);
    expect(desk.rows()).toEqual([]);
  });
});

describe('a phone that begins to watch', () => {
  test('is told what changed since its state was read', async () => {
    const desk = new FeatureDesk();
    const read = await desk.service.read(ACCOUNT, PHONE);
    await desk.service.set(ACCOUNT, CFA, { status: true, forwardTo: '7' }, API);
    const phone = new DeskPhone('late');
    if (read.type === 'state') desk.service.watch(ACCOUNT, phone, read.state);
    expect(phone.notices).toMatchObject([{ state: { CallForwardingAlways: { status: true } } }]);
    expect(phone.told()).toEqual([CFA]);
  });

  test('is told of nothing once it has ended', async () => {
    const desk = new FeatureDesk();
    const read = await desk.service.read(ACCOUNT, PHONE);
    const phone = new DeskPhone('a');
    const end = read.type === 'state' ? desk.service.watch(ACCOUNT, phone, read.state) : undefined;
    end?.();
    end?.();
    await desk.service.set(ACCOUNT, DND, { status: true }, API);
    expect(phone.told()).toEqual([]);
    expect(desk.service.watchersOf(ACCOUNT)).toEqual([]);
    const types = desk.events.map(({ type }) => type);
    expect(types).toEqual(['feature-subscribed', 'feature-unsubscribed', 'feature-changed']);
  });
});
