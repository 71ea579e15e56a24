/** A call to be simulated, as its file says: who calls whom, what they do and what should come of it. */
import type { Feature } from '../wire/feature-event.ts';
import type { Side } from '../wire/side.ts';

/** How a key gets across. */
export type KeyMethod = 'rtp' | 'kpml' | 'info' | 'none';

/** How an end sends its keys; auto: by KPML to whoever has subscribed, else as telephone-events. */
export const KEY_MANNERS = ['rtp', 'kpml', 'info', 'auto', 'none'] as const;
export type KeyManner = (typeof KEY_MANNERS)[number];

/** What an end does with a SUBSCRIBE for its keys. */
export const KPML_MANNERS = ['grants', 'refuses', 'silent'] as const;
export type KpmlManner = (typeof KPML_MANNERS)[number];

/** Whether an end subscribes to the keys of the other one; auto: where it is offered them and hears them by KPML. */
export const SUBSCRIBE_MANNERS = ['auto', 'always', 'never'] as const;
export type SubscribeManner = (typeof SUBSCRIBE_MANNERS)[number];

export interface SdpCodec {
  readonly payloadType: number;
  readonly name: string;
  readonly clockRate: number;
}

/** Where the session descriptions of an end come from. */
export type SdpSource =
  | {
      readonly type: 'preset';
      readonly codecs: readonly SdpCodec[];
      readonly eventPayloadType: number | undefined;
    }
  | { readonly type: 'text'; readonly text: string }
  /** A request without SDP. */
  | { readonly type: 'none' };

export interface EndScript {
  readonly sdp: SdpSource;
  /** Its first INVITE has no SDP. */
  readonly isDelayed: boolean;
  readonly dtmf: KeyManner;
  readonly headers: Readonly<Record<string, string>>;
  /** '' for none. */
  readonly allowEvents: string;
  readonly kpml: KpmlManner;
  readonly subscribes: SubscribeManner;
  /** Share of its RTP packets that the network loses, 0 to 1. */
  readonly rtpLoss: number;
}

export interface CallerScript extends EndScript {
  /** A session agent, or an IP address with its port. */
  readonly fromAgent: string | undefined;
  readonly address: string | undefined;
  /** Where more than one sip-interface would do. */
  readonly sipInterface: string | undefined;
  /** Number or user part, or a whole From value. */
  readonly from: string;
  /** Number, or a SIP or tel URI. */
  readonly to: string;
}

/** A status and how long after the INVITE it is sent. */
export interface TimedStatus {
  readonly status: number;
  readonly afterMs: number;
}

export interface CalleeScript extends EndScript {
  readonly ringing: TimedStatus | undefined;
  /** `silent`: nothing is ever answered; `unreachable`: nobody is there. */
  readonly answers: TimedStatus | 'silent' | 'unreachable';
  readonly hasEarlyMedia: boolean;
  /** The 1xx asks for a PRACK (RFC 3262), where the other side knows of it. */
  readonly isReliable: boolean;
  /** Value of the Contact header of a 3xx. */
  readonly contact: string | undefined;
}

export type EndAction =
  | {
      readonly type: 'press';
      readonly keys: string;
      readonly durationMs: number;
      readonly gapMs: number;
    }
  | { readonly type: 'hold' | 'resume' | 'hang-up' | 'cancel' }
  | { readonly type: 're-invite'; readonly sdp: SdpSource | undefined }
  | { readonly type: 'subscribe'; readonly pattern: string }
  | { readonly type: 'rtp-loss'; readonly ratio: number };

export interface ScenarioEvent {
  /** From the INVITE of the caller on. */
  readonly atMs: number;
  readonly by: Side;
  readonly action: EndAction;
}

/** What should show in a message that an end receives. */
export interface MessageExpectation {
  readonly at: Side;
  /** A method, or a status with the method it answers: `INVITE`, `200 INVITE`. The first such message counts. */
  readonly message: string;
  /** Header name, `sdp` for the body, '' for the message as a whole. */
  readonly part: string;
  /** Text that must be there, or must not; `undefined`: anything. */
  readonly text: string | undefined;
  readonly isPresent: boolean;
}

export interface Expectation {
  /** Final answer that the caller gets. */
  readonly status: number | undefined;
  /** Agents that were tried, in order. */
  readonly agents: readonly string[] | undefined;
  readonly endedBy: Side | 'sbc' | undefined;
  readonly keysAt: Partial<Readonly<Record<Side, string>>>;
  /** Of the last plan, by the side that presses. */
  readonly translators: Partial<Readonly<Record<Side, string>>>;
  readonly rows: Partial<Readonly<Record<Side, string>>>;
  readonly messages: readonly MessageExpectation[];
}

export interface FeatureSetting {
  /** `sip:user@domain`. */
  readonly account: string;
  readonly feature: Feature;
  readonly forwardTo: string | undefined;
  readonly ringCount: number | undefined;
}

export interface Scenario {
  readonly name: string;
  /** Configuration file, relative to that of the scenario. */
  readonly config: string | undefined;
  /** Wall clock of the INVITE, ms since 1970. */
  readonly startMs: number;
  /** One way, between any two places. */
  readonly latencyMs: number;
  readonly caller: CallerScript;
  readonly callee: CalleeScript;
  /** Callees that are different, by session agent or address. */
  readonly callees: ReadonlyMap<string, CalleeScript>;
  readonly agentsDown: readonly string[];
  readonly features: readonly FeatureSetting[];
  readonly events: readonly ScenarioEvent[];
  readonly expect: Expectation;
}
