/** Writes call records: each exactly once, in order, whatever becomes of the disk or of the process before this one. */
import type { CdrRecord, CdrStart, OpenAttempt } from './cdr.ts';
import { type CdrFiles, DISK_FILES } from './cdr-files.ts';
import { cdrLine } from './cdr-line.ts';
import { CdrJournal, type JournalFinding } from './cdr-journal.ts';
import type { UnfinishedAttempt } from './cdr-journal-lines.ts';
import { killedRecord } from './cdr-killed.ts';
import { recordedAmong, repairTail, type TailState } from './cdr-repair.ts';
import { type CdrRotation, rotateIfDue } from './cdr-rotation.ts';
import { nowMs } from './clock.ts';
import { WriteLoop } from './write-loop.ts';

export interface CdrFailure {
  /** What could not be written; the file goes on without its rotation. */
  readonly part: 'records' | 'journal' | 'rotation';
  readonly error: unknown;
  /** Records given up; the others wait for the next attempt to write. */
  readonly lostRecords: number;
}

export interface CdrWriterOptions {
  /** Empty: no records are written. */
  readonly file: string;
  /** Keeps a journal of open calls beside the file; `start` has to be called then. Default false. */
  readonly hasJournal?: boolean;
  /** Default: no rotation. */
  readonly rotation?: CdrRotation;
  /** Each batch reaches the disk before it counts as written. Default false. */
  readonly isSynced?: boolean;
  /** Writes a line when a call is answered, too. Default false. */
  readonly hasStartEvents?: boolean;
  /** Records kept in memory while the file cannot be written; the oldest are given up first. Default 10 000. */
  readonly queueLimit?: number;
  /** How long records are collected after a batch before the next one is written. Default 100. */
  readonly pauseMs?: number;
  /** Wait after the first failure in a row; up to 30 s after further ones. Default 1000. */
  readonly retryMs?: number;
  /** See `CdrJournal`. */
  readonly journalGrowthBytes?: number;
  readonly files?: CdrFiles;
  readonly nowMs?: () => number;
  readonly onFailure: (failure: CdrFailure) => void;
  /** So many records have reached the file. */
  readonly onWritten?: (records: number) => void;
}

/** What a start found of the process before. */
export interface CdrRecovery {
  /** Records written for calls that were open when it was killed. */
  readonly closedCalls: number;
  /** Lines of the journal that could not be read. */
  readonly badLines: number;
  /** End of the file of records. */
  readonly tail: TailState;
  /** Where a journal that was not understood is kept. */
  readonly keptAside?: { readonly as: string; readonly why: string };
}

interface QueuedLine {
  readonly text: string;
  /** Of a record; a start event has none. */
  readonly cdrId?: string;
}

const DEFAULT_QUEUE_LIMIT = 10_000;
/** Opening the file costs as much as fifty lines: with many calls a second one batch takes them all. */
const DEFAULT_PAUSE_MS = 100;
const DEFAULT_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** Joining more lines at once would be felt by calls. */
const MAX_BATCH = 500;

/**
 * Appends records to one file, in order, each exactly once.
 *
 * The file is opened for each batch, so that it may be renamed for rotation at any time. A crash of the process loses
 * at most what came within one pause; the calls that were open are closed by the next `start` if there is a journal.
 * A crash of the machine can also lose what the kernel had not written yet, unless batches are synced.
 * After a failure (disk full) the half-written batch is cut off and tried again later and at close.
 */
export class CdrWriter {
  readonly #options: CdrWriterOptions;
  readonly #files: CdrFiles;
  readonly #nowMs: () => number;
  readonly #loop: WriteLoop;
  readonly #journal: CdrJournal | undefined;
  #queue: QueuedLine[] = [];
  /** Given up since the last report. */
  #lostRecords = 0;
  /** The last batch may have left a part of itself behind. */
  #mayBeTorn = false;
  #isRotationFailing = false;

  constructor(options: CdrWriterOptions) {
    this.#options = options;
    this.#files = options.files ?? DISK_FILES;
    this.#nowMs = options.nowMs ?? nowMs;
    const { file, pauseMs = DEFAULT_PAUSE_MS, retryMs = DEFAULT_RETRY_MS } = options;
    this.#loop = new WriteLoop({
      pauseMs,
      retryMs,
      maxRetryMs: MAX_RETRY_MS,
      hasWork: () => this.#queue.length > 0,
      write: () => this.#write(),
      onFailure: (error) => this.#report('records', error),
    });
    if (file === '' || options.hasJournal !== true) return;
    this.#journal = new CdrJournal({
      file: `${file}.journal`,
      files: this.#files,
      isSynced: options.isSynced ?? false,
      pauseMs,
      retryMs,
      nowMs: this.#nowMs,
      ...(options.journalGrowthBytes === undefined
        ? {}
        : { growthBytes: options.journalGrowthBytes }),
      onFailure: (error) => this.#report('journal', error),
    });
  }

  /** Records that wait for the disk. */
  get waitingRecords(): number {
    return this.#queue.length;
  }

  /**
   * Puts the files in order and writes the records of calls that the process before left open. What cannot be read
   * or written is reported as a failure, and tried again where that makes sense; never rejects.
   */
  async start(): Promise<CdrRecovery> {
    const { file } = this.#options;
    if (file === '') return { closedCalls: 0, badLines: 0, tail: 'whole' };
    const tail = await this.#repair();
    const journal = this.#journal;
    if (journal === undefined) return { closedCalls: 0, badLines: 0, tail };
    let finding: JournalFinding = { type: 'found', unfinished: [], badLines: 0 };
    let unfinished: readonly UnfinishedAttempt[] = [];
    try {
      finding = await journal.start();
      if (finding.type === 'found') unfinished = await this.#withoutRecorded(finding.unfinished);
    } catch (error) {
      // Its file stays untouched, as what stands in it is not known.
      this.#report('journal', error);
      return { closedCalls: 0, badLines: 0, tail };
    }
    journal.resume(unfinished);
    for (const each of unfinished) this.write(killedRecord(each, this.#nowMs()));
    if (finding.type === 'keptAside') {
      const { as, why } = finding;
      return { closedCalls: 0, badLines: 0, tail, keptAside: { as, why } };
    }
    return { closedCalls: unfinished.length, badLines: finding.badLines, tail };
  }

  /** A call begins; `describe` says what is known of it whenever the journal needs it, until its record is written. */
  opened(cdrId: string, describe: () => OpenAttempt): void {
    this.#journal?.opened(cdrId, describe);
  }

  /** The call is answered. */
  answered(cdrId: string, describe: () => OpenAttempt): void {
    this.#journal?.changed(cdrId);
    if (this.#options.hasStartEvents !== true || this.#options.file === '') return;
    const start: CdrStart = { event: 'start', ...describe() };
    this.#add({ text: cdrLine(start) });
  }

  /** Queues a record; never throws and never waits. */
  write(record: CdrRecord): void {
    if (this.#options.file === '') return;
    this.#add({ text: cdrLine(record), cdrId: record.cdrId });
  }

  /** Resolves when every record is in the file or given up. */
  async close(): Promise<void> {
    await this.#loop.close();
    const left = this.#queue.length;
    // What is lost here stands in the journal still, and the next start closes it.
    this.#queue = [];
    this.#lostRecords += left;
    if (left > 0) this.#report('records', new Error('closed'));
    await this.#journal?.close();
  }

  #add(line: QueuedLine): void {
    this.#queue.push(line);
    const { queueLimit = DEFAULT_QUEUE_LIMIT } = this.#options;
    // Beyond twice the limit even between two attempts: those may be half a minute apart.
    if (this.#queue.length > 2 * queueLimit) this.#giveUp(this.#queue.length - queueLimit);
    this.#loop.wake();
  }

  async #write(): Promise<'more' | 'collect'> {
    if (this.#mayBeTorn) await repairTail(this.#files, this.#options.file);
    this.#mayBeTorn = false;
    const batch = this.#queue.slice(0, MAX_BATCH);
    const text = batch.map((line) => line.text).join('');
    await this.#rotate(Buffer.byteLength(text));
    try {
      await this.#files.append(this.#options.file, text, this.#options.isSynced ?? false);
    } catch (error) {
      this.#mayBeTorn = true;
      const { queueLimit = DEFAULT_QUEUE_LIMIT } = this.#options;
      this.#giveUp(this.#queue.length - queueLimit);
      throw error;
    }
    // The queue may have lost lines of this batch meanwhile; they are in the file.
    const written = new Set(batch);
    this.#queue = this.#queue.filter((line) => !written.has(line));
    const cdrIds = batch.flatMap(({ cdrId }) => (cdrId === undefined ? [] : [cdrId]));
    this.#journal?.done(cdrIds);
    this.#options.onWritten?.(cdrIds.length);
    return this.#queue.length >= MAX_BATCH ? 'more' : 'collect';
  }

  #giveUp(count: number): void {
    if (count <= 0) return;
    const lost = this.#queue.splice(0, count);
    this.#lostRecords += count;
    this.#journal?.done(lost.flatMap(({ cdrId }) => (cdrId === undefined ? [] : [cdrId])));
  }

  async #rotate(bytes: number): Promise<void> {
    const { file, rotation } = this.#options;
    if (rotation === undefined) return;
    try {
      await rotateIfDue(this.#files, file, rotation, { bytes, nowMs: this.#nowMs() });
      this.#isRotationFailing = false;
    } catch (error) {
      // Records matter more than the size of their file; it is tried again with every batch, and reported once.
      if (!this.#isRotationFailing) this.#report('rotation', error);
      this.#isRotationFailing = true;
    }
  }

  async #repair(): Promise<TailState> {
    try {
      return await repairTail(this.#files, this.#options.file);
    } catch (error) {
      this.#mayBeTorn = true;
      this.#report('records', error);
      return 'whole';
    }
  }

  async #withoutRecorded(
    unfinished: readonly UnfinishedAttempt[],
  ): Promise<readonly UnfinishedAttempt[]> {
    const cdrIds = new Set(unfinished.map(({ attempt }) => attempt.cdrId));
    const recorded = await recordedAmong(this.#files, this.#options.file, cdrIds);
    return unfinished.filter(({ attempt }) => !recorded.has(attempt.cdrId));
  }

  #report(part: CdrFailure['part'], error: unknown): void {
    const lostRecords = this.#lostRecords;
    this.#lostRecords = 0;
    this.#options.onFailure({ part, error, lostRecords });
  }
}
