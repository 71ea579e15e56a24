import { expect, test } from 'vitest';
import type { StagePhone } from '../../../src/cli/demo-features-stage.ts';
import { playSteps } from '../../../src/cli/demo-features-steps.ts';
import type { KeyPress } from '../../../src/cli/demo-phone.ts';
import { DemoTimeline } from '../../../src/cli/demo-timeline.ts';
import { FEATURES, type Feature, type FeatureReport } from '../../../src/wire/feature-event.ts';
import type { SipResponse } from '../../../src/wire/sip-message.ts';

/** How long the parties have to agree: the fakes need no time. */
const AGREE_MS = 20;

/** A phone that is told everything at once, without any SIP; `isDeaf` misses what its own keys did not cause. */
class FakePhone implements StagePhone {
  readonly shown = new Map<Feature, FeatureReport>();
  readonly subscriptionState = 'active';
  notifies = 0;
  answer = 200;
  readonly #onPress: (key: KeyPress) => void;

  constructor(onPress: (key: KeyPress) => void) {
    this.#onPress = onPress;
  }

  subscribe(): Promise<SipResponse> {
    for (const feature of FEATURES) this.tell({ feature, status: false });
    return this.refresh();
  }

  refresh(): Promise<SipResponse> {
    const response = { type: 'response', status: this.answer, reason: '', headers: [] } as const;
    return Promise.resolve({ ...response, headers: [], body: Buffer.alloc(0) });
  }

  press(key: KeyPress): Promise<SipResponse> {
    this.#onPress(key);
    return this.refresh();
  }

  tell(report: FeatureReport): void {
    const rings = report.feature === 'CallForwardingNoAnswer' ? { ringCount: 5 } : {};
    this.shown.set(report.feature, { ...report, ...rings });
    this.notifies += 1;
  }
}

interface Faults {
  readonly isPhoneBDeaf?: boolean;
  readonly isApiStale?: boolean;
  readonly answer?: number;
}

/** Everything up to the second step, Do Not Disturb pressed on phone A. */
async function play(faults: Faults) {
  const stored = new Map<Feature, FeatureReport>();
  const press = (key: KeyPress): void => {
    if (faults.isApiStale !== true) stored.set(key.feature, key);
    phoneA.tell(key);
    if (faults.isPhoneBDeaf !== true) phoneB.tell(key);
  };
  const phoneA = new FakePhone(press);
  const phoneB = new FakePhone(press);
  phoneB.answer = faults.answer ?? 200;
  const api = () =>
    Promise.resolve({
      status: 200,
      body: {
        features: Object.fromEntries(
          FEATURES.map((feature) => [feature, stored.get(feature) ?? { feature, status: false }]),
        ),
      },
    });
  const timeline = new DemoTimeline(0);
  const results = await playSteps({ phoneA, phoneB, timeline, api, ask: api }, AGREE_MS);
  return {
    results,
    problems: results.map(({ problem }) => problem ?? ''),
    text: timeline.format(),
  };
}

test('a phone that misses a NOTIFY ends the demo there, and is named', async () => {
  const { problems, text } = await play({ isPhoneBDeaf: true });

  expect(problems).toHaveLength(2);
  expect(problems[0]).toBe('');
  expect(problems[1]).toContain('phone B shows DND off');
  expect(text).toContain('DIFFERENT phone B');
});

test('an API that says something else than the phones ends the demo', async () => {
  const { problems } = await play({ isApiStale: true });

  expect(problems).toHaveLength(2);
  expect(problems[1]).toContain('API shows DND off');
});

test('a phone that is refused ends the demo even where all show the same', async () => {
  const { problems, text } = await play({ answer: 403 });

  expect(problems).toEqual(['expected 200, got 403']);
  expect(text).toContain('WRONG: expected 200, got 403');
});

test('where all agree the demo goes on', async () => {
  const { problems } = await play({});

  // The fake API changes nothing, so that the third step is the one that fails.
  expect(problems.slice(0, 2)).toEqual(['', '']);
  expect(problems).toHaveLength(3);
});
