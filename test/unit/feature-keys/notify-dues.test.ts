import { describe, expect, test } from 'vitest';
import type { FeatureMark } from '../../../src/feature-keys/feature-service.ts';
import type { AccountState } from '../../../src/feature-keys/feature-state.ts';
import { NotifyDues } from '../../../src/feature-keys/notify-dues.ts';
import type { NotifyAnswer, NotifyRule } from '../../../src/feature-keys/notify-dues.ts';
import type { Feature } from '../../../src/wire/feature-event.ts';
import { ALL_OFF, changed } from './account-samples.ts';

const DND = 'DoNotDisturb';
const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const CFNA = 'CallForwardingNoAnswer';
const ALL: readonly Feature[] = [DND, CFA, CFB, CFNA];

const RULE: NotifyRule = { gapMs: 300, defaultRings: 5, isSeparate: () => false };
const SEPARATE: NotifyRule = { ...RULE, isSeparate: () => true };

const FULL: FeatureMark = { type: 'full' };
const EMPTY: FeatureMark = { type: 'empty' };
const TIMEOUT = { reason: 'timeout', body: 'full' } as const;

/** One dialog; what it would send is written as the names of the features in one NOTIFY. */
class Dialog {
  readonly dues: NotifyDues;
  #state: AccountState;

  constructor(rule: NotifyRule = RULE, state: AccountState = ALL_OFF) {
    this.dues = new NotifyDues(rule, state);
    this.#state = state;
  }

  /** The phone's own SUBSCRIBE is answered. */
  owed(mark: FeatureMark, state: AccountState = this.#state): this {
    this.#state = state;
    this.dues.notice({ mark, state, isOwed: true });
    return this;
  }

  /** Somebody else switched these features. */
  others(...features: Feature[]): this {
    for (const feature of features) {
      const { status } = this.#state[feature];
      this.#state = changed(this.#state, feature, { status: !status });
    }
    this.dues.notice({
      mark: { type: 'features', features },
      state: this.#state,
      isOwed: false,
    });
    return this;
  }

  /** Sends if something may go now; gives what it is, or when it will be. */
  send(nowMs: number): unknown {
    const next = this.dues.next(nowMs);
    if (next.type === 'nothing') return 'nothing';
    if (next.type === 'wait') return next.untilMs;
    this.dues.sent(nowMs);
    const { reports, termination } = next.notify;
    const features = reports.map(({ feature }) => feature);
    return termination === undefined ? features : [...features, termination.reason];
  }

  answer(nowMs: number, answer: NotifyAnswer = { type: 'told' }): this {
    this.dues.answered(answer, nowMs);
    return this;
  }
}

describe('a dialog', () => {
  test('has nothing to send at first', () => {
    expect(new Dialog().send(0)).toBe('nothing');
  });

  test('gets the full state that it is owed', () => {
    expect(new Dialog().owed(FULL).send(0)).toEqual(ALL);
  });

  test('gets what is owed without delay, and what others cause after the gap', () => {
    const dialog = new Dialog().owed(FULL);
    expect(dialog.send(1000)).toEqual(ALL);
    dialog.answer(1010).others(DND);
    expect(dialog.send(1010)).toBe(1300);
    expect(dialog.owed({ type: 'features', features: [CFB] }).send(1020)).toEqual([DND, CFB]);
    dialog.answer(1030).others(DND);
    expect(dialog.send(1319)).toBe(1320);
    expect(dialog.send(1320)).toEqual([DND]);
  });

  test('gets the first change of somebody else at once', () => {
    expect(new Dialog().others(DND).send(77)).toEqual([DND]);
  });

  test('has one NOTIFY unanswered at most; one more carries all that came meanwhile', () => {
    const dialog = new Dialog().others(CFB);
    expect(dialog.send(0)).toEqual([CFB]);
    for (let round = 0; round < 25; round += 1) dialog.others(DND, CFA);
    expect(dialog.send(9000)).toBe('nothing');
    expect(dialog.answer(9000).send(9000)).toEqual([DND, CFA]);
    expect(dialog.answer(9001).send(20_000)).toBe('nothing');
  });

  test('gets the newest state, whenever the NOTIFY goes', () => {
    const dialog = new Dialog().others(DND).others(DND).others(DND);
    expect(dialog.dues.next(0)).toMatchObject({
      notify: { reports: [{ feature: DND, status: true }] },
    });
  });

  test('gets one full NOTIFY for a full mark and partial ones', () => {
    expect(new Dialog().others(DND).owed(FULL).others(CFA).send(0)).toEqual(ALL);
  });

  test('gets a NOTIFY without body when there is nothing to say', () => {
    expect(new Dialog().owed(EMPTY).send(0)).toEqual([]);
    expect(new Dialog().owed(EMPTY).others(DND).send(0)).toEqual([DND]);
    const none = ALL.reduce<AccountState>(
      (state, feature) => changed(state, feature, { assigned: false }),
      ALL_OFF,
    );
    expect(new Dialog(RULE, none).owed(FULL).send(0)).toEqual([]);
  });

  test('is not told of features that the account has lost since', () => {
    const dialog = new Dialog().others(DND);
    dialog.owed(FULL, changed(ALL_OFF, DND, { assigned: false }));
    expect(dialog.send(0)).toEqual([CFA, CFB, CFNA]);
  });

  test('is not told in a full NOTIFY what the store keeps to itself this time', () => {
    const state = changed(ALL_OFF, CFNA, { notify: false });
    expect(new Dialog(RULE, state).owed(FULL).send(0)).toEqual([DND, CFA, CFB]);
  });

  test('shows the ring count of no answer always, and of nothing else', () => {
    const rings = { values: { forwardTo: '1', ringCount: 3 } };
    const dialog = new Dialog(RULE, changed(ALL_OFF, CFB, rings)).owed(FULL);
    expect(dialog.dues.next(0)).toMatchObject({
      notify: {
        reports: [
          { feature: DND, status: false },
          { feature: CFA, status: false },
          { feature: CFB, status: false, forwardTo: '1' },
          { feature: CFNA, status: false, ringCount: 5 },
        ],
      },
    });
  });
});

describe('the end of a dialog', () => {
  test('covers everything that is due', () => {
    const dialog = new Dialog().others(DND);
    dialog.dues.terminate(TIMEOUT);
    expect(dialog.others(CFA).send(0)).toEqual([...ALL, 'timeout']);
    expect(dialog.dues.isOver).toBe(false);
    expect(dialog.answer(1).send(1)).toBe('nothing');
    expect(dialog.dues.isOver).toBe(true);
  });

  test('can be without body', () => {
    const dialog = new Dialog().others(DND);
    dialog.dues.terminate({ reason: 'timeout', body: 'empty' });
    expect(dialog.others(CFA).send(0)).toEqual(['timeout']);
  });

  test('waits for the answer to the NOTIFY before, not for the gap', () => {
    const dialog = new Dialog().others(DND);
    dialog.send(0);
    dialog.dues.terminate(TIMEOUT);
    expect(dialog.send(1)).toBe('nothing');
    expect(dialog.answer(2).send(2)).toEqual([...ALL, 'timeout']);
  });

  test('is reached whatever the phone answers', () => {
    const dialog = new Dialog();
    dialog.dues.terminate(TIMEOUT);
    dialog.send(0);
    expect(dialog.answer(1, { type: 'later', afterMs: 5 }).dues.isOver).toBe(true);
  });

  test('may come without a NOTIFY', () => {
    const dialog = new Dialog().others(DND);
    dialog.dues.end();
    expect(dialog.send(0)).toBe('nothing');
  });
});

describe('an answer', () => {
  const LATER = { type: 'later', afterMs: 5000 } as const;

  test('that asks for later is obeyed, with the newest state, three times', () => {
    const dialog = new Dialog().others(DND);
    let nowMs = 0;
    for (let round = 0; round < 3; round += 1) {
      expect(dialog.send(nowMs)).toEqual([DND]);
      dialog.answer(nowMs, LATER).others(DND);
      expect(dialog.send(nowMs + 4999)).toBe(nowMs + 5000);
      nowMs += 5000;
    }
    expect(dialog.send(nowMs)).toEqual([DND]);
    expect(dialog.answer(nowMs, LATER).send(nowMs + 60_000)).toBe('nothing');
    expect(dialog.others(CFB).send(nowMs + 60_000)).toEqual([DND, CFB]);
  });

  test('that asks for later than a minute is taken as a minute', () => {
    const dialog = new Dialog().others(DND);
    dialog.send(0);
    expect(dialog.answer(0, { type: 'later', afterMs: 3_600_000 }).send(1)).toBe(60_000);
  });

  test('that asks for later does not hold up what is owed', () => {
    const dialog = new Dialog().others(DND);
    dialog.send(0);
    dialog.answer(0, LATER).owed({ type: 'features', features: [CFA] });
    expect(dialog.send(1)).toEqual([DND, CFA]);
  });

  test('that is a failure leaves the state to the next occasion', () => {
    const dialog = new Dialog().others(DND);
    dialog.send(0);
    dialog.answer(1, { type: 'failed' });
    expect(dialog.send(90_000)).toBe('nothing');
    expect(dialog.others(CFA).send(90_000)).toEqual([DND, CFA]);
  });

  test('that is a challenge has the same sent again at once', () => {
    const dialog = new Dialog().others(DND);
    dialog.send(0);
    expect(dialog.answer(1, { type: 'again' }).send(1)).toEqual([DND]);
    const leaving = new Dialog();
    leaving.dues.terminate(TIMEOUT);
    leaving.send(0);
    expect(leaving.answer(1, { type: 'again' }).send(1)).toEqual([...ALL, 'timeout']);
  });

  test('tells which notices have reached the phone', () => {
    const dialog = new Dialog().others(DND).others(CFA);
    expect(dialog.dues.ticket).toBe(2);
    dialog.send(0);
    dialog.others(CFB);
    expect(dialog.answer(1).dues.told).toBe(2);
    dialog.send(300);
    expect(dialog.answer(301, { type: 'failed' }).dues.told).toBe(2);
    dialog.others(DND).send(700);
    expect(dialog.answer(701).dues.told).toBe(4);
  });
});

describe('a phone that wants one NOTIFY for each feature', () => {
  test('gets them in order, each after the answer to the one before', () => {
    const dialog = new Dialog(SEPARATE).owed(FULL);
    for (const [index, feature] of ALL.entries()) {
      expect(dialog.send(index)).toEqual([feature]);
      expect(dialog.send(index)).toBe('nothing');
      expect(dialog.dues.told).toBe(0);
      dialog.answer(index);
    }
    expect(dialog.dues.told).toBe(1);
    expect(dialog.send(9000)).toBe('nothing');
  });

  test('gets the end with the last of them', () => {
    const dialog = new Dialog(SEPARATE);
    dialog.dues.terminate(TIMEOUT);
    const sent = ALL.map((_, index) => {
      const notify = dialog.send(index);
      dialog.answer(index);
      return notify;
    });
    expect(sent).toEqual([[DND], [CFA], [CFB], [CFNA, 'timeout']]);
    expect(dialog.dues.isOver).toBe(true);
  });

  test('gets them one by one to the last even where few fit into one body', () => {
    const rule = { ...RULE, isSeparate: (reports: readonly unknown[]) => reports.length > 3 };
    const dialog = new Dialog(rule).owed(FULL);
    const sent = ALL.map((_, index) => {
      const notify = dialog.send(index);
      dialog.answer(index);
      return notify;
    });
    expect(sent).toEqual([[DND], [CFA], [CFB], [CFNA]]);
    expect(dialog.others(DND, CFB).send(9000)).toEqual([DND, CFB]);
  });
});
