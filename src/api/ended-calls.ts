/** Calls that have ended, as the API shows them: plain data, nothing of the call itself lives on. */
import type { Call } from '../call/call.ts';
import type { CallOutcome } from '../call/call-plan.ts';
import type { RefusedAttempt } from '../call/call-watch.ts';
import { isWorthARow } from '../call/setup/refused-attempt.ts';
import type { CdrRecord } from '../observe/cdr.ts';
import type { DigitSummary } from '../observe/digit-ledger.ts';
import { RecentCalls } from '../observe/recent-calls.ts';
import type { CallEndView, CallView, ExplanationView } from './backend.ts';
import {
  callFacts,
  type CallFacts,
  explanationView,
  mediaView,
  refusedFacts,
  settingsView,
} from './call-view.ts';
import { KeptSettings } from './kept-settings.ts';

/** Those that became no call are kept apart: somebody who dials at random must not displace real ones. */
const REFUSED_KEPT = 200;

interface EndedCall {
  readonly facts: CallFacts;
  /** The plan stands in `facts`. */
  readonly explanation: Omit<ExplanationView, 'plan'>;
  /** Absent where there were no streams. */
  readonly media: CallView['media'] | undefined;
}

export class EndedCalls {
  readonly #recent = new RecentCalls<EndedCall>();
  readonly #refused: RecentCalls<EndedCall>;
  readonly #settings = new KeptSettings(settingsView);
  readonly #digitsOf: (callId: string) => DigitSummary;

  /** `onRefusedLeft` hears of a refused attempt that is not kept any more. */
  constructor(
    digitsOf: (callId: string) => DigitSummary,
    onRefusedLeft: (callId: string) => void = () => undefined,
  ) {
    this.#digitsOf = digitsOf;
    this.#refused = new RecentCalls({ capacity: REFUSED_KEPT, onLeft: onRefusedLeft });
  }

  add(call: Call, { record, counters }: CallOutcome): void {
    const { plan: _plan, ...explanation } = explanationView(call, this.#settings.of);
    this.#recent.add(call.id, {
      facts: { ...callFacts(call, record), ...endOf(record) },
      explanation,
      media: counters.length === 0 ? undefined : mediaView(counters),
    });
  }

  /** False for one that is not kept: those of strangers and of the load come in floods. */
  addRefused({ caller, cause, record }: RefusedAttempt): boolean {
    if (!isWorthARow(cause)) return false;
    const { callId, policy } = record;
    this.#refused.add(callId, {
      facts: { ...refusedFacts(caller, record), ...endOf(record) },
      explanation: {
        callId,
        ...(policy === undefined ? {} : { policy: policy.name }),
        ...(policy?.skipped === undefined ? {} : { skipped: policy.skipped }),
        settings: { caller: this.#settings.of(caller) },
        decisions: [],
      },
      media: undefined,
    });
    return true;
  }

  /** Newest first; without media counters. */
  list(): readonly CallFacts[] {
    const calls = this.#recent.list().map(({ facts }) => facts);
    const refused = this.#refused.list().map(({ facts }) => facts);
    if (refused.length === 0) return calls;
    return [...calls, ...refused].toSorted((a, b) => compare(b.endedAt, a.endedAt));
  }

  /** With what the ledger says of its digits. */
  view(facts: CallFacts): CallView {
    return { ...facts, digits: this.#digitsOf(facts.id) };
  }

  /** With media counters. */
  get(callId: string): CallView | undefined {
    const ended = this.#get(callId);
    if (ended === undefined) return undefined;
    const { facts, media } = ended;
    return { ...this.view(facts), ...(media === undefined ? {} : { media }) };
  }

  explanation(callId: string): ExplanationView | undefined {
    const ended = this.#get(callId);
    if (ended === undefined) return undefined;
    const { plan } = ended.facts;
    return { ...ended.explanation, ...(plan === undefined ? {} : { plan }) };
  }

  #get(callId: string): EndedCall | undefined {
    return this.#recent.get(callId) ?? this.#refused.get(callId);
  }
}

function endOf({ timestamps, release }: CdrRecord): Pick<CallView, 'endedAt' | 'end'> {
  const end: CallEndView = {
    side: release.side,
    sipCode: release.sipCode,
    ...(release.q850 === undefined ? {} : { q850: release.q850 }),
    code: release.internalCode,
    text: release.text,
  };
  return { endedAt: timestamps.end, end };
}

function compare(a = '', b = ''): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
