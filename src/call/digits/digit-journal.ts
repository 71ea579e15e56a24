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

/** A report that may be refused without being read. */
type UnreadSource = Extract<DigitSource, { type: 'notify' | 'info' }>;

/** As the ladder names them. */
const SOURCE_NAMES: Readonly<Record<DigitSource['type'], string>> = {
  rtp: 'telephone-event',
  notify: 'KPML NOTIFY',
  info: 'SIP INFO',
};

/** The status of a request that nobody answered. */
const NO_ANSWER = 408;

/** Records of refused reports in one call: a flood of them must not push the digits of other calls out. */
const MAX_UNREAD_RECORDS = 100;

/** Stands for a key that was not read. */
const UNREAD_KEY = '?';

export class DigitJournal {
  readonly #callId: string;
  readonly #context: DigitContext;
  #presses = 0;
  #unreadRecords = 0;

  constructor(callId: string, context: DigitContext) {
    this.#callId = callId;
    this.#context = context;
  }

  nowMs(): number {
    return this.#context.nowMs();
  }

  /** Opens the record of a press of `side`; gives its id. */
  enter(side: Side, digit: string, source: DigitSource, atMs = this.#context.nowMs()): string {
    const pressId = this.#open(side, digit, source, atMs);
    this.record('dtmf', side, `digit from ${side} by ${SOURCE_NAMES[source.type]}`);
    return pressId;
  }

  /** To be called when the digit has left, or when its NOTIFY or INFO has been answered. */
  sent(pressId: string, output: DigitOutput): void {
    const isAnswered = 'status' in output && output.status !== NO_ANSWER;
    const answer = isAnswered ? { answeredAtMs: this.#context.nowMs() } : {};
    this.#context.ledger.sent(pressId, { ...output, ...answer });
  }

  drop(pressId: string, reason: DigitDropReason): void {
    const { ledger } = this.#context;
    const before = ledger.get(pressId);
    ledger.dropped(pressId, reason);
    if (before === undefined || before.dropped !== undefined) return;
    const side = before.direction === 'caller-to-callee' ? 'caller' : 'callee';
    this.record('dtmf', side, `digit from ${side} dropped: ${reason}`);
  }

  /** Notes a report of `side` that was refused unread: the digit in it is lost, whichever it was. */
  dropUnread(side: Side, reason: DigitDropReason, source: UnreadSource): void {
    const { ledger, metrics } = this.#context;
    this.#unreadRecords += 1;
    if (this.#unreadRecords <= MAX_UNREAD_RECORDS) {
      ledger.dropped(this.#open(side, UNREAD_KEY, source, this.#context.nowMs()), reason);
    } else {
      metrics.digit({ type: 'dropped', from: source.type, reason });
    }
    this.record('dtmf', side, `${SOURCE_NAMES[source.type]} of ${side} refused: ${reason}`);
  }

  record(kind: 'dtmf' | 'decision', leg: Side, summary: string): void {
    const atMs = this.#context.nowMs();
    this.#context.ladder.record(this.#callId, { atMs, kind, leg, summary });
  }

  #open(side: Side, digit: string, source: DigitSource, atMs: number): string {
    this.#presses += 1;
    const callId = this.#callId;
    const pressId = `${callId}#${this.#presses}`;
    const direction: DigitDirection = side === 'caller' ? 'caller-to-callee' : 'callee-to-caller';
    this.#context.ledger.pressed({ pressId, callId, direction, digit, source, atMs });
    return pressId;
  }
}
