/** Server-sent events (HTML Living Standard §9.2): many readers, each of which may be slow, gone or one too many. */
import type { ServerResponse } from 'node:http';

export interface StreamEvent {
  /** Name of the event; one line. */
  readonly name: string;
  /** Written as JSON. */
  readonly data: unknown;
}

export interface EventStreamOptions {
  /** A comment line after this long without an event, so that nothing on the way closes the connection. */
  readonly heartbeatMs: number;
  readonly maxStreams: number;
  /** A reader with more than this unread is cut off; it reconnects and reads the state anew. */
  readonly maxUnreadBytes: number;
}

export const STREAM_LIMITS: EventStreamOptions = {
  heartbeatMs: 15_000,
  maxStreams: 200,
  maxUnreadBytes: 256 * 1024,
};

/** Where a browser tries again after a lost connection. */
const RETRY_MS = 2_000;

export class EventStreams {
  readonly #options: EventStreamOptions;
  readonly #streams = new Set<EventStream>();
  #isClosed = false;

  constructor(options: EventStreamOptions = STREAM_LIMITS) {
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** False: there is no room for a reader, or none is taken any more. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.#streams.size < this.#options.maxStreams;
  }

  /**
   * Makes `response` a stream; the caller has checked `hasRoom` and has taken the response over from the framework.
   *
   * @param onClosed the stream has ended, whoever ended it.
   */
  open(response: ServerResponse, onClosed: () => void): EventStream {
    const stream = new EventStream(response, this.#options, () => {
      this.#streams.delete(stream);
      onClosed();
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Ends every stream; none is taken from now on. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.end();
  }
}

/** An event as it goes over the wire. */
export function formatEvent({ name, data }: StreamEvent): string {
  // JSON has no line break outside strings, and none inside them that is not escaped.
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** One reader. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #maxUnreadBytes: number;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(response: ServerResponse, options: EventStreamOptions, onClosed: () => void) {
    this.#response = response;
    this.#maxUnreadBytes = options.maxUnreadBytes;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#heartbeat = setInterval(() => this.#write(': alive\n\n'), options.heartbeatMs);
    response.once('close', () => {
      clearInterval(this.#heartbeat);
      onClosed();
    });
    response.on('error', () => response.destroy());
  }

  send(event: StreamEvent): void {
    this.sendText(formatEvent(event));
  }

  /** Takes an event that is written already. */
  sendText(text: string): void {
    this.#write(text);
  }

  end(): void {
    clearInterval(this.#heartbeat);
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(text);
    if (this.#response.writableLength > this.#maxUnreadBytes) this.#response.destroy();
  }
}
