import { tagOf } from '../wire/sip-headers.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import type { ReceivedRequest } from './sip-connection.ts';

/** A dialog in the table. */
export interface TableEntry {
  /** The tag of the peer; undefined as long as any will do, and for who looks at it itself. */
  readonly remoteTag?: string | undefined;
  receive(request: ReceivedRequest): void;
  /** The connection is gone. */
  lost(): void;
}

/** The dialogs of one connection that a SUBSCRIBE opened, by Call-ID and both tags (RFC 3261 §12). */
export class SubscriptionTable {
  readonly #entries = new Map<string, TableEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Takes a dialog in; gives what takes it out again. */
  enter(callId: string, localTag: string, entry: TableEntry): () => void {
    const key = keyOf(callId, localTag);
    this.#entries.set(key, entry);
    return () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
  }

  /** The dialog that a request of the peer is for. */
  find(message: SipMessage): TableEntry | undefined {
    const localTag = tagOf(getHeader(message, 'To') ?? '');
    if (localTag === undefined || this.#entries.size === 0) return undefined;
    const entry = this.#entries.get(keyOf(getHeader(message, 'Call-ID') ?? '', localTag));
    const remoteTag = tagOf(getHeader(message, 'From') ?? '') ?? '';
    return entry === undefined || (entry.remoteTag ?? remoteTag) === remoteTag ? entry : undefined;
  }

  loseAll(): void {
    // Each takes itself out; deleting during iteration is defined.
    for (const entry of this.#entries.values()) entry.lost();
  }
}

function keyOf(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
