import { groupHeaders, contentLengthOf } from '../../wire/sip-message-check.ts';
import { findHeadEnd, readHead } from '../../wire/sip-message-head.ts';
import type { SipMessageLimits } from '../../wire/sip-message.ts';
import { WireError } from '../../wire/wire-error.ts';

/**
 * Cuts a byte stream into SIP messages (RFC 3261 §18.3). Pure: bytes in, outputs out.
 *
 *   between messages   CRLF CRLF → ping (RFC 5626 §3.5.1), a single CRLF is skipped
 *   head               up to the empty line, at most `headBytes`
 *   body               Content-Length bytes, at most `bodyBytes`; a stream message must announce its length
 *
 * After `broken` the place of the next message is unknown: the stream has to be closed.
 */
export type FramerOutput =
  | { readonly type: 'message'; readonly bytes: Buffer }
  | { readonly type: 'ping' }
  | {
      readonly type: 'broken';
      readonly reason: string;
      /** What the sender is answered, if `head` can be answered at all. */
      readonly status: FramingStatus;
      readonly head: Buffer | undefined;
    };

/** Malformed, body too large, head too large (RFC 3261 §21.4.1, §21.4.11, §21.5.7). */
type FramingStatus = 400 | 413 | 513;

type FramerState =
  | { readonly type: 'between'; readonly emptyLines: number }
  | { readonly type: 'head'; readonly searchedBytes: number }
  | { readonly type: 'body'; readonly messageBytes: number }
  | { readonly type: 'broken' };

const CR = 0x0d;
const LF = 0x0a;

export class StreamFramer {
  readonly #limits: SipMessageLimits;
  readonly #held = new GrowingBuffer();
  #state: FramerState = { type: 'between', emptyLines: 0 };

  constructor(limits: SipMessageLimits) {
    this.#limits = limits;
  }

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.#state.type === 'head' || this.#state.type === 'body';
  }

  push(chunk: Buffer): FramerOutput[] {
    const outputs: FramerOutput[] = [];
    if (this.#state.type === 'broken') return outputs;
    this.#held.append(chunk);
    while (this.#step(outputs));
    return outputs;
  }

  /** One step of the FSM; false when more bytes are needed. */
  #step(outputs: FramerOutput[]): boolean {
    const state = this.#state;
    if (state.type === 'between') return this.#skipEmptyLine(state.emptyLines, outputs);
    if (state.type === 'head') return this.#readHead(state.searchedBytes, outputs);
    if (state.type === 'broken' || this.#held.length < state.messageBytes) return false;
    outputs.push({ type: 'message', bytes: this.#held.take(state.messageBytes) });
    this.#state = { type: 'between', emptyLines: 0 };
    return true;
  }

  #skipEmptyLine(emptyLines: number, outputs: FramerOutput[]): boolean {
    const bytes = this.#held.bytes;
    if (bytes.length === 0) return false;
    const lineBytes = bytes[0] === LF ? 1 : bytes[0] === CR ? 2 : 0;
    if (lineBytes === 0) {
      this.#state = { type: 'head', searchedBytes: 0 };
      return true;
    }
    if (bytes.length < lineBytes) return false;
    if (lineBytes === 2 && bytes[1] !== LF) return this.#break(outputs, 'CR without LF');
    this.#held.skip(lineBytes);
    const isPing = emptyLines === 1;
    // One answer per read is enough: a flood of empty lines must not become a flood of answers.
    if (isPing && outputs.at(-1)?.type !== 'ping') outputs.push({ type: 'ping' });
    this.#state = { type: 'between', emptyLines: isPing ? 0 : emptyLines + 1 };
    return true;
  }

  #readHead(searchedBytes: number, outputs: FramerOutput[]): boolean {
    const bytes = this.#held.bytes;
    // The empty line may have begun in the bytes already searched.
    const headEnd = findHeadEnd(bytes, Math.max(0, searchedBytes - 3));
    if ((headEnd ?? bytes.length) > this.#limits.headBytes) {
      return this.#break(outputs, 'header fields too large', 513);
    }
    if (headEnd === undefined) {
      this.#state = { type: 'head', searchedBytes: bytes.length };
      return false;
    }
    const head = Buffer.from(bytes.subarray(0, headEnd));
    try {
      const length = contentLengthOf(groupHeaders(readHead(head).headers));
      if (length === undefined) {
        return this.#break(outputs, 'content-length is missing', 400, head);
      }
      if (length > this.#limits.bodyBytes) {
        return this.#break(outputs, 'body too large', 413, head);
      }
      this.#state = { type: 'body', messageBytes: headEnd + length };
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#break(outputs, error.message, 400, head);
    }
  }

  #break(
    outputs: FramerOutput[],
    reason: string,
    status: FramingStatus = 400,
    head?: Buffer,
  ): false {
    outputs.push({ type: 'broken', reason, status, head });
    this.#state = { type: 'broken' };
    this.#held.skip(this.#held.length);
    return false;
  }
}

/** Bytes that arrive in pieces; grows by doubling, so that a byte at a time costs no more than all at once. */
class GrowingBuffer {
  #storage: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** A view that the next `append` or `take` invalidates. */
  get bytes(): Buffer {
    return this.#storage.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#storage.length) {
      const held = this.bytes;
      const grown = Buffer.allocUnsafe(Math.max(512, (held.length + chunk.length) * 2));
      held.copy(grown);
      this.#end = held.length;
      this.#start = 0;
      this.#storage = grown;
    }
    chunk.copy(this.#storage, this.#end);
    this.#end += chunk.length;
  }

  /** Removes the first `count` bytes and returns a copy of them. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.#storage.subarray(this.#start, this.#start + count));
    this.skip(count);
    return taken;
  }

  skip(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#storage = NOTHING;
    this.#start = 0;
    this.#end = 0;
  }
}

const NOTHING = Buffer.alloc(0);
