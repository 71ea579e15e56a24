/** What the ladder tells of a call that tries several places: why the one was left, and which was next. */
import type { CallContext } from '../call-context.ts';
import type { CallLeg } from '../call-leg.ts';
import type { AttemptFailure } from './attempt-failure.ts';

type Place = Pick<CallLeg, 'agent' | 'remote'>;

export class AttemptRows {
  readonly #context: Pick<CallContext, 'ladder' | 'nowMs'>;
  readonly #callId: string;
  #current = '';
  #failure: string | undefined;

  constructor(context: Pick<CallContext, 'ladder' | 'nowMs'>, callId: string) {
    this.#context = context;
    this.#callId = callId;
  }

  begins({ agent, remote }: Place): void {
    const name = agent?.name ?? remote;
    if (this.#failure !== undefined) {
      const { ladder, nowMs } = this.#context;
      const summary = `${this.#failure}, next ${name}`;
      ladder.record(this.#callId, { atMs: nowMs(), kind: 'decision', summary });
    }
    this.#failure = undefined;
    this.#current = name;
  }

  failed({ status, response }: Pick<AttemptFailure, 'status' | 'response'>): void {
    const word = status < 400 ? 'redirected' : 'refused';
    this.#failure =
      response === undefined
        ? `no usable answer from ${this.#current}, counted as ${status}`
        : `${this.#current} ${word} with ${status}`;
  }
}
