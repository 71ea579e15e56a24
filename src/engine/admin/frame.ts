/**
 * Frames of the application protocol: decimal byte count, `#`, payload; nothing between two frames.
 *
 *   41#fa715704-f07c-4272-9659-cd54bf746c40|ping
 *   ^^ ^---------------- 41 bytes --------------^
 *
 * The payload is one line of `|`-separated tokens, optionally CRLF and a SIP message.
 */

const HASH = 0x23;
const ZERO = 0x30;
const NINE = 0x39;
/** More digits than any allowed length has; a longer run can never become a frame. */
const MAX_LENGTH_DIGITS = 7;

/** Payloads complete so far; after `broken` (what was wrong) the stream cannot be read any further. */
export interface FrameResult {
  readonly payloads: readonly Buffer[];
  readonly broken?: string;
}

/** Cuts a byte stream into payloads, however it arrives. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  /** Bytes to collect before looking again: spares joining the chunks of a half-received frame. */
  #neededBytes = 1;
  #broken: string | undefined;

  /** `maxBytes` bounds one payload. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Buffer): FrameResult {
    if (this.#broken !== undefined) return { payloads: [], broken: this.#broken };
    this.#chunks.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes < this.#neededBytes) return { payloads: [] };
    return this.#cut(this.#chunks.length === 1 ? bytes : Buffer.concat(this.#chunks));
  }

  #cut(buffer: Buffer): FrameResult {
    const payloads: Buffer[] = [];
    let offset = 0;
    this.#neededBytes = 1;
    while (offset < buffer.length) {
      const head = readLength(buffer, offset);
      if (head === undefined) break;
      if (head.lengthBytes === undefined || head.lengthBytes > this.#maxBytes) {
        this.#broken = 'bad frame length';
        return { payloads, broken: this.#broken };
      }
      const end = head.bodyOffset + head.lengthBytes;
      if (end > buffer.length) {
        this.#neededBytes = end - offset;
        break;
      }
      payloads.push(buffer.subarray(head.bodyOffset, end));
      offset = end;
    }
    const rest = buffer.subarray(offset);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bufferedBytes = rest.length;
    return { payloads };
  }
}

/** The length in front of `#`; undefined while it is incomplete, `lengthBytes` undefined when it is none. */
function readLength(
  buffer: Buffer,
  offset: number,
): { lengthBytes: number | undefined; bodyOffset: number } | undefined {
  let lengthBytes = 0;
  for (let index = offset; index < buffer.length; index += 1) {
    const byte = buffer.readUInt8(index);
    if (byte === HASH) {
      return { lengthBytes: index > offset ? lengthBytes : undefined, bodyOffset: index + 1 };
    }
    if (byte < ZERO || byte > NINE || index - offset >= MAX_LENGTH_DIGITS) {
      return { lengthBytes: undefined, bodyOffset: index };
    }
    lengthBytes = lengthBytes * 10 + (byte - ZERO);
  }
  return undefined;
}

/** Writes one frame: `header`, and after CRLF the SIP message if there is one. */
export function formatFrame(header: string, message?: Buffer): Buffer {
  const head = message === undefined ? header : `${header}\r\n`;
  const payloadBytes = Buffer.byteLength(head) + (message?.length ?? 0);
  const length = `${payloadBytes}#`;
  const frame = Buffer.allocUnsafe(length.length + payloadBytes);
  frame.write(length);
  frame.write(head, length.length);
  if (message !== undefined) frame.set(message, frame.length - message.length);
  return frame;
}
