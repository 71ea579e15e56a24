/**
 * The engine thread under supervision: when it crashes another one takes its place on the same ports.
 *
 *   running ── thread lost ──> waiting ── delay of RestartPace over ──> starting ── started ──> running
 *                                 ^                                        '── failed ──> waiting or given up
 */
import {
  startEngineThread,
  type EngineThread,
  type EngineThreadListener,
} from './engine-thread.ts';
import type {
  EngineChange,
  EngineProblem,
  NamedEngineOptions,
  StartedEngine,
} from './engine-protocol.ts';
import type { CallPacing } from './transaction/call-gate.ts';
import { RestartPace } from './restart-pace.ts';

export interface SupervisorListener extends EngineThreadListener {
  /** The thread crashed, all its dialogs are gone; another one follows. `onLost` when none does. */
  readonly onCrashed?: (reason: string) => void;
  /** Another thread has taken the place of a crashed one. */
  readonly onRestarted?: () => void;
}

type StartThread = typeof startEngineThread;

type State =
  | { readonly type: 'running'; readonly thread: EngineThread }
  | { readonly type: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly type: 'starting'; readonly done: Promise<void> }
  | { readonly type: 'ended' };

/** Starts all `engines` in one thread and keeps them running; rejects like {@link startEngineThread}. */
export async function superviseEngines(
  engines: readonly NamedEngineOptions[],
  listener: SupervisorListener = {},
  start: StartThread = startEngineThread,
): Promise<EngineThread> {
  let supervisor: Supervisor | undefined;
  const thread = await start(engines, {
    ...listener,
    onLost: (reason) => supervisor?.threadLost(reason),
  });
  supervisor = new Supervisor(thread, { engines: pinned(engines, thread), listener, start });
  return supervisor;
}

interface SupervisorParts {
  /** On the ports that they got. */
  readonly engines: readonly NamedEngineOptions[];
  readonly listener: SupervisorListener;
  readonly start: StartThread;
}

class Supervisor implements EngineThread {
  #engines: readonly StartedEngine[];
  /** What the next thread is started with. */
  #wanted: readonly NamedEngineOptions[];
  readonly #parts: SupervisorParts;
  readonly #knownPeers = new Map<string, readonly string[]>();
  #pacing: CallPacing | undefined;
  readonly #pace = new RestartPace(Math.random);
  #state: State;

  constructor(thread: EngineThread, parts: SupervisorParts) {
    this.#engines = thread.engines;
    this.#wanted = parts.engines;
    this.#parts = parts;
    this.#state = { type: 'running', thread };
  }

  get engines(): readonly StartedEngine[] {
    return this.#engines;
  }

  async prepare(engines: readonly NamedEngineOptions[]): Promise<EngineChange | EngineProblem> {
    const { type } = this.#state;
    if (this.#state.type !== 'running') return notRunning(type);
    const { thread } = this.#state;
    const change = await thread.prepare(engines);
    if (change.type === 'problem') return change;
    return { ...change, commit: () => this.#commit(thread, change, engines) };
  }

  setKnownPeers(name: string, networks: readonly string[]): void {
    this.#knownPeers.set(name, networks);
    if (this.#state.type === 'running') this.#state.thread.setKnownPeers(name, networks);
  }

  paceCalls(pacing: CallPacing): void {
    this.#pacing = pacing;
    if (this.#state.type === 'running') this.#state.thread.paceCalls(pacing);
  }

  #commit(
    thread: EngineThread,
    change: EngineChange,
    wanted: readonly NamedEngineOptions[],
  ): ReturnType<EngineChange['commit']> {
    const isSame = this.#state.type === 'running' && this.#state.thread === thread;
    const outcome = isSame ? change.commit() : { isCommitted: false, settled: Promise.resolve() };
    if (!outcome.isCommitted) return outcome;
    this.#engines = change.engines;
    this.#wanted = pinned(wanted, change);
    for (const name of this.#knownPeers.keys()) {
      if (!wanted.some((item) => item.name === name)) this.#knownPeers.delete(name);
    }
    return outcome;
  }

  threadLost(reason: string): void {
    if (this.#state.type !== 'running') return;
    this.#parts.listener.onCrashed?.(reason);
    this.#startLater(reason);
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { type: 'ended' };
    if (state.type === 'running') await state.thread.close();
    if (state.type === 'waiting') clearTimeout(state.timer);
    if (state.type === 'starting') await state.done;
  }

  #startLater(reason: string): void {
    const decision = this.#pace.failed(performance.now());
    if (decision.type === 'giveUp') {
      this.#state = { type: 'ended' };
      this.#parts.listener.onLost?.(reason);
      return;
    }
    const timer = setTimeout(() => {
      this.#state = { type: 'starting', done: this.#start() };
    }, decision.delayMs);
    this.#state = { type: 'waiting', timer };
  }

  async #start(): Promise<void> {
    const { listener, start } = this.#parts;
    const wanted = this.#wanted.map((item) => ({
      ...item,
      knownPeers: this.#knownPeers.get(item.name) ?? item.knownPeers ?? [],
    }));
    // A thread whose start failed still has its end ahead, which must not be taken for that of its successor.
    let isStarted = false;
    const onLost = (reason: string): void => {
      if (isStarted) this.threadLost(reason);
    };
    try {
      const thread = await start(wanted, { ...listener, onLost });
      isStarted = true;
      if (this.#isEnded) return await thread.close();
      this.#state = { type: 'running', thread };
      for (const [name, networks] of this.#knownPeers) thread.setKnownPeers(name, networks);
      if (this.#pacing !== undefined) thread.paceCalls(this.#pacing);
      listener.onRestarted?.();
    } catch (error) {
      if (!this.#isEnded) this.#startLater(error instanceof Error ? error.message : String(error));
    }
  }

  get #isEnded(): boolean {
    return this.#state.type === 'ended';
  }
}

function notRunning(state: State['type']): EngineProblem {
  const reason = state === 'ended' ? 'the SIP engine is gone' : 'the SIP engine is being restarted';
  return { type: 'problem', name: '', part: { type: 'engine' }, reason };
}

/** The options with the ports that the first thread got, which its peers and applications know by now. */
function pinned(
  engines: readonly NamedEngineOptions[],
  thread: Pick<EngineThread, 'engines'>,
): readonly NamedEngineOptions[] {
  return engines.map((item) => {
    const started = thread.engines.find(({ name }) => name === item.name);
    if (started === undefined) return item;
    const admin = { ...item.admin, port: started.adminPort };
    return { ...item, listen: started.listenPoints, admin };
  });
}
