import type {
  EngineChange,
  EngineCommand,
  EngineEvent,
  EngineProblem,
  NamedEngineOptions,
  StartedEngine,
} from './engine-protocol.ts';

type Answer =
  | { readonly type: 'prepared'; readonly engines: readonly StartedEngine[] }
  | { readonly type: 'unprepared'; readonly problem: EngineProblem }
  | { readonly type: 'settled' }
  /** The thread has ended. */
  | { readonly type: 'gone' };

const GONE: EngineProblem = {
  type: 'problem',
  name: '',
  part: { type: 'engine' },
  reason: 'the SIP engine has crashed',
};

/** Changes of the engines of one thread, as the main thread asks for them; an ended thread changes nothing any more. */
export class EngineChanges {
  readonly #send: (command: EngineCommand) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #isGone = false;

  constructor(send: (command: EngineCommand) => void) {
    this.#send = send;
  }

  async prepare(engines: readonly NamedEngineOptions[]): Promise<EngineChange | EngineProblem> {
    const id = ++this.#lastId;
    const answer = await this.#ask({ type: 'prepare', id, engines });
    if (answer.type === 'unprepared') return answer.problem;
    if (answer.type !== 'prepared') return GONE;
    const settle = async (type: 'commit' | 'rollback'): Promise<void> => {
      await this.#ask({ type, id });
    };
    return {
      type: 'prepared',
      engines: answer.engines,
      commit: () => ({ isCommitted: !this.#isGone, settled: settle('commit') }),
      rollback: () => settle('rollback'),
    };
  }

  receive(event: EngineEvent): void {
    if (!('id' in event)) return;
    const waiting = this.#waiting.get(event.id);
    this.#waiting.delete(event.id);
    waiting?.(event);
  }

  /** The thread has ended: nobody waits any longer. */
  end(): void {
    this.#isGone = true;
    for (const waiting of this.#waiting.values()) waiting({ type: 'gone' });
    this.#waiting.clear();
  }

  #ask(command: Extract<EngineCommand, { readonly id: number }>): Promise<Answer> {
    if (this.#isGone) return Promise.resolve({ type: 'gone' });
    return new Promise((resolve) => {
      this.#waiting.set(command.id, resolve);
      this.#send(command);
    });
  }
}
