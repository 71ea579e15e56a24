/**
 * `tonebridge trace`: the ladder of a call, or of every call with a number, row by row while it happens.
 *
 *   GET /calls      which calls there are already
 *   GET /events     which calls have changed -> GET /calls/{id}/ladder -> the rows that are new
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CallView } from '../api/backend.ts';
import { liveEventSchemas } from '../api/live-schemas.ts';
import type { CallsEvent } from '../api/live-views.ts';
import { callSchema, ladderSchema } from '../api/schemas.ts';
import { formatLadder, type LadderFormat } from '../observe/ladder-format.ts';
import type { LadderRow } from '../observe/ladder.ts';
import { ApiClient, clientFor, failure, withApiOption } from './api-client.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { type CommandResult, finish, globalOptions } from './output.ts';
import { ladderFormat } from './show-call.ts';

export function addTraceCommand(program: Command): void {
  withApiOption(program.command('trace'))
    .description('the ladder of a call, or of all calls with a number, live until Ctrl-C')
    .argument('<call|number>', 'call id, or part of the calling or the called number')
    .action(async (what: string, _options: unknown, command: Command) => {
      const client = clientFor(command);
      if (!(client instanceof ApiClient)) {
        finish(command, client);
        return;
      }
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort());
      const isJson = globalOptions(command).json === true;
      const result = await trace(client, what, {
        print: isJson ? jsonLines() : new TracePrinter(ladderFormat()).print,
        write: (text) => process.stdout.write(text),
        signal: stop.signal,
      });
      if (result !== undefined) finish(command, result);
    });
}

/** So long after a call has ended its last answers come in; a lost one is repeated after T1, 500 ms. */
const LAST_ROWS_MS = 600;

/** New rows of a call, as text. */
type Print = (callId: string, rows: readonly LadderRow[]) => string;

export interface TraceOptions {
  readonly print: Print;
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Follows until the one call has ended, the SBC is gone, or the signal.
 *
 * @returns what went wrong; `undefined` after an end that was to be expected
 */
export async function trace(
  client: ApiClient,
  what: string,
  options: TraceOptions,
): Promise<CommandResult | undefined> {
  const { signal } = options;
  const events = await client.listen('/api/v1/events?topics=calls', signal);
  if (signal.aborted) return undefined;
  if (events.type !== 'answer') return failure(events);
  const tracer = new Tracer(client, what, options);
  const begun = await tracer.begin();
  if (begun.type === 'done') return begun.result;
  try {
    for await (const { name, data } of events.value) {
      if (name !== 'calls') continue;
      const event = liveEventSchemas.calls.safeParse(jsonOf(data));
      if (event.success && (await tracer.follow(event.data)) === 'done') return undefined;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) return undefined;
  const message = 'the SBC has ended the stream';
  const json = { error: 'not-connected', message };
  return { exitCode: EXIT_CODES.notConnected, text: '', errorText: `${message}\n`, json };
}

type Begun =
  | { readonly type: 'following' }
  | { readonly type: 'done'; readonly result: CommandResult | undefined };

class Tracer {
  readonly #client: ApiClient;
  readonly #what: string;
  readonly #options: TraceOptions;
  /** Rows that were printed, of calls that are followed. */
  readonly #printed = new Map<string, number>();
  #isOneCall = false;
  /** One reading at a time, so that no row is printed twice. */
  #printing: Promise<void> = Promise.resolve();

  constructor(client: ApiClient, what: string, options: TraceOptions) {
    this.#client = client;
    this.#what = what;
    this.#options = options;
  }

  /** Prints what there is; a call that has ended already is all there will be. */
  async begin(): Promise<Begun> {
    const path = `/api/v1/calls/${encodeURIComponent(this.#what)}`;
    const one = await this.#client.ask({ path, answer: callSchema });
    if (one.type === 'answer') {
      this.#isOneCall = true;
      await this.#printNew(one.value.id);
      const isOver = one.value.endedAt !== undefined;
      return isOver ? { type: 'done', result: undefined } : { type: 'following' };
    }
    return await this.#findCalls();
  }

  /** What is no call id is a number, of which there may be no call yet. */
  async #findCalls(): Promise<Begun> {
    const number = encodeURIComponent(this.#what);
    const question = {
      path: `/api/v1/calls?state=active&number=${number}`,
      answer: z.array(callSchema),
    };
    const calls = await this.#client.ask(question);
    if (calls.type !== 'answer') return { type: 'done', result: failure(calls) };
    for (const { id } of calls.value) await this.#printNew(id);
    return { type: 'following' };
  }

  /** Calls that were over before an event named them, refused ones among them. */
  async #findEnded(ended: ReadonlySet<string>): Promise<void> {
    const number = encodeURIComponent(this.#what);
    const question = {
      path: `/api/v1/calls?state=ended&number=${number}&limit=${ended.size}`,
      answer: z.array(callSchema),
    };
    const calls = await this.#client.ask(question);
    if (calls.type !== 'answer') return;
    for (const { id } of calls.value.toReversed()) {
      if (ended.has(id)) await this.#printNew(id);
    }
  }

  async follow({ changed, ended, isPartial }: CallsEvent): Promise<'following' | 'done'> {
    if (isPartial && !this.#isOneCall) await this.#findCalls();
    for (const call of changed) {
      if (this.#isWanted(call)) await this.#printNew(call.id);
    }
    if (ended.length > 0 && !this.#isOneCall) await this.#findEnded(new Set(ended));
    // What did not fit into the event may be about a call that is followed.
    const others = isPartial ? [...this.#printed.keys()] : [];
    for (const callId of new Set([...ended, ...others])) {
      if (!this.#printed.has(callId)) continue;
      await this.#printNew(callId);
      if (!ended.includes(callId)) continue;
      const last = this.#printLast(callId);
      if (!this.#isOneCall) continue;
      await last;
      return 'done';
    }
    return 'following';
  }

  async #printLast(callId: string): Promise<void> {
    const { signal } = this.#options;
    const isTime = await sleep(LAST_ROWS_MS, true, { signal }).catch(() => false);
    if (isTime) await this.#printNew(callId);
    this.#printed.delete(callId);
  }

  #isWanted({ id, from, to }: CallView): boolean {
    if (this.#isOneCall) return id === this.#what;
    return from.includes(this.#what) || to.includes(this.#what);
  }

  async #printNew(callId: string): Promise<void> {
    this.#printing = this.#printing.then(async () => await this.#readAndPrint(callId));
    await this.#printing;
  }

  async #readAndPrint(callId: string): Promise<void> {
    const path = `/api/v1/calls/${encodeURIComponent(callId)}/ladder`;
    const ladder = await this.#client.ask({ path, answer: ladderSchema });
    if (ladder.type !== 'answer') return;
    const { rows, droppedRows, gapAt } = ladder.value;
    const before = this.#printed.get(callId) ?? 0;
    const fresh = rows.filter((_, index) => index + (index < gapAt ? 0 : droppedRows) >= before);
    this.#printed.set(callId, droppedRows + rows.length);
    if (fresh.length > 0) this.#options.write(this.#options.print(callId, fresh));
  }
}

/** Draws rows as they come; a headline wherever another call goes on. */
export class TracePrinter {
  readonly #format: LadderFormat;
  readonly #startMs = new Map<string, number>();
  #last: string | undefined;

  constructor(format: LadderFormat) {
    this.#format = format;
  }

  readonly print: Print = (callId, rows) => {
    const startMs = this.#startMs.get(callId) ?? rows[0]?.atMs ?? 0;
    this.#startMs.set(callId, startMs);
    const hasHead = this.#last !== callId;
    this.#last = callId;
    const headline = hasHead ? `call ${callId}\n` : '';
    return headline + formatLadder(rows, { ...this.#format, startMs, hasHead });
  };
}

/** One line per row. */
function jsonLines(): Print {
  return (callId, rows) => rows.map((row) => `${JSON.stringify({ callId, ...row })}\n`).join('');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
