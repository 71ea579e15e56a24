import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccountState } from '../../../src/feature-keys/feature-state.ts';
import { fullReports } from '../../../src/feature-keys/feature-view.ts';
import { NotifyDues } from '../../../src/feature-keys/notify-dues.ts';
import type { NotifyAnswer } from '../../../src/feature-keys/notify-dues.ts';
import { FEATURES } from '../../../src/wire/feature-event.ts';
import type { Feature, FeatureReport } from '../../../src/wire/feature-event.ts';
import { ALL_OFF, changed } from './account-samples.ts';

const GAP_MS = 300;

/** A phone that believes what it is told, and a dialog that tells it. */
class Line {
  readonly dues: NotifyDues;
  readonly shown = new Map<Feature, FeatureReport>();
  readonly sentAtMs: { readonly atMs: number; readonly isOwed: boolean }[] = [];
  state: AccountState = ALL_OFF;
  isUnanswered = false;
  overtakings = 0;
  #serial = 0;
  #pending: readonly FeatureReport[] = [];

  constructor(isSeparate: boolean) {
    const rule = { gapMs: GAP_MS, defaultRings: 5, isSeparate: () => isSeparate };
    this.dues = new NotifyDues(rule, ALL_OFF);
    this.dues.notice({ mark: { type: 'full' }, state: ALL_OFF, isOwed: true });
  }

  change(feature: Feature, isOwed: boolean): void {
    this.#serial += 1;
    const values = feature === 'DoNotDisturb' ? {} : { forwardTo: String(this.#serial) };
    const status = !this.state[feature].status;
    this.state = changed(this.state, feature, { status, values });
    const mark = { type: 'features', features: [feature] } as const;
    this.dues.notice({ mark, state: this.state, isOwed });
  }

  send(nowMs: number): void {
    const next = this.dues.next(nowMs);
    if (next.type !== 'send') return;
    if (this.isUnanswered) this.overtakings += 1;
    this.isUnanswered = true;
    this.dues.sent(nowMs);
    this.sentAtMs.push({ atMs: nowMs, isOwed: next.notify.isOwed });
    this.#pending = next.notify.reports;
  }

  answer(answer: NotifyAnswer, nowMs: number): void {
    if (!this.isUnanswered) return;
    this.isUnanswered = false;
    if (answer.type === 'told') {
      for (const report of this.#pending) this.shown.set(report.feature, report);
    }
    this.dues.answered(answer, nowMs);
  }
}

const answer = fc.constantFrom<NotifyAnswer>(
  { type: 'told' },
  { type: 'told' },
  { type: 'told' },
  { type: 'again' },
  { type: 'later', afterMs: 2000 },
  { type: 'failed' },
);

const step = fc.oneof(
  fc.record({
    type: fc.constant('change' as const),
    feature: fc.constantFrom(...FEATURES),
    isOwed: fc.boolean(),
  }),
  fc.record({ type: fc.constant('answer' as const), answer }),
  fc.record({ type: fc.constant('wait' as const), durationMs: fc.nat(800) }),
);

test('whatever happens in whatever order, the phone ends with the newest state, within gap and turn', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, isSeparate) => {
      const line = new Line(isSeparate);
      let nowMs = 0;
      for (const taken of steps) {
        if (taken.type === 'change') line.change(taken.feature, taken.isOwed);
        else if (taken.type === 'answer') line.answer(taken.answer, nowMs);
        else nowMs += taken.durationMs;
        line.send(nowMs);
      }
      // One more occasion takes along what the phone refused.
      line.change('DoNotDisturb', true);
      for (let round = 0; round < 20; round += 1) {
        nowMs += 60_000;
        line.answer({ type: 'told' }, nowMs);
        line.send(nowMs);
      }
      const shown = FEATURES.map((feature) => line.shown.get(feature));
      expect(line.overtakings).toBe(0);
      expect(shown).toEqual(fullReports(line.state, 5));
      expect(line.dues.told).toBe(line.dues.ticket);
      expect(line.dues.due).toEqual({ features: [], isFull: false, isTerminating: false });
      for (const [index, { atMs, isOwed }] of line.sentAtMs.entries()) {
        const before = line.sentAtMs[index - 1];
        if (isOwed || before === undefined) continue;
        expect(atMs - before.atMs).toBeGreaterThanOrEqual(GAP_MS);
      }
    }),
  );
});

test('twenty quick toggles from two phones end equal, with one NOTIFY per gap besides those owed', () => {
  const lines = [new Line(false), new Line(false)];
  let nowMs = 0;
  for (let press = 0; press < 40; press += 1) {
    const setter = press % 2;
    for (const [index, line] of lines.entries()) {
      line.change('DoNotDisturb', index === setter);
      line.send(nowMs);
    }
    nowMs += 50;
    for (const line of lines) {
      line.answer({ type: 'told' }, nowMs);
      line.send(nowMs);
    }
  }
  for (const line of lines) {
    nowMs += GAP_MS;
    line.answer({ type: 'told' }, nowMs);
    line.send(nowMs);
    line.answer({ type: 'told' }, nowMs);
    const caused = line.sentAtMs.filter(({ isOwed }) => !isOwed).length;
    expect(caused).toBeLessThanOrEqual(nowMs / GAP_MS + 1);
    expect(line.shown.get('DoNotDisturb')).toEqual({ feature: 'DoNotDisturb', status: false });
  }
});
