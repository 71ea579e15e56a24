/**
 * The ladder of each call: SIP messages, media and DTMF rows and decisions in order of time.
 *
 * Text is masked before it is stored. Memory is bounded three times: rows per call, characters of SIP text per call
 * (the oldest texts leave first, their summaries stay) and number of calls (those silent for longest leave first).
 */
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

interface CallRows {
  rows: LadderRow[];
  droppedRows: number;
  textLength: number;
}

const DEFAULT_ROWS_PER_CALL = 500;
const DEFAULT_TEXT_PER_CALL = 24_000;
const DEFAULT_CALLS = 1_000;
const SUMMARY_LIMIT = 500;
const TEXT_LIMIT = 8_000;

export class LadderRecorder {
  readonly #mask: MaskOptions;
  readonly #rowsPerCall: number;
  readonly #textPerCall: number;
  readonly #callsLimit: number;
  /** The call silent for longest comes first. */
  readonly #calls = new Map<string, CallRows>();

  constructor(options: LadderOptions = {}) {
    this.#mask = { showDigits: options.showDigits ?? false };
    this.#rowsPerCall = options.rowsPerCall ?? DEFAULT_ROWS_PER_CALL;
    this.#textPerCall = options.textPerCall ?? DEFAULT_TEXT_PER_CALL;
    this.#callsLimit = options.calls ?? DEFAULT_CALLS;
  }

  record(callId: string, row: LadderRow): void {
    const call = this.#callOf(callId);
    const masked = this.#masked(row);
    call.rows.push(masked);
    call.textLength += masked.text?.length ?? 0;
    if (call.rows.length > this.#rowsPerCall) {
      const oldest = call.rows.shift();
      call.textLength -= oldest?.text?.length ?? 0;
      call.droppedRows += 1;
    }
    if (call.textLength > this.#textPerCall) this.#dropOldestTexts(call);
  }

  /** What was recorded; `undefined` for a call that is not or no longer known. */
  ladder(callId: string): Ladder | undefined {
    const call = this.#calls.get(callId);
    return call && { rows: [...call.rows], droppedRows: call.droppedRows };
  }

  #callOf(callId: string): CallRows {
    let call = this.#calls.get(callId);
    if (call === undefined) {
      call = { rows: [], droppedRows: 0, textLength: 0 };
    } else {
      this.#calls.delete(callId);
    }
    this.#calls.set(callId, call);
    this.#evictCalls();
    return call;
  }

  #evictCalls(): void {
    for (const callId of this.#calls.keys()) {
      if (this.#calls.size <= this.#callsLimit) break;
      this.#calls.delete(callId);
    }
  }

  #masked(row: LadderRow): LadderRow {
    // Cut before masking: patterns must not run over a message of any length, and a cut value is masked as well.
    const summary = maskText(row.summary.slice(0, SUMMARY_LIMIT), this.#mask);
    if (row.text === undefined) return { ...row, summary };
    return { ...row, summary, text: maskSipText(row.text.slice(0, TEXT_LIMIT), this.#mask) };
  }

  #dropOldestTexts(call: CallRows): void {
    call.rows = call.rows.map((row) => {
      if (row.text === undefined || call.textLength <= this.#textPerCall) return row;
      call.textLength -= row.text.length;
      const { text: _text, ...rest } = row;
      return rest;
    });
  }
}
