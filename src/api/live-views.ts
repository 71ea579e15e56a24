/** What the console shows beside calls and agents: the state of the process, its last hour, and what changes. */
import type { DigitRecord } from '../observe/digit-ledger.ts';
import type { SeriesPoint } from '../observe/series.ts';
import type { AgentView, CallView } from './backend.ts';

export interface StatusView {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly isReady: boolean;
  /** Why not, one sentence each; empty when ready. */
  readonly reasons: readonly string[];
  readonly isDraining: boolean;
  readonly config: {
    readonly hash: string;
    /** Absent when the SBC was started without one. */
    readonly file?: string;
    /** RFC 3339; of the configuration in force. */
    readonly loadedAt: string;
  };
  readonly activeCalls: number;
  /** The SIP engine. */
  readonly engine: { readonly type: string; readonly isUp: boolean };
  readonly media: {
    readonly engine: string;
    /** As it is configured. */
    readonly io: string;
    /** What moves packets now, such as `ffi+kernel`; absent where they do not pass this process. */
    readonly ioInUse?: string;
    /** Media servers that carry the calls; absent where this process does. */
    readonly nodes?: readonly MediaNodeView[];
    /** Port pairs by realm; empty where the media servers have ports of their own. */
    readonly ports: readonly PortPoolView[];
  };
  readonly interfaces: readonly InterfaceView[];
}

export interface MediaNodeView {
  /** Such as `192.0.2.1:2223`. */
  readonly name: string;
  readonly isUp: boolean;
  /** Calls of ours that are on it. */
  readonly calls: number;
  /** It has refused a call lately: new ones go to the others, as long as there are any. */
  readonly isResting?: boolean;
}

export interface PortPoolView {
  /** Name of the realm. */
  readonly pool: string;
  readonly free: number;
  readonly total: number;
}

export interface InterfaceView {
  readonly name: string;
  readonly realm: string;
  /** Such as `udp/192.0.2.1:5060`. */
  readonly sipPorts: readonly string[];
  /** Legs of calls on it. */
  readonly calls: number;
}

/** One point each `intervalMs`; `points` are the oldest first. */
export interface SeriesView {
  readonly intervalMs: number;
  readonly points: readonly SeriesPoint[];
}

export const LIVE_TOPICS = ['calls', 'agents', 'digits', 'series'] as const;
/** What a reader of events may ask for beside feature keys. */
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** By topic: the name of its event, and what it brings. */
export type LiveEvent =
  | { readonly topic: 'calls'; readonly name: 'calls'; readonly data: CallsEvent }
  | { readonly topic: 'agents'; readonly name: 'agent'; readonly data: AgentView }
  | { readonly topic: 'digits'; readonly name: 'digits'; readonly data: DigitsEvent }
  | { readonly topic: 'series'; readonly name: 'point'; readonly data: SeriesPoint };

/** What has become of calls since the event before. */
export interface CallsEvent {
  /** New or changed, as they are now; without media counters. */
  readonly changed: readonly CallView[];
  /** Ids of calls that are over. */
  readonly ended: readonly string[];
  /** There was more than fits: read the list anew. */
  readonly isPartial: boolean;
}

export interface DigitsEvent {
  /** New or changed, oldest first. */
  readonly records: readonly DigitRecord[];
  /** There was more than fits: read the list anew. */
  readonly isPartial: boolean;
}
