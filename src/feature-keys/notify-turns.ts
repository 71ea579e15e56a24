import { WakeUp } from '../sip/wake-up.ts';
import { NotifyPace } from './notify-pace.ts';

/** Calls dialogs up when it is their turn to send what somebody else caused: the pace of all of them together. */
export class NotifyTurns {
  readonly #pace: NotifyPace;
  readonly #nowMs: () => number;
  readonly #waiting = new Map<string, () => void>();
  readonly #wakeUp: WakeUp;

  constructor(perSecond: number, nowMs: () => number) {
    this.#pace = new NotifyPace(perSecond);
    this.#nowMs = nowMs;
    this.#wakeUp = new WakeUp({
      expiresAtMs: () => this.#pace.nextAtMs(this.#nowMs()),
      nowMs,
      ring: () => this.#call(),
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  setRate(perSecond: number): void {
    this.#pace.setRate(perSecond, this.#nowMs());
    this.#wakeUp.rearm();
  }

  /** Calls `onTurn` later, or in this turn if nobody else waits. */
  ask(dialogId: string, onTurn: () => void): void {
    if (this.#waiting.has(dialogId)) return;
    this.#waiting.set(dialogId, onTurn);
    this.#pace.ask(dialogId);
    this.#call();
    this.#wakeUp.rearm();
  }

  drop(dialogId: string): void {
    if (this.#waiting.delete(dialogId)) this.#pace.drop(dialogId);
  }

  close(): void {
    this.#wakeUp.stop();
    this.#waiting.clear();
  }

  #call(): void {
    for (const dialogId of this.#pace.take(this.#nowMs())) {
      const onTurn = this.#waiting.get(dialogId);
      this.#waiting.delete(dialogId);
      onTurn?.();
    }
  }
}
