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
const MOST_STREAMS = 2000;
const MOST_PER_OWNER = 12;

export class PortalStreams {
  readonly #streams = new EventStreams({ ...STREAM_LIMITS, maxStreams: MOST_STREAMS });
  readonly #entries = new Set<Entry>();
  readonly #endWatch: () => void;
  #beat: ReturnType<typeof setInterval> | undefined;

  constructor(onFeatureEvent: FeatureEventSource) {
    this.#endWatch = onFeatureEvent((event) => this.#tell(event));
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
    this.#beat ??= setInterval(() => this.#beatAll(), BEAT_MS);
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
    this.#stopBeat();
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
    if (this.#entries.size === 0) this.#stopBeat();
  }

  #stopBeat(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
  }
}

function sendTo({ stream, isAlive }: Entry, name: string, data: object): void {
  if (isAlive()) stream.send({ name, data });
  else stream.end();
}
