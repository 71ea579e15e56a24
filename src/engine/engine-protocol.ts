import type { DropReport } from './transport/drop-journal.ts';
import type { ListenPoint } from './transport/flow.ts';
import type { HandshakeFailure } from './transport/transport-events.ts';
import type { EngineOptions } from './engine.ts';
import type { CallPacing } from './transaction/call-gate.ts';
import type { OwnAnswer } from './transaction/own-answers.ts';
import type { RefusedCall } from './transaction/refused-calls.ts';

/** One engine of a thread; callbacks cannot cross into the thread. */
export type NamedEngineOptions = Omit<
  EngineOptions,
  | 'onBug'
  | 'onDropped'
  | 'onHandshakeFailed'
  | 'onRefused'
  | 'onAnswered'
  | 'callGate'
  | 'lookUp'
  | 'ports'
> & {
  readonly name: string;
};

/** Where one engine of the thread can be reached. */
export interface StartedEngine {
  readonly name: string;
  readonly adminPort: number;
  readonly listenPoints: readonly ListenPoint[];
}

/** Which part of an engine cannot be had. */
export type ProblemPart =
  /** The listen point at this place in `listen`. */
  | { readonly type: 'listen'; readonly index: number }
  /** Certificate, key or authorities. */
  | { readonly type: 'tls' }
  /** Anything else of the engine called so, or of the thread. */
  | { readonly type: 'engine' };

/** Why a set of engines cannot be had; everything is as before. */
export interface EngineProblem {
  readonly type: 'problem';
  /** Of the engine. */
  readonly name: string;
  readonly part: ProblemPart;
  readonly reason: string;
}

/** Engines that are ready to take the place of those that run. */
export interface EngineChange {
  readonly type: 'prepared';
  readonly engines: readonly StartedEngine[];
  /** False: the thread has crashed meanwhile, the change is void. `settled` resolves when it is in force. */
  commit(): { readonly isCommitted: boolean; readonly settled: Promise<void> };
  rollback(): Promise<void>;
}

/** What the main thread says. */
export type EngineCommand =
  | { readonly type: 'close' }
  /** Open what these engines need in place of those that run; answered by `prepared` or `unprepared`. */
  | {
      readonly type: 'prepare';
      readonly id: number;
      readonly engines: readonly NamedEngineOptions[];
    }
  /** Take over, or close, what was prepared; answered by `settled`. */
  | { readonly type: 'commit'; readonly id: number }
  | { readonly type: 'rollback'; readonly id: number }
  | { readonly type: 'setKnownPeers'; readonly name: string; readonly networks: readonly string[] }
  | { readonly type: 'paceCalls'; readonly pacing: CallPacing }
  /** Answer to `ask`. */
  | { readonly type: 'alive' };

/** What the engine thread says. */
export type EngineEvent =
  | { readonly type: 'started'; readonly engines: readonly StartedEngine[] }
  | { readonly type: 'failed'; readonly reason: string }
  | {
      readonly type: 'prepared';
      readonly id: number;
      readonly engines: readonly StartedEngine[];
    }
  | { readonly type: 'unprepared'; readonly id: number; readonly problem: EngineProblem }
  | { readonly type: 'settled'; readonly id: number }
  /** An engine that was left out is closed: nothing was under way in it any more. */
  | { readonly type: 'retired'; readonly name: string }
  | { readonly type: 'bug'; readonly name: string; readonly stack: string }
  | { readonly type: 'ask' }
  | { readonly type: 'refused'; readonly name: string; readonly calls: readonly RefusedCall[] }
  | { readonly type: 'answered'; readonly answers: readonly OwnAnswer[] }
  | { readonly type: 'dropped'; readonly name: string; readonly report: DropReport }
  | {
      readonly type: 'handshakeFailed';
      readonly name: string;
      readonly failure: HandshakeFailure;
    }
  | { readonly type: 'closed' };
