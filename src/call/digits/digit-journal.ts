/** What is written down about the digits of one call: the ledger entry of each press, and the rows of the ladder. */
import type {
  DigitDirection,
  DigitDropReason,
  DigitOutput,
  DigitSource,
} from '../../observe/digit-ledger.ts';
import type { Side } from '../../wire/side.ts';
import type { CallContext } from '../call-context.ts';

/** Where the fate of digits is written down. */
export type DigitContext = Pick<CallContext, 'ledger' | 'ladder' | 'metrics' | 'nowMs'>;

/** As the ladder names them. */
const SOURCE_NAMES: Readonly<Record<DigitSource['type'], string>> = {
  rtp: 'telephone-event',
  notify: 'KPML NOTIFY',
  info: 'SIP INFO',
};

export class DigitJournal {
  readonly #callId: string;
  readonly #context: DigitContext;
  #presses = 0;

  constructor(callId: string, context: DigitContext) {
    this.#callId = callId;
    this.#context = context;
  }

  nowMs(): number {
    return this.#context.nowMs();
  }

  /** Opens the record of a press of `side`; gives its id. */
  enter(side: Side, digit: string, source: DigitSource, atMs = this.#context.nowMs()): string {
    this.#presses += 1;
    const callId = this.#callId;
    const pressId = `${callId}#${this.#presses}`;
    const direction: DigitDirection = side === 'caller' ? 'caller-to-callee' : 'callee-to-caller';
    this.#context.ledger.pressed({ pressId, callId, direction, digit, source, atMs });
    this.record('dtmf', side, `digit from ${side} by ${SOURCE_NAMES[source.type]}`);
    return pressId;
  }

  sent(pressId: string, output: DigitOutput): void {
    this.#context.ledger.sent(pressId, output);
  }

  drop(pressId: string, reason: DigitDropReason): void {
    const { ledger } = this.#context;
    const before = ledger.get(pressId);
    ledger.dropped(pressId, reason);
    if (before === undefined || before.dropped !== undefined) return;
    const side = before.direction === 'caller-to-callee' ? 'caller' : 'callee';
    this.record('dtmf', side, `digit from ${side} dropped: ${reason}`);
  }

  /** Counts digits that were refused unread and so have no record of their own. */
  dropUnread(side: Side, reason: DigitDropReason, from: 'notify' | 'info' = 'notify'): void {
    this.#context.metrics.digit({ type: 'dropped', from, reason });
    this.record('dtmf', side, `${SOURCE_NAMES[from]} of ${side} refused: ${reason}`);
  }

  record(kind: 'dtmf' | 'decision', leg: Side, summary: string): void {
    const atMs = this.#context.nowMs();
    this.#context.ladder.record(this.#callId, { atMs, kind, leg, summary });
  }
}
