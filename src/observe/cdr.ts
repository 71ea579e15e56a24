/** Call detail records: JSON lines, one per call attempt, written once at its end. Digits never stand in them. */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const CDR_VERSION = 1;

export interface CdrRecord {
  readonly version: typeof CDR_VERSION;
  /** Unique for all time; tells a record that was read twice. */
  readonly cdrId: string;
  /** Our call id, as in logs and API. */
  readonly callId: string;
  readonly config: { readonly hash: string };
  /** Host name of this SBC. */
  readonly node: string;
  readonly ingress: CdrLeg;
  /** The leg that was answered or tried last; absent when none was tried. */
  readonly egress?: CdrLeg;
  readonly attempts: readonly CdrAttempt[];
  readonly numbers: CdrNumbers;
  readonly timestamps: CdrTimestamps;
  readonly durations: CdrDurations;
  readonly release: CdrRelease;
  readonly media?: {
    readonly perLeg: Readonly<Partial<Record<'ingress' | 'egress', CdrLegMedia>>>;
  };
  readonly dtmf: CdrDtmf;
  readonly policy?: {
    readonly name: string;
    readonly rule: string;
    /** Session agents that were passed over, such as `out-of-service (no-answer)`. */
    readonly skipped?: readonly { readonly agent: string; readonly reason: string }[];
  };
}

export interface CdrLeg {
  /** Name of the session-agent. */
  readonly agent?: string;
  readonly realm: string;
  readonly interface: string;
  /** Address and port of the peer. */
  readonly remote: string;
  readonly sipCallId: string;
  readonly from: string;
  readonly to: string;
  readonly ruri: string;
  readonly pai?: string;
  readonly transport: string;
  readonly codec?: string;
  readonly srtp: boolean;
}

export interface CdrAttempt {
  readonly agent?: string;
  /** SIP status. */
  readonly code: number;
  readonly reason: string;
  /** RFC 3339 with ms. */
  readonly start: string;
  readonly end: string;
}

export interface CdrNumbers {
  readonly calledIn: string;
  readonly calledOut?: string;
  readonly callerIn: string;
  readonly callerOut?: string;
}

/** RFC 3339 with ms, UTC. */
export interface CdrTimestamps {
  readonly invite: string;
  readonly trying?: string;
  readonly firstProgress?: string;
  readonly ringing?: string;
  readonly answer?: string;
  readonly end: string;
}

/** Seconds with ms as fraction. */
export interface CdrDurations {
  /** INVITE to first ringing or early media. */
  readonly pdd?: number;
  readonly ring?: number;
  /** Answer to end; 0 for a call that was not answered. */
  readonly bill: number;
}

export interface CdrRelease {
  /** Who ended the call. */
  readonly side: 'caller' | 'callee' | 'sbc';
  readonly sipCode: number;
  readonly q850?: number;
  /** Our end cause. */
  readonly internalCode: string;
  readonly text: string;
}

export interface CdrLegMedia {
  /** Received from the leg. */
  readonly packets: number;
  readonly octets: number;
  readonly lost?: number;
  readonly jitterMs?: number;
  readonly mos?: number;
  /** The source was learned from packets instead of SDP. */
  readonly srcLearned?: boolean;
  /** The media watchdog found it silent. */
  readonly inactive?: boolean;
}

/** Counts only. */
export interface CdrDtmf {
  readonly ingressMethod: string;
  readonly egressMethod: string;
  /** Row of the decision table. */
  readonly decision: string;
  readonly digitsIn: number;
  readonly digitsOut: number;
  readonly dropped: number;
}

export interface CdrFailure {
  readonly error: unknown;
  /** Records given up; the others wait for the next attempt to write. */
  readonly lostRecords: number;
}

export interface CdrWriterOptions {
  /** Empty: no records are written. */
  readonly file: string;
  /** Records kept in memory while the file cannot be written; the oldest are given up first. Default 10 000. */
  readonly queueLimit?: number;
  /** How long records are collected after a batch before the next one is written. Default 100. */
  readonly pauseMs?: number;
  readonly onFailure: (failure: CdrFailure) => void;
}

const DEFAULT_QUEUE_LIMIT = 10_000;
/** Opening the file costs as much as fifty lines: with many calls a second one batch takes them all. */
const DEFAULT_PAUSE_MS = 100;

/**
 * Appends records to one file, in order, each exactly once.
 *
 * The file is opened for each batch, so that it may be renamed for rotation at any time. Nothing is fsynced: a crash of
 * the machine can lose what the kernel had not written yet, a crash of the process only what was not handed over:
 * at most what came within one pause.
 * After a failure (disk full) the half-written batch is cut off and tried again with the next record and at close.
 */
export class CdrWriter {
  readonly #file: string;
  readonly #queueLimit: number;
  readonly #pauseMs: number;
  readonly #onFailure: (failure: CdrFailure) => void;
  /** Ends the pause after a batch, and allows no further one, when the writer is closed. */
  readonly #closing = new AbortController();
  #queue: string[] = [];
  /** The batch under way, settled when none is. */
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(options: CdrWriterOptions) {
    this.#file = options.file;
    this.#queueLimit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
    this.#pauseMs = options.pauseMs ?? DEFAULT_PAUSE_MS;
    this.#onFailure = options.onFailure;
  }

  /** Queues a record; never throws and never waits. */
  write(record: CdrRecord): void {
    if (this.#file === '') return;
    this.#queue.push(`${JSON.stringify(record)}\n`);
    if (!this.#isRunning) this.#running = this.#flush();
  }

  /** Resolves when every record is in the file or given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (this.#queue.length > 0) await this.#flush();
    const lostRecords = this.#queue.length;
    this.#queue = [];
    if (lostRecords > 0) this.#onFailure({ error: new Error('closed'), lostRecords });
  }

  async #flush(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        const error = await appendWhole(this.#file, batch.join(''));
        if (error === undefined) {
          await this.#pause();
          continue;
        }
        this.#queue = [...batch, ...this.#queue];
        const lostRecords = Math.max(0, this.#queue.length - this.#queueLimit);
        this.#queue.splice(0, lostRecords);
        this.#onFailure({ error, lostRecords });
        return;
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #pause(): Promise<void> {
    const { signal } = this.#closing;
    await sleep(this.#pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Appends all of `text` or nothing; returns the error instead of throwing it. */
async function appendWhole(file: string, text: string): Promise<unknown> {
  try {
    await using handle = await openForAppend(file);
    const { size } = await handle.stat();
    try {
      await handle.appendFile(text);
    } catch (error) {
      // What cannot be cut off either stays; the reason of the first failure is the one to report.
      await handle.truncate(size).catch(() => undefined);
      throw error;
    }
    return undefined;
  } catch (error) {
    return error ?? new Error('unknown failure');
  }
}

/** Opens `file`, making its folder when it is missing: looked for only then, since batches are many. */
async function openForAppend(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'a');
  } catch {
    await mkdir(dirname(file), { recursive: true });
    return open(file, 'a');
  }
}
