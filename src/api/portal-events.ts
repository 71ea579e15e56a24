/** Event streams of the portal: to each page what happens to its account, and nothing of any other. */
import type { FastifyReply } from 'fastify';
import type { FeatureEvent } from '../feature-keys/feature-service.ts';
import type { Presentity } from '../feature-keys/feature-state.ts';
import { EventStreams, STREAM_LIMITS } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import type { FeatureEventSource } from './feature-backend.ts';

export interface StreamOptions {
  readonly presentity: Presentity;
  /** Session that the stream belongs to. */
  readonly owner: string;
  /** False once the visitor may not see the account any more. */
  readonly isAlive: () => boolean;
}

interface Entry extends StreamOptions {
  readonly stream: EventStream;
}

/** A page that hears nothing for longer takes its connection for lost. */
const BEAT_MS = 15_000;
/** Until a reload takes effect on what is open. */
const WATCH_MS = 1000;
const MOST_STREAMS = 2000;
const MOST_PER_OWNER = 12;

export class PortalStreams {
  readonly #streams = new EventStreams({ ...STREAM_LIMITS, maxStreams: MOST_STREAMS });
  readonly #entries = new Set<Entry>();
  readonly #endWatch: () => void;
  readonly #inForce: () => unknown;
  #lastInForce: unknown;
  #timers: readonly ReturnType<typeof setInterval>[] = [];

  /** @param inForce gives the configuration, another object after each reload. */
  constructor(onFeatureEvent: FeatureEventSource, inForce: () => unknown) {
    this.#endWatch = onFeatureEvent((event) => this.#tell(event));
    this.#inForce = inForce;
  }

  /** Takes the answer over and begins the stream; false: there are too many. */
  open(reply: FastifyReply, options: StreamOptions): boolean {
    const ofOwner = [...this.#entries].filter(({ owner }) => owner === options.owner).length;
    if (ofOwner >= MOST_PER_OWNER || !this.#streams.hasRoom) return false;
    const headers = reply.getHeaders();
    reply.hijack();
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    const stream = this.#streams.open(reply.raw, () => this.#forget(entry));
    const entry: Entry = { ...options, stream };
    this.#entries.add(entry);
    if (this.#timers.length === 0) this.#startTimers();
    stream.send({ name: 'ready', data: {} });
    return true;
  }

  /** Ends the streams of a session. */
  endOf(owner: string): void {
    for (const entry of this.#entries) if (entry.owner === owner) entry.stream.end();
  }

  /** Ends every stream. */
  close(): void {
    this.#endWatch();
    this.#streams.close();
    this.#entries.clear();
    this.#stopTimers();
  }

  #tell({ type, presentity, ...data }: FeatureEvent): void {
    for (const entry of this.#entries) {
      if (entry.presentity === presentity) sendTo(entry, type, data);
    }
  }

  #beatAll(): void {
    for (const entry of this.#entries) sendTo(entry, 'beat', {});
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#stopTimers();
  }

  #startTimers(): void {
    this.#lastInForce = this.#inForce();
    this.#timers = [
      setInterval(() => this.#beatAll(), BEAT_MS),
      setInterval(() => this.#endAfterReload(), WATCH_MS),
    ];
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** Ends the streams that the new configuration does not permit. */
  #endAfterReload(): void {
    const inForce = this.#inForce();
    if (inForce === this.#lastInForce) return;
    this.#lastInForce = inForce;
    for (const { stream, isAlive } of this.#entries) if (!isAlive()) stream.end();
  }
}

function sendTo({ stream, isAlive }: Entry, name: string, data: object): void {
  if (isAlive()) stream.send({ name, data });
  else stream.end();
}
