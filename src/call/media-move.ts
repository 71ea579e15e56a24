/**
 * Moves the media of an answered call whose media server was lost: new ports on another one, and one offer to each leg.
 *
 *   caller              SBC               callee
 *     |   server 1 lost  | ports of server 2 |
 *     |                  |--- INVITE ------->|   what the caller goes by
 *     |                  |<-- 200, ACK ----->|
 *     |<-- INVITE -------|                   |   what the callee goes by
 *     |--- 200, ACK ---->|                   |
 */
import type { Log } from '../observe/log.ts';
import type { CallMedia } from './call-media.ts';
import type { EndCause } from './end-cause.ts';
import type { Renegotiation } from './mid-call/renegotiation.ts';

/** A call that loses its media more often than this is not worth another one. */
const MAX_MOVES = 3;

export interface MovingCall {
  readonly isTalking: boolean;
  readonly session: { readonly media: Pick<CallMedia, 'reopen'> } | undefined;
  readonly renegotiation: Pick<Renegotiation, 'renew'> | undefined;
  readonly log: Log;
  end(cause: EndCause): void;
}

export class MediaMove {
  readonly #call: MovingCall;
  #moves = 0;
  #isMoving = false;
  /** What carries it now is lost: it may be what it was moved to a moment ago. */
  #isLost = false;

  constructor(call: MovingCall) {
    this.#call = call;
  }

  /** `cause`: why the call ends when nothing else can carry it. */
  async move(cause: EndCause): Promise<void> {
    this.#isLost = true;
    if (this.#isMoving) return;
    this.#isMoving = true;
    let isMoved = true;
    while (isMoved && this.#isLost) {
      this.#isLost = false;
      this.#moves += 1;
      isMoved = this.#moves <= MAX_MOVES && (await this.#moveNow());
    }
    this.#isMoving = false;
    if (isMoved) this.#call.log.warn('media moved to other ports of a media server');
    else this.#call.end(cause);
  }

  async #moveNow(): Promise<boolean> {
    const { isTalking, session, renegotiation } = this.#call;
    if (!isTalking || session === undefined || renegotiation === undefined) return false;
    const opened = await session.media.reopen();
    return opened.type === 'open' && this.#call.isTalking && (await renegotiation.renew());
  }
}
