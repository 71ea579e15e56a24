import type { DropReport } from './transport/drop-journal.ts';
import type { ListenPoint } from './transport/flow.ts';
import type { HandshakeFailure } from './transport/transport-events.ts';
import type { EngineOptions } from './engine.ts';
import type { CallPacing } from './transaction/call-gate.ts';
import type { RefusedCall } from './transaction/refused-calls.ts';

/** One engine of a thread; callbacks cannot cross into the thread. */
export type NamedEngineOptions = Omit<
  EngineOptions,
  'onBug' | 'onDropped' | 'onHandshakeFailed' | 'onRefused' | 'callGate' | 'lookUp'
> & {
  readonly name: string;
};

/** Where one engine of the thread can be reached. */
export interface StartedEngine {
  readonly name: string;
  readonly adminPort: number;
  readonly listenPoints: readonly ListenPoint[];
}

/** What the main thread says. */
export type EngineCommand =
  | { readonly type: 'close' }
  | { readonly type: 'setKnownPeers'; readonly name: string; readonly networks: readonly string[] }
  | { readonly type: 'paceCalls'; readonly pacing: CallPacing }
  /** Answer to `ask`. */
  | { readonly type: 'alive' };

/** What the engine thread says. */
export type EngineEvent =
  | { readonly type: 'started'; readonly engines: readonly StartedEngine[] }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'bug'; readonly name: string; readonly stack: string }
  | { readonly type: 'ask' }
  | { readonly type: 'refused'; readonly name: string; readonly calls: readonly RefusedCall[] }
  | { readonly type: 'dropped'; readonly name: string; readonly report: DropReport }
  | {
      readonly type: 'handshakeFailed';
      readonly name: string;
      readonly failure: HandshakeFailure;
    }
  | { readonly type: 'closed' };
