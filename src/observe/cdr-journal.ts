/**
 * Remembers on disk which calls have no record yet, so that the next start can write the records of a killed process.
 *
 *   opened ---> open line ---.
 *   changed --> open line ---+--> one append a batch --> now and then all that is open, in a new file
 *   done -----> done line ---'
 *
 * Nothing of a call is kept in memory but a way to describe it. A batch that cannot be written is given up: the next
 * attempt writes everything that is open into a new file.
 */
import type { OpenAttempt } from './cdr.ts';
import type { CdrFiles } from './cdr-files.ts';
import {
  formatAlive,
  formatDone,
  formatHeader,
  formatOpen,
  readJournal,
  type UnfinishedAttempt,
} from './cdr-journal-lines.ts';
import { WriteLoop } from './write-loop.ts';

export interface CdrJournalOptions {
  readonly file: string;
  readonly files: CdrFiles;
  readonly isSynced: boolean;
  readonly pauseMs: number;
  readonly retryMs: number;
  readonly nowMs: () => number;
  /** It is written anew when it has grown by this much, and by as much again as was open. Default 4 MiB. */
  readonly growthBytes?: number;
  readonly onFailure: (error: unknown) => void;
}

/** What a start found. */
export type JournalFinding =
  | {
      readonly type: 'found';
      readonly unfinished: readonly UnfinishedAttempt[];
      readonly badLines: number;
    }
  /** Left where it was not understood, under another name. */
  | { readonly type: 'keptAside'; readonly as: string; readonly why: string };

const DEFAULT_GROWTH_BYTES = 4 * 1_048_576;
/** A process that is killed in a quiet hour was alive this long ago at most. */
const ALIVE_MS = 10_000;
const MAX_RETRY_MS = 30_000;
/** Calls described in one go: some microseconds each. */
const CALLS_A_PIECE = 100;
/** More than a journal ever holds. */
const MAX_READ_BYTES = 256 * 1_048_576;

interface OpenEntry {
  readonly describe: () => OpenAttempt;
  /** Of a process that was killed. */
  readonly lastMs?: number;
}

export class CdrJournal {
  readonly #options: CdrJournalOptions;
  readonly #open = new Map<string, OpenEntry>();
  readonly #loop: WriteLoop;
  #lines: string[] = [];
  /** Written before anything else once the old file has been read. */
  #mustRewrite = false;
  #isStarted = false;
  #sizeBytes = 0;
  #limitBytes = 0;
  #alive: NodeJS.Timeout | undefined;

  constructor(options: CdrJournalOptions) {
    this.#options = options;
    this.#loop = new WriteLoop({
      pauseMs: options.pauseMs,
      retryMs: options.retryMs,
      maxRetryMs: MAX_RETRY_MS,
      hasWork: () => this.#isStarted && (this.#mustRewrite || this.#lines.length > 0),
      write: () => this.#write(),
      onFailure: (error) => {
        this.#mustRewrite = true;
        this.#lines = [];
        options.onFailure(error);
      },
    });
  }

  /** Calls without a record in the file. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Reads what the last process left behind; until then nothing is written. */
  async start(): Promise<JournalFinding> {
    const { file, files, nowMs } = this.#options;
    const text = (await files.tail(file, MAX_READ_BYTES)).toString();
    const content = readJournal(text);
    let finding: JournalFinding;
    if (content.type === 'journal') finding = { ...content, type: 'found' };
    else {
      const why =
        content.type === 'unreadable' ? 'not a journal' : `version ${content.version} is unknown`;
      const as = `${file}.${content.type}-${Math.round(nowMs())}`;
      await files.rename(file, as);
      finding = { type: 'keptAside', as, why };
    }
    this.#mustRewrite = this.#mustRewrite || text !== '';
    return finding;
  }

  /** Takes over from what `start` found; writing begins. */
  resume(unfinished: readonly UnfinishedAttempt[]): void {
    for (const { attempt, lastMs } of unfinished) {
      this.#open.set(attempt.cdrId, { describe: () => attempt, lastMs });
    }
    this.#isStarted = true;
    this.#mustRewrite = true;
    this.#alive = setInterval(() => {
      if (this.#open.size > 0) this.#add(formatAlive(this.#options.nowMs()));
    }, ALIVE_MS).unref();
    this.#loop.wake();
  }

  opened(cdrId: string, describe: () => OpenAttempt): void {
    this.#open.set(cdrId, { describe });
    this.changed(cdrId);
  }

  /** More is known of the call; nothing happens if it is not open. */
  changed(cdrId: string): void {
    const entry = this.#open.get(cdrId);
    if (entry === undefined) return;
    this.#add(this.#openLine(entry));
  }

  /** Their records are in the file, or given up. */
  done(cdrIds: readonly string[]): void {
    const known = cdrIds.filter((cdrId) => this.#open.delete(cdrId));
    if (known.length > 0) this.#add(formatDone(this.#options.nowMs(), known));
  }

  /** Writes the last lines; removes the file when nothing is open. */
  async close(): Promise<void> {
    clearInterval(this.#alive);
    await this.#loop.close();
    if (!this.#isStarted || this.#open.size > 0) return;
    const { files, file, onFailure } = this.#options;
    await files.remove(file).catch(onFailure);
  }

  /** Empty for a call that cannot be described: it may go on, and be missed after a crash. */
  #openLine({ describe, lastMs }: OpenEntry): string {
    try {
      return formatOpen(this.#options.nowMs(), describe(), lastMs);
    } catch (error) {
      this.#options.onFailure(error);
      return '';
    }
  }

  #add(line: string): void {
    // What is written as a whole next needs no single lines.
    if (line !== '' && this.#isStarted && !this.#mustRewrite) this.#lines.push(line);
    this.#loop.wake();
  }

  async #write(): Promise<'collect'> {
    const { files, file, isSynced } = this.#options;
    if (this.#mustRewrite || this.#sizeBytes > this.#limitBytes || !(await this.#isInPlace())) {
      await this.#rewrite();
    }
    const text = this.#lines.join('');
    this.#lines = [];
    if (text === '') return 'collect';
    await files.append(file, text, isSynced);
    this.#sizeBytes += Buffer.byteLength(text);
    return 'collect';
  }

  /** Whether the file is still there with all that was written. */
  async #isInPlace(): Promise<boolean> {
    const info = await this.#options.files.info(this.#options.file);
    return info !== undefined && info.sizeBytes >= this.#sizeBytes;
  }

  /** Puts all that is open into a new file; lines that come meanwhile follow it. */
  async #rewrite(): Promise<void> {
    const { files, file, isSynced, nowMs, growthBytes = DEFAULT_GROWTH_BYTES } = this.#options;
    const fresh = `${file}.new`;
    this.#mustRewrite = false;
    this.#lines = [];
    const cdrIds = [...this.#open.keys()];
    await files.remove(fresh);
    let sizeBytes = 0;
    for (let from = 0; from === 0 || from < cdrIds.length; from += CALLS_A_PIECE) {
      const lines = cdrIds.slice(from, from + CALLS_A_PIECE).map((cdrId) => {
        const entry = this.#open.get(cdrId);
        return entry === undefined ? '' : this.#openLine(entry);
      });
      const text = `${from === 0 ? formatHeader(nowMs()) : ''}${lines.join('')}`;
      await files.append(fresh, text, isSynced);
      sizeBytes += Buffer.byteLength(text);
    }
    await files.rename(fresh, file);
    this.#sizeBytes = sizeBytes;
    this.#limitBytes = 2 * sizeBytes + growthBytes;
  }
}
