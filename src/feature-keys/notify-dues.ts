/**
 * What one dialog of a phone still has to be told, and when: a machine without clock or socket.
 *
 *   notice, terminate -> due marks --next(now)--> send (then call sent(now)) | wait until | nothing
 *                            ^                        |
 *                            +---- answered(now) <----+   one NOTIFY unanswered at a time
 *
 * Marks name features, never values: however much changes while a NOTIFY is under way, the next one carries the
 * newest state, and the memory of a dialog stays the same. A full mark covers features, a termination covers all.
 */

import { FEATURES } from '../wire/feature-event.ts';
import type { Feature, FeatureReport } from '../wire/feature-event.ts';
import type { FeatureNotice } from './feature-service.ts';
import type { AccountState } from './feature-state.ts';
import { fullReports, partialReports } from './feature-view.ts';

/** How often the answer "later" (Retry-After) is obeyed before the dialog waits for the next occasion. */
const RETRIES = 3;

const RETRY_CAP_MS = 60_000;

export interface NotifyRule {
  /** Least time since the NOTIFY before, for what somebody else caused. */
  readonly gapMs: number;
  readonly defaultRings: number;
  /** Judges whether these documents go as one NOTIFY each. */
  readonly isSeparate: (reports: readonly FeatureReport[]) => boolean;
}

/** The end of a subscription, as its last NOTIFY says it. */
export interface Termination {
  readonly reason: 'timeout' | 'probation' | 'deactivated' | 'noresource';
  readonly retryAfterSeconds?: number;
  readonly body: 'full' | 'empty';
}

/** One NOTIFY. */
export interface DueNotify {
  /** One body; empty: no body. */
  readonly reports: readonly FeatureReport[];
  /** It answers a SUBSCRIBE of this phone: no gap, no pacing. */
  readonly isOwed: boolean;
  /** Present: the subscription ends with it. */
  readonly termination?: Termination;
}

export type NextNotify =
  | { readonly type: 'nothing' }
  | { readonly type: 'wait'; readonly untilMs: number }
  | { readonly type: 'send'; readonly notify: DueNotify };

/** What came of a NOTIFY. A dialog that is gone needs no answer any more. */
export type NotifyAnswer =
  | { readonly type: 'told' }
  /** To be sent once more at once, as after a challenge. */
  | { readonly type: 'again' }
  | { readonly type: 'later'; readonly afterMs: number }
  /** Kept; what was in it goes out on the next occasion. */
  | { readonly type: 'failed' };

/** What is due: all that a dialog remembers. */
interface Marks {
  readonly features: ReadonlySet<Feature>;
  readonly isFull: boolean;
  /** A NOTIFY is due even if it has no body. */
  readonly isEmpty: boolean;
  readonly isOwed: boolean;
}

const NO_MARKS: Marks = { features: new Set(), isFull: false, isEmpty: false, isOwed: false };

interface Flight {
  readonly marks: Marks;
  readonly termination: Termination | undefined;
  /** Everything noticed up to this ticket is in it or was told before. */
  readonly covers: number | undefined;
}

export class NotifyDues {
  #rule: NotifyRule;
  #state: AccountState;
  #due: Marks = NO_MARKS;
  /** What a phone refused without naming a time: goes along with whatever is due next. */
  #stale: Marks = NO_MARKS;
  #termination: Termination | undefined;
  #flight: Flight | undefined;
  #isOver = false;
  /** One NOTIFY for each of the due documents, until all of them are out. */
  #isSeries = false;
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #holdUntilMs = Number.NEGATIVE_INFINITY;
  #retries = 0;
  #ticket = 0;
  #told = 0;

  /** @param state of the account, as the first NOTIFY will say it unless a newer one comes before. */
  constructor(rule: NotifyRule, state: AccountState) {
    this.#rule = rule;
    this.#state = state;
  }

  /** The subscription has ended: its last NOTIFY was answered or given up, or `end` was called. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A NOTIFY is under way. */
  get isUnanswered(): boolean {
    return this.#flight !== undefined;
  }

  /** Number of the newest notice. */
  get ticket(): number {
    return this.#ticket;
  }

  /** All notices up to this number have reached the phone. */
  get told(): number {
    return this.#told;
  }

  /** What waits to be sent, for whoever looks at the dialog. */
  get due(): { features: readonly Feature[]; isFull: boolean; isTerminating: boolean } {
    const { features, isFull } = this.#marks();
    return {
      features: FEATURES.filter((feature) => features.has(feature)),
      isFull,
      isTerminating: this.#termination !== undefined,
    };
  }

  setRule(rule: NotifyRule): void {
    this.#rule = rule;
  }

  notice(notice: FeatureNotice): void {
    this.#state = notice.state;
    this.#ticket += 1;
    // A last NOTIFY with the full state says it anyway, one without body says nothing any more.
    if (this.#termination === undefined) this.#due = merged(this.#due, marksOf(notice));
  }

  /** The subscription ends with a last NOTIFY. */
  terminate(termination: Termination, state: AccountState = this.#state): void {
    this.#state = state;
    this.#ticket += 1;
    this.#termination = termination;
    const isFull = termination.body === 'full';
    this.#stale = NO_MARKS;
    this.#due = { ...NO_MARKS, isFull, isEmpty: !isFull, isOwed: true };
  }

  /** The subscription ends without one. */
  end(): void {
    this.#isOver = true;
  }

  /** What to do now; changes nothing, so it may be asked at any time and again. */
  next(nowMs: number): NextNotify {
    if (this.#isOver || this.#flight !== undefined) return { type: 'nothing' };
    const plan = this.#plan();
    if (plan === undefined) return { type: 'nothing' };
    const untilMs = Math.max(this.#holdUntilMs, this.#lastSentAtMs + this.#rule.gapMs);
    if (!plan.notify.isOwed && untilMs > nowMs) return { type: 'wait', untilMs };
    return { type: 'send', notify: plan.notify };
  }

  /** What `next` gave was sent at this moment; nothing may happen in between. */
  sent(nowMs: number): void {
    const plan = this.#plan();
    if (plan === undefined || this.#flight !== undefined) return;
    const isAllOut = plan.rest === NO_MARKS;
    this.#flight = {
      marks: plan.sending,
      termination: plan.notify.termination,
      covers: isAllOut ? this.#ticket : undefined,
    };
    this.#due = plan.rest;
    this.#isSeries = !isAllOut;
    this.#stale = NO_MARKS;
    this.#lastSentAtMs = nowMs;
    this.#holdUntilMs = Number.NEGATIVE_INFINITY;
  }

  answered(answer: NotifyAnswer, nowMs: number): void {
    const flight = this.#flight;
    if (flight === undefined) return;
    this.#flight = undefined;
    if (answer.type === 'again') {
      this.#due = merged(this.#due, { ...flight.marks, isOwed: true });
      return;
    }
    if (flight.termination !== undefined) this.#isOver = true;
    if (answer.type === 'told') {
      this.#retries = 0;
      this.#told = flight.covers ?? this.#told;
    } else if (answer.type === 'later' && this.#retries < RETRIES) {
      this.#retries += 1;
      this.#due = merged(this.#due, { ...flight.marks, isOwed: false });
      this.#holdUntilMs = nowMs + Math.min(answer.afterMs, RETRY_CAP_MS);
    } else {
      this.#retries = 0;
      this.#stale = merged(this.#stale, { ...flight.marks, isOwed: false });
    }
  }

  /** Due marks and, once there are any, what the phone refused before. */
  #marks(): Marks {
    return this.#due === NO_MARKS ? NO_MARKS : merged(this.#stale, this.#due);
  }

  #plan(): { notify: DueNotify; sending: Marks; rest: Marks } | undefined {
    const marks = this.#marks();
    if (marks === NO_MARKS) return undefined;
    const rings = this.#rule.defaultRings;
    const reports = marks.isFull
      ? fullReports(this.#state, rings)
      : partialReports(this.#state, marks.features, rings);
    const isBodyless = marks.isFull || marks.isEmpty || marks.isOwed;
    // What was to be told has been taken from the account since.
    if (reports.length === 0 && !isBodyless) return undefined;
    const [first, ...others] = reports;
    const isSplit = others.length > 0 && (this.#isSeries || this.#rule.isSeparate(reports));
    if (first !== undefined && isSplit) {
      const { isOwed } = marks;
      return {
        notify: { reports: [first], isOwed },
        sending: partialMarks([first], isOwed),
        rest: partialMarks(others, isOwed),
      };
    }
    const termination = this.#termination;
    return {
      notify: { reports, isOwed: marks.isOwed, ...(termination && { termination }) },
      sending: marks,
      rest: NO_MARKS,
    };
  }
}

function marksOf({ mark, isOwed }: FeatureNotice): Marks {
  return {
    features: new Set(mark.type === 'features' ? mark.features : []),
    isFull: mark.type === 'full',
    isEmpty: mark.type === 'empty',
    isOwed,
  };
}

function partialMarks(reports: readonly FeatureReport[], isOwed: boolean): Marks {
  return { ...NO_MARKS, features: new Set(reports.map(({ feature }) => feature)), isOwed };
}

function merged(one: Marks, other: Marks): Marks {
  return {
    features: new Set([...one.features, ...other.features]),
    isFull: one.isFull || other.isFull,
    isEmpty: one.isEmpty || other.isEmpty,
    isOwed: one.isOwed || other.isOwed,
  };
}
