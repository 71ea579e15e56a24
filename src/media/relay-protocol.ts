/**
 * What the main thread and a relay thread say to each other; no state is shared between them.
 *
 *   main                                      worker
 *   openStream  ---------------------------->  binds four sockets
 *               <--------- opened / openFailed
 *   updateStream, playDigit  --------------->
 *               <--------- digitPressed, digitReleased, sourceLearnt, inactive, observed
 *               <--------- digitStarted, digitEnding, digitSent; digitDropped instead of any of them
 *   readCounters --------------------------->
 *               <--------- counters
 *   closeStream ---------------------------->  ends the running event, closes the sockets
 *               <--------- closed
 */

import type { Side } from '../wire/side.ts';
import type {
  DetectedDigit,
  DroppedDigit,
  LocalMedia,
  MediaObservation,
  PlayedDigit,
  ReleasedDigit,
  SentDigit,
  StreamUpdate,
} from './media-engine.ts';
import type { DescriptorMemory } from './ffi/thread-descriptors.ts';
import type { KernelReach, SteadyFlow } from './kernel/steady-flow.ts';
import type { MediaCounters } from './relay-counters.ts';
import type { LearntSource } from './source-lock.ts';
import type { ResumedStream } from './stream-memory.ts';

/** How a relay thread receives and sends: Node's sockets, or system calls of its own. */
export type RelayIo = 'dgram' | 'ffi';

/** Settings of a relay thread, given at its start. */
export interface RelayWorkerOptions {
  /**
   * Wall-clock time at 0 of `performance.now()`, which all threads of a process share. The main thread's own, so
   * that times of both can be compared, whatever becomes of the system's clock meanwhile.
   */
  readonly clockOriginMs: number;
  /** What moves the packets; a thread that cannot do `ffi` takes `dgram` and says so. Default dgram. */
  readonly io?: RelayIo | undefined;
  /** With `ffi`: where the thread notes what it opened, for the main thread to close behind its death. */
  readonly descriptors?: DescriptorMemory | undefined;
  /** Which streams may go by the kernel; absent: none. */
  readonly kernelReach?: KernelReach | undefined;
  readonly inactivityTimeoutMs: number;
  readonly holdTimeoutMs: number;
  readonly digitGapMs?: number | undefined;
  readonly digitPacketIntervalMs?: number | undefined;
}

/** `streamKey` tells the streams of one pool apart; it is never used twice. */
export type RelayCommand =
  | {
      readonly type: 'openStream';
      readonly streamKey: number;
      readonly legs: Readonly<Record<Side, LocalMedia>>;
      /** Sources of streams with the same key have the same names in RTCP. */
      readonly nameKey: string;
      /** The stream was on a thread that died. */
      readonly resumed?: ResumedStream | undefined;
    }
  | { readonly type: 'updateStream'; readonly streamKey: number; readonly update: StreamUpdate }
  | {
      readonly type: 'playDigit';
      readonly streamKey: number;
      readonly to: Side;
      readonly digit: PlayedDigit;
    }
  | { readonly type: 'readCounters'; readonly streamKey: number; readonly requestId: number }
  | { readonly type: 'closeStream'; readonly streamKey: number }
  /** Answers `flowSteady` or `flowBroken`, or says that the kernel has the direction no more. */
  | {
      readonly type: 'flowCarried';
      readonly streamKey: number;
      readonly side: Side;
      readonly isCarried: boolean;
    }
  /** What the kernel has forwarded of the packets of `side`, since the last time. */
  | {
      readonly type: 'flowCounted';
      readonly streamKey: number;
      readonly side: Side;
      readonly packets: number;
      readonly bytes: number;
      /** When the kernel was asked and when it has answered, of `performance.now()`. */
      readonly askedAtMs: number;
      readonly atMs: number;
    }
  /** What the kernel has forwarded of the packets of `side` since the last time will never be known. */
  | { readonly type: 'flowUncounted'; readonly streamKey: number; readonly side: Side };

/** `no-descriptors`: this process may open no more sockets. */
export type OpenFailure = 'port-taken' | 'address-unavailable' | 'no-descriptors';

export type RelayEvent =
  /** The packets of `side` may go by the kernel from now on. */
  | {
      readonly type: 'flowSteady';
      readonly streamKey: number;
      readonly side: Side;
      readonly flow: SteadyFlow;
    }
  /** The packets of `side` have to come to the thread again. */
  | { readonly type: 'flowBroken'; readonly streamKey: number; readonly side: Side }
  /** The thread moves packets by `dgram`, though it was told otherwise; of no stream. */
  | { readonly type: 'ioFallback'; readonly reason: string }
  | { readonly type: 'opened'; readonly streamKey: number }
  | {
      readonly type: 'openFailed';
      readonly streamKey: number;
      readonly side: Side;
      readonly reason: OpenFailure;
    }
  | { readonly type: 'digitPressed'; readonly streamKey: number; readonly digit: DetectedDigit }
  | { readonly type: 'digitReleased'; readonly streamKey: number; readonly digit: ReleasedDigit }
  /** Its first packet leaves now. */
  | {
      readonly type: 'digitStarted';
      readonly streamKey: number;
      readonly to: Side;
      readonly digitId: string;
    }
  /** Its first end packet leaves now; that the socket took it is said later. */
  | { readonly type: 'digitEnding'; readonly streamKey: number; readonly sent: SentDigit }
  | { readonly type: 'digitSent'; readonly streamKey: number; readonly sent: SentDigit }
  | { readonly type: 'digitDropped'; readonly streamKey: number; readonly dropped: DroppedDigit }
  | {
      readonly type: 'sourceLearnt';
      readonly streamKey: number;
      readonly side: Side;
      readonly learnt: LearntSource;
    }
  | { readonly type: 'inactive'; readonly streamKey: number; readonly quietMs: number }
  | {
      readonly type: 'observed';
      readonly streamKey: number;
      readonly observation: MediaObservation;
    }
  | {
      readonly type: 'counters';
      readonly streamKey: number;
      readonly requestId: number;
      readonly counters: MediaCounters;
    }
  | { readonly type: 'closed'; readonly streamKey: number; readonly counters: MediaCounters };
