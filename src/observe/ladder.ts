/**
 * The ladder of each call: SIP messages, media and DTMF rows and decisions in order of time.
 *
 * Text is masked before it is stored. Memory is bounded three times: rows per call, characters of SIP text per call
 * (the oldest texts leave first, their summaries stay) and number of calls (those silent for longest leave first).
 * Only the calls that spoke last keep their rows as they are; the others' are packed, and unpacked when asked for.
 */
import { CallRows, type RowBounds } from './call-rows.ts';
import { maskSipText, maskText } from './mask.ts';
import type { MaskOptions } from './mask.ts';

export type LadderLeg = 'caller' | 'callee';
export type LadderRowKind = 'sip' | 'media' | 'dtmf' | 'decision';

export interface LadderRow {
  /** Wall clock in ms since 1970. */
  readonly atMs: number;
  readonly kind: LadderRowKind;
  /** Absent when the row concerns the call as a whole. */
  readonly leg?: LadderLeg;
  /** Of a SIP message: `in` came from the leg, `out` went to it. */
  readonly direction?: 'in' | 'out';
  /** One line, such as the start line of the message. */
  readonly summary: string;
  /** The whole message. */
  readonly text?: string;
}

export interface Ladder {
  readonly rows: readonly LadderRow[];
  /** Rows that the bound has taken; they were older than all that are here. */
  readonly droppedRows: number;
}

export interface LadderOptions extends Partial<MaskOptions> {
  /** Default 500. */
  readonly rowsPerCall?: number;
  /** Default 24 000. */
  readonly textPerCall?: number;
  /** Default 1000. */
  readonly calls?: number;
}

const DEFAULT_ROWS_PER_CALL = 500;
const DEFAULT_TEXT_PER_CALL = 24_000;
const DEFAULT_CALLS = 1_000;
const SUMMARY_LIMIT = 500;
const TEXT_LIMIT = 8_000;
/** A call that is being set up speaks every few ms: it must not be packed between two of its messages. */
const OPEN_CALLS = 32;

export class LadderRecorder {
  readonly #mask: MaskOptions;
  readonly #bounds: RowBounds;
  readonly #callsLimit: number;
  /** The call silent for longest comes first. */
  readonly #calls = new Map<string, CallRows>();
  /** Calls that are not packed, in the same order. */
  readonly #open = new Set<CallRows>();

  constructor(options: LadderOptions = {}) {
    this.#mask = { showDigits: options.showDigits ?? false };
    this.#bounds = {
      rows: options.rowsPerCall ?? DEFAULT_ROWS_PER_CALL,
      text: options.textPerCall ?? DEFAULT_TEXT_PER_CALL,
    };
    this.#callsLimit = options.calls ?? DEFAULT_CALLS;
  }

  record(callId: string, row: LadderRow): void {
    const call = this.#calls.get(callId) ?? new CallRows(this.#bounds);
    call.add(this.#masked(row));
    this.#calls.delete(callId);
    this.#calls.set(callId, call);
    this.#open.delete(call);
    this.#open.add(call);
    this.#evictCalls();
    this.#packSilent();
  }

  /** What was recorded; `undefined` for a call that is not or no longer known. */
  ladder(callId: string): Ladder | undefined {
    return this.#calls.get(callId)?.ladder();
  }

  #evictCalls(): void {
    for (const [callId, call] of this.#calls) {
      if (this.#calls.size <= this.#callsLimit) break;
      this.#calls.delete(callId);
      this.#open.delete(call);
    }
  }

  #packSilent(): void {
    for (const call of this.#open) {
      if (this.#open.size <= OPEN_CALLS) break;
      this.#open.delete(call);
      call.pack();
    }
  }

  #masked(row: LadderRow): LadderRow {
    // Cut before masking: patterns must not run over a message of any length, and a cut value is masked as well.
    const summary = maskText(row.summary.slice(0, SUMMARY_LIMIT), this.#mask);
    if (row.text === undefined) return { ...row, summary };
    return { ...row, summary, text: maskSipText(row.text.slice(0, TEXT_LIMIT), this.#mask) };
  }
}
