/** What came of a simulated call. Plain data: it crosses a thread, and is printed as JSON. */
import type { LegSettings } from '../config/effective.ts';
import type { InterworkingPlan } from '../dtmf/interworking-plan.ts';
import type { CdrRecord } from '../observe/cdr.ts';
import type { LadderRow } from '../observe/ladder.ts';
import type { Side } from '../wire/side.ts';
import type { HeaderChange } from './header-changes.ts';
import type { KeyRow } from './key-rows.ts';
import type { DiffLine } from './line-diff.ts';

/** Why an SDP came out as it did. */
export interface SdpDecision {
  readonly type: 'offer' | 'answer';
  readonly from: Side;
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
}

/** A message that the SBC sent to one end. */
export interface SeenMessage {
  /** From the INVITE of the caller on, when it arrived. */
  readonly atMs: number;
  /** `udp/192.0.2.1:5060`, where it arrived. */
  readonly place: string;
  readonly startLine: string;
  /** `INVITE`, `200 INVITE`. */
  readonly what: string;
  readonly text: string;
  /** What it came of: the message of the other end that crossed; `undefined`: the SBC sent it by itself. */
  readonly cause: { readonly from: Side; readonly startLine: string } | undefined;
  /** Against that message, or of itself where there is none. */
  readonly headers: readonly HeaderChange[];
  readonly sdp: readonly DiffLine[];
}

export interface LegReport {
  readonly sipInterface: string;
  readonly realm: string;
  readonly agent: string | undefined;
  readonly remote: string;
  readonly settings: LegSettings;
}

export interface SimulationReport {
  readonly name: string;
  /** What the caller got. */
  readonly answer: { readonly status: number; readonly reason: string } | undefined;
  readonly legs: { readonly caller?: LegReport; readonly callee?: LegReport };
  readonly decisions: readonly SdpDecision[];
  /** The last one. */
  readonly plan: InterworkingPlan | undefined;
  /** The call record, for routing, attempts and the end. */
  readonly record: CdrRecord | undefined;
  readonly received: Readonly<Record<Side, readonly SeenMessage[]>>;
  readonly keys: readonly KeyRow[];
  readonly ladder: readonly LadderRow[];
  readonly packets: Readonly<Record<Side, { readonly sent: number; readonly received: number }>>;
  /** What the ends found strange. */
  readonly notes: readonly string[];
  /** Lines of level warn and above. */
  readonly warnings: readonly string[];
  /** Expectations that were not met, and invariants that were broken. */
  readonly failures: readonly string[];
  /** How many expectations there were, broken invariants counted as one each. */
  readonly expected: number;
}
