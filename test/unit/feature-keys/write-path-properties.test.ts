import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FEATURES } from '../../../src/wire/feature-event.ts';
import type { FeatureReport } from '../../../src/wire/feature-event.ts';
import { fullReports, partialReports } from '../../../src/feature-keys/feature-view.ts';
import { ALL_OFF } from './account-samples.ts';
import { ACCOUNT, API, type DeskPhone, FeatureDesk } from '../../support/feature-desk.ts';

const DND = 'DoNotDisturb';

const request = fc.record({
  by: fc.constantFrom('a' as const, 'b' as const, 'api' as const),
  feature: fc.constantFrom(...FEATURES),
  status: fc.boolean(),
  forwardTo: fc.constantFrom('', '2424', '2002', '112'),
  pauseMs: fc.nat(3),
});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** What a phone shows that believed everything off and then was told this. */
function shownBy(phone: DeskPhone): readonly FeatureReport[] {
  const shown = new Map(fullReports(ALL_OFF, 5).map((report) => [report.feature, report]));
  for (const { mark, state } of phone.notices) {
    const told = new Set(mark.type === 'features' ? mark.features : FEATURES);
    for (const report of partialReports(state, told, 5)) shown.set(report.feature, report);
  }
  return [...shown.values()];
}

describe('requests at the same time', () => {
  test('end with one state that the store and all phones share', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 40 }),
        fc.nat(3),
        async (requests, delayMs) => {
          const desk = new FeatureDesk();
          const phones = { a: await desk.phone('a'), b: await desk.phone('b') };
          desk.store.delayMs = delayMs;
          const answers: Promise<unknown>[] = [];
          for (const { by, feature, status, forwardTo, pauseMs } of requests) {
            const answer =
              by === 'api'
                ? desk.service.set(ACCOUNT, feature, { status, forwardTo }, API)
                : desk.press(phones[by], { feature, status, forwardTo });
            answers.push(answer);
            await vi.advanceTimersByTimeAsync(pauseMs);
          }
          await vi.advanceTimersByTimeAsync(1000);
          await Promise.all(answers);
          const stored = fullReports(desk.store.account(ACCOUNT), 5);
          expect([shownBy(phones.a), shownBy(phones.b)]).toEqual([stored, stored]);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('are applied in the order they came: the last one accepted wins', async () => {
    const switches = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(switches, async (statuses) => {
        const desk = new FeatureDesk();
        const phones = [await desk.phone('a'), await desk.phone('b')];
        desk.store.delayMs = 1;
        const answers = statuses.map((status, index) =>
          desk.press(phones[index % 2], { feature: DND, status }),
        );
        await vi.advanceTimersByTimeAsync(1000);
        await Promise.all(answers);
        const last = statuses.at(-1);
        expect(desk.store.state(ACCOUNT, DND).status).toBe(last);
        const changes = statuses.filter(
          (status, index) => status !== (statuses[index - 1] ?? false),
        );
        expect(desk.rows()).toHaveLength(changes.length);
        for (const [index, phone] of phones.entries()) {
          const own = statuses.filter((_, at) => at % 2 === index).length;
          expect(phone.told().filter((notice) => notice.endsWith('!'))).toHaveLength(own);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('phones that answer each other', () => {
  test('are stopped by the guard, which the API passes', async () => {
    const desk = new FeatureDesk();
    const [a, b] = [await desk.phone('a'), await desk.phone('b')];
    for (let press = 0; press < 60; press += 1) {
      await desk.press(press % 2 === 0 ? a : b, { feature: DND, status: press % 2 === 0 });
      await vi.advanceTimersByTimeAsync(250);
    }
    const applied = desk.rows().filter((row) => row.startsWith('applied'));
    expect(applied).toHaveLength(51);
    expect(desk.rows().slice(51)).toEqual(['refused DoNotDisturb loop-guard on off']);
    const warnings = desk.logLines.filter(({ level }) => level === 40);
    expect(warnings).toMatchObject([{ msg: 'feature loop guard tripped', holdMs: 20_000 }]);
    expect(desk.counts.filter((count) => count === 'loop guard')).toHaveLength(1);
    expect(b.told().at(-1)).toBe(`${DND}!`);

    const other = await desk.press(a, {
      feature: 'CallForwardingBusy',
      status: true,
      forwardTo: '7',
    });
    expect(other).toMatchObject({ outcomes: [{ type: 'applied' }] });
    const api = await desk.service.set(ACCOUNT, DND, { status: false }, API);
    expect(api).toMatchObject({ type: 'applied' });
    await vi.advanceTimersByTimeAsync(20_000);
    const later = await desk.press(a, { feature: DND, status: true });
    expect(later).toMatchObject({ outcomes: [{ type: 'applied' }] });
  });

  test('are not stopped at twenty presses on each of two phones', async () => {
    const desk = new FeatureDesk();
    const phones = [await desk.phone('a'), await desk.phone('b')];
    for (let press = 0; press < 40; press += 1) {
      await desk.press(phones[press % 2], { feature: DND, status: press % 2 === 0 });
    }
    expect(desk.rows()).toHaveLength(40);
    expect(desk.counts).not.toContain('loop guard');
    const [a, b] = phones.map((phone) => phone.notices.at(-1)?.state[DND].status);
    expect([a, b]).toEqual([false, false]);
  });

  test('are not stopped by pressing what is set already', async () => {
    const desk = new FeatureDesk();
    const a = await desk.phone('a');
    for (let press = 0; press < 100; press += 1) {
      await desk.press(a, { feature: DND, status: true });
    }
    expect(desk.rows()).toHaveLength(1);
    expect(desk.counts).not.toContain('loop guard');
  });
});
