/** What the pure relay wants done besides forwarding the packet at hand, in this order. */

import type { DetectorOutput } from '../dtmf/digit-detector.ts';
import type { Side } from '../wire/side.ts';
import type { DigitDropReason } from './media-engine.ts';
import type { FinishedDigit } from './injection.ts';
import type { LearntSource, PacketSource } from './source-lock.ts';

export type RelayOutput =
  | {
      readonly type: 'packet';
      readonly to: Side;
      readonly destination: PacketSource;
      readonly bytes: Buffer;
      /** The digit that begins with this packet. */
      readonly started: string | undefined;
      /** The digit that is sent once the socket has taken this packet. */
      readonly finished: FinishedDigit | undefined;
    }
  | { readonly type: 'sourceLearnt'; readonly side: Side; readonly learnt: LearntSource }
  | { readonly type: 'digit'; readonly side: Side; readonly output: DetectorOutput }
  | {
      readonly type: 'digitDropped';
      readonly to: Side;
      readonly digitId: string;
      readonly reason: DigitDropReason;
    };
