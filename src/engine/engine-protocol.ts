import type { ListenPoint } from './transport/flow.ts';
import type { EngineOptions } from './engine.ts';

/** One engine of a thread; callbacks cannot cross into the thread. */
export type NamedEngineOptions = Omit<EngineOptions, 'onBug'> & { readonly name: string };

/** Where one engine of the thread can be reached. */
export interface StartedEngine {
  readonly name: string;
  readonly adminPort: number;
  readonly listenPoints: readonly ListenPoint[];
}

/** What the main thread says. */
export type EngineCommand = { readonly type: 'close' };

/** What the engine thread says. */
export type EngineEvent =
  | { readonly type: 'started'; readonly engines: readonly StartedEngine[] }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'bug'; readonly name: string; readonly stack: string }
  | { readonly type: 'closed' };
