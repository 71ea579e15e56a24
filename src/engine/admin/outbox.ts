/**
 * Order and pace of the frames towards one application.
 *
 * The application library handles all frames of one TCP chunk in one go; code that waits on a promise
 * resolved by an early frame runs only afterwards, too late to see a later one. So one frame is written
 * per turn of the event loop, and frames that need a listener wait until the application had time to
 * attach it:
 *
 *   frame                       keys                  opens        waits for
 *   OK of a 200 to INVITE       transaction, dialog   dialog                      (await createUAS)
 *   OK of an outgoing request   transaction           transaction                 (await request)
 *   200 to our INVITE           transaction, dialog   dialog       transaction    (await createUAC)
 *   SUBSCRIBE in that dialog    dialog                             dialog
 *   ACK in that dialog          dialog                                            never overtakes a waiting one
 *
 * A key settles when the application names it in a message of its own: then it has handled the chunk. If it
 * says nothing, only time can tell: a busy application reads two frames in one chunk although they
 * were written milliseconds apart. Frames that share a key keep their order; others may overtake.
 *
 * None of this is needed by an application that attaches its listeners in the callback itself: once unpaced, all
 * frames of a turn go in one write.
 */

/** A key the application starts to use with this frame. */
export interface OpenedKey {
  readonly key: string;
  /** How long it stays unsettled if the application says nothing. */
  readonly settleMs: number;
}

export interface OutgoingFrame {
  readonly bytes: Buffer;
  /** Dialog and transaction ids the frame belongs to. */
  readonly keys: readonly string[];
  /** Key whose listeners the application attaches only after this frame. */
  readonly opens?: OpenedKey;
  /** Key whose listeners have to be there before this frame. */
  readonly waitsFor?: string;
}

/** Time and turns, so that tests can play them. */
export interface OutboxClock {
  nowMs(): number;
  /** Calls back in the next turn of the event loop. */
  soon(callback: () => void): void;
  later(callback: () => void, delayMs: number): void;
}

export class Outbox {
  readonly #write: (bytes: Buffer) => void;
  readonly #clock: OutboxClock;
  #queue: OutgoingFrame[] = [];
  /** When each recently opened key settles. */
  readonly #settlesAtMs = new Map<string, number>();
  #scheduled = false;
  #isPaced = true;
  #closed = false;

  constructor(write: (bytes: Buffer) => void, clock: OutboxClock) {
    this.#write = write;
    this.#clock = clock;
  }

  push(frame: OutgoingFrame): void {
    if (this.#closed) return;
    this.#queue.push(frame);
    this.#schedule(0);
  }

  /** From now on everything goes with the next turn, in order. */
  unpace(): void {
    this.#isPaced = false;
  }

  /** The application has named `key`, so its listeners are there. */
  settle(key: string): void {
    if (this.#settlesAtMs.delete(key) && this.#queue.length > 0) this.#schedule(0);
  }

  /** Writes everything at once, in order, and accepts nothing more. */
  flush(): void {
    for (const frame of this.#queue) this.#write(frame.bytes);
    this.close();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#settlesAtMs.clear();
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const run = (): void => {
      this.#scheduled = false;
      this.#turn();
    };
    if (delayMs > 0) this.#clock.later(run, delayMs);
    else this.#clock.soon(run);
  }

  #turn(): void {
    if (this.#isPaced) this.#writeOne();
    else this.#writeAll();
  }

  #writeAll(): void {
    const frames = this.#queue;
    this.#queue = [];
    const [first, ...others] = frames.map((frame) => frame.bytes);
    if (first === undefined) return;
    this.#write(others.length === 0 ? first : Buffer.concat([first, ...others]));
  }

  #writeOne(): void {
    const nowMs = this.#clock.nowMs();
    this.#forgetSettled(nowMs);
    const index = this.#nextIndex();
    const frame = index === undefined ? undefined : this.#queue[index];
    if (index === undefined || frame === undefined) {
      if (this.#queue.length > 0) this.#schedule(1);
      return;
    }
    this.#queue.splice(index, 1);
    this.#write(frame.bytes);
    const { opens } = frame;
    if (opens !== undefined) this.#settlesAtMs.set(opens.key, nowMs + opens.settleMs);
    if (this.#queue.length > 0) this.#schedule(0);
  }

  /** The first frame that neither waits nor stands behind a waiting one of its keys. */
  #nextIndex(): number | undefined {
    const blocked = new Set<string>();
    for (const [index, frame] of this.#queue.entries()) {
      const isHeld =
        frame.keys.some((key) => blocked.has(key)) ||
        (frame.waitsFor !== undefined && this.#settlesAtMs.has(frame.waitsFor));
      if (!isHeld) return index;
      for (const key of frame.keys) blocked.add(key);
    }
    return undefined;
  }

  #forgetSettled(nowMs: number): void {
    for (const [key, settlesAtMs] of this.#settlesAtMs) {
      if (nowMs >= settlesAtMs) this.#settlesAtMs.delete(key);
    }
  }
}
