/**
 * The ladder of each call: SIP messages, media and DTMF rows and decisions in order of time.
 *
 * Text is masked before it is stored. Memory is bounded three times: rows per call (the set-up stays, of the others the
 * oldest leave first), SIP text per call (likewise, and the summaries stay) and number of calls (those silent for longest
 * leave first).
 * Only the calls that spoke last keep their rows as they are; the others' are packed, and unpacked when asked for.
 */
import { CallRows, type RowBounds } from './call-rows.ts';
import { maskSipText } from './mask-sip.ts';
import { maskText } from './mask.ts';
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
  /** `host:port` that a message came from, where it is not that of the end of the leg. */
  readonly remote?: string;
  /** That it took, where it is not that of the end of the leg. */
  readonly transport?: string;
  /** Of a decision, the other call that it is about. */
  readonly otherCallId?: string;
  /** Octets of the whole message as UTF-8, where the text here is cut. */
  readonly wholeBytes?: number;
}

/** Where the SIP messages of a leg go from and to; a call that tries several callees has several. */
export interface LadderEnd {
  readonly leg: LadderLeg;
  /** From then on, until the next one of the leg. */
  readonly sinceMs: number;
  /** Who is there: a session agent, else the address. */
  readonly name: string;
  readonly transport: string;
  /** `host:port` of ours and of the peer. */
  readonly local: string;
  readonly remote: string;
}

export interface Ladder {
  readonly rows: readonly LadderRow[];
  /** Rows that the bound has taken, from behind the set-up. */
  readonly droppedRows: number;
  /** Which of the rows here comes after those that were dropped; 0 if none were. */
  readonly gapAt: number;
  /** Messages whose text the bound has taken, in rows that are here and in dropped ones. */
  readonly droppedTexts: number;
  /** In order of time. */
  readonly ends: readonly LadderEnd[];
}

export interface LadderOptions extends Partial<MaskOptions> {
  /** Default 500. */
  readonly rowsPerCall?: number;
  /** Bytes: packed texts count as such, the latest ones by their characters. Default 36 000, for some 250 messages. */
  readonly textPerCall?: number;
  /** Default 1000. */
  readonly calls?: number;
  /** Hears of each row, masked as it is stored, with up to 60 000 characters of its text. */
  readonly onRow?: (callId: string, row: LadderRow) => void;
}

/** Hears the id of a call that has got a row. */
export type LadderWatcher = (callId: string) => void;

const DEFAULT_ROWS_PER_CALL = 500;
const DEFAULT_TEXT_PER_CALL = 36_000;
const DEFAULT_CALLS = 1_000;
const SUMMARY_LIMIT = 500;
const TEXT_LIMIT = 8_000;
/** Of what is masked: more is told to nobody. */
const MASKED_LIMIT = 60_000;
/** A call that is being set up speaks every few ms: it must not be packed between two of its messages. */
const OPEN_CALLS = 32;

export class LadderRecorder {
  readonly #mask: MaskOptions;
  readonly #bounds: RowBounds;
  readonly #callsLimit: number;
  readonly #onRow: LadderOptions['onRow'];
  /** The call silent for longest comes first. */
  readonly #calls = new Map<string, CallRows>();
  /** Calls that are not packed, in the same order. */
  readonly #open = new Set<CallRows>();
  readonly #watchers = new Set<LadderWatcher>();

  constructor(options: LadderOptions = {}) {
    this.#mask = { showDigits: options.showDigits ?? false };
    this.#bounds = {
      rows: options.rowsPerCall ?? DEFAULT_ROWS_PER_CALL,
      text: options.textPerCall ?? DEFAULT_TEXT_PER_CALL,
    };
    this.#callsLimit = options.calls ?? DEFAULT_CALLS;
    this.#onRow = options.onRow;
  }

  record(callId: string, row: LadderRow): void {
    const call = this.#calls.get(callId) ?? new CallRows(this.#bounds);
    const masked = this.#masked(row);
    call.add(cutText(masked));
    this.#calls.delete(callId);
    this.#calls.set(callId, call);
    this.#open.delete(call);
    this.#open.add(call);
    this.#evictCalls();
    this.#packSilent();
    this.#onRow?.(callId, masked);
    for (const watcher of this.#watchers) watcher(callId);
  }

  /** Says who stands at the end of a leg from now on. */
  place(callId: string, end: LadderEnd): void {
    let call = this.#calls.get(callId);
    if (call === undefined) {
      call = new CallRows(this.#bounds);
      this.#calls.set(callId, call);
      this.#evictCalls();
    }
    call.place(end);
  }

  /** Who stands at the end of a leg now. */
  endOf(callId: string, leg: LadderLeg): LadderEnd | undefined {
    return this.#calls.get(callId)?.endOf(leg);
  }

  /** Nobody will ask for this call any more. */
  forget(callId: string): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) this.#open.delete(call);
    this.#calls.delete(callId);
  }

  /** Calls `watcher` for every row from now on; gives what ends that. */
  watch(watcher: LadderWatcher): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
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
    const text = maskSipText(row.text.slice(0, MASKED_LIMIT), this.#mask);
    if (row.text.length <= TEXT_LIMIT) return { ...row, summary, text };
    return { ...row, summary, text, wholeBytes: Buffer.byteLength(row.text) };
  }
}

/** Leaves as much of the text as is kept. */
function cutText(row: LadderRow): LadderRow {
  const { text, wholeBytes } = row;
  if (text === undefined || wholeBytes === undefined) return row;
  return { ...row, text: text.slice(0, TEXT_LIMIT) };
}
