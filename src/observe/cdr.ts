/** Call detail records: JSON lines, one per call attempt, written once at its end. Digits never stand in them. */
export const CDR_VERSION = 1;

export interface CdrRecord {
  readonly version: typeof CDR_VERSION;
  /** Unique for all time; tells a record that was read twice. */
  readonly cdrId: string;
  /** Our call id, as in logs and API. */
  readonly callId: string;
  readonly config: { readonly hash: string };
  /** Host name of this SBC. */
  readonly node: string;
  readonly ingress: CdrLeg;
  /** The leg that was answered or tried last; absent when none was tried. */
  readonly egress?: CdrLeg;
  readonly attempts: readonly CdrAttempt[];
  readonly numbers: CdrNumbers;
  readonly timestamps: CdrTimestamps;
  readonly durations: CdrDurations;
  readonly release: CdrRelease;
  /** The process was killed before the call ended: `timestamps.end` is only the last time known. */
  readonly recovered?: CdrRecovered;
  readonly media?: {
    readonly perLeg: Readonly<Partial<Record<'ingress' | 'egress', CdrLegMedia>>>;
  };
  readonly dtmf: CdrDtmf;
  readonly policy?: {
    readonly name: string;
    readonly rule: string;
    /** Session agents that were passed over, such as `out-of-service (no-answer)`. */
    readonly skipped?: readonly { readonly agent: string; readonly reason: string }[];
  };
  /** The call began as a transfer. */
  readonly transfer?: CdrTransfer;
  /** Feature keys of the called account acted on the call. */
  readonly forwarding?: CdrForwarding;
}

/** What feature keys did to a call. */
export interface CdrForwarding {
  /** In order; `from` and `to` are the old and the new target, without `to` the call was refused. */
  readonly steps: readonly {
    readonly feature: string;
    readonly from: string;
    readonly to?: string;
  }[];
  /** Everybody the call has been for, oldest first, those before it came to us included. */
  readonly chain: readonly string[];
}

/** Where the parties of a call were before. */
export interface CdrTransfer {
  /** `blind`, `attended`: by REFER; `replaces`: by an INVITE with Replaces. */
  readonly type: 'blind' | 'attended' | 'replaces';
  /** `callId` of the calls that gave a party to this one. */
  readonly from: readonly string[];
}

export interface CdrLeg {
  /** Name of the session-agent. */
  readonly agent?: string;
  readonly realm: string;
  readonly interface: string;
  /** Address and port of the peer. */
  readonly remote: string;
  readonly sipCallId: string;
  readonly from: string;
  readonly to: string;
  readonly ruri: string;
  readonly pai?: string;
  readonly transport: string;
  /** As the last answer named it, such as `PCMA/8000`. */
  readonly codec?: string;
  readonly srtp: boolean;
}

export interface CdrAttempt {
  readonly agent?: string;
  /** Where the INVITE went, as URI. */
  readonly nextHop: string;
  readonly transport: string;
  /** SIP status. */
  readonly code: number;
  readonly reason: string;
  /** RFC 3339 with ms. */
  readonly start: string;
  readonly end: string;
}

export interface CdrNumbers {
  readonly calledIn: string;
  readonly calledOut?: string;
  readonly callerIn: string;
  readonly callerOut?: string;
}

/** RFC 3339 with ms, UTC. */
export interface CdrTimestamps {
  readonly invite: string;
  /** The first INVITE of ours left. */
  readonly trying?: string;
  readonly firstProgress?: string;
  readonly ringing?: string;
  readonly answer?: string;
  readonly end: string;
}

/** Seconds with ms as fraction. */
export interface CdrDurations {
  /** INVITE to first ringing or early media. */
  readonly pdd?: number;
  readonly ring?: number;
  /** Answer to end; 0 for a call that was not answered. */
  readonly bill: number;
}

export interface CdrRelease {
  /** Who ended the call. */
  readonly side: 'caller' | 'callee' | 'sbc';
  readonly sipCode: number;
  readonly q850?: number;
  /** Our end cause. */
  readonly internalCode: string;
  readonly text: string;
}

export interface CdrLegMedia {
  /** Received from the leg. */
  readonly packets: number;
  readonly octets: number;
  readonly lost?: number;
  readonly jitterMs?: number;
  readonly mos?: number;
  /** The source was learned from packets instead of SDP. */
  readonly srcLearned?: boolean;
  /** The media watchdog found it silent. */
  readonly inactive?: boolean;
}

/** Counts only. */
export interface CdrDtmf {
  readonly ingressMethod: string;
  readonly egressMethod: string;
  /** Row of the decision table. */
  readonly decision: string;
  readonly digitsIn: number;
  readonly digitsOut: number;
  readonly dropped: number;
}

export interface CdrRecovered {
  /** The start that wrote the record, RFC 3339 with ms; the call ended between `timestamps.end` and this. */
  readonly at: string;
}

/** A call attempt that has not ended: the beginning of its record. */
export type OpenAttempt = Omit<
  CdrRecord,
  'timestamps' | 'durations' | 'release' | 'recovered' | 'media'
> & { readonly timestamps: Omit<CdrTimestamps, 'end'> };

/** Says on request that a call was answered; the record of its end has the same `cdrId`. */
export type CdrStart = { readonly event: 'start' } & OpenAttempt;
