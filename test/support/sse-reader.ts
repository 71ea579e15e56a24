/** Reads a stream of server-sent events over a plain HTTP request. */
import { get, type IncomingMessage } from 'node:http';
import { waitFor } from './wait-for.ts';

export interface SeenEvent {
  readonly name: string;
  readonly data: unknown;
}

export class SseReader {
  /** In the order of their arrival; comments left out. */
  readonly events: SeenEvent[] = [];
  /** The server, or the reader, has ended the stream. */
  isEnded = false;
  readonly #response: IncomingMessage;
  #rest = '';

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('error', () => undefined);
    response.once('close', () => {
      this.isEnded = true;
    });
  }

  /** Resolves when the head of the answer is there. */
  static async open(url: string): Promise<SseReader> {
    const request = get(url, { agent: false, headers: { accept: 'text/event-stream' } });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`the stream was answered ${response.statusCode}`);
    }
    return new SseReader(response);
  }

  get contentType(): string | undefined {
    return this.#response.headers['content-type'];
  }

  async waitFor(name: string): Promise<SeenEvent> {
    return await waitFor(`event ${name}`, () => this.events.find((event) => event.name === name), {
      details: () => JSON.stringify(this.events),
    });
  }

  close(): void {
    this.#response.destroy();
  }

  #take(text: string): void {
    const blocks = `${this.#rest}${text}`.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const name = lines.find((line) => line.startsWith('event: '))?.slice('event: '.length);
      const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
      if (name !== undefined && data !== undefined) {
        this.events.push({ name, data: JSON.parse(data) });
      }
    }
  }
}
