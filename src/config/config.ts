/**
 * The configuration as the rest of the program sees it: frozen, camelCase, units in the names.
 * The YAML spelling of each key, its default and its meaning stand in the schema files of this room.
 */
import type { CdrConfig } from './cdr-config.ts';
import type { FeatureCalls, FeatureKeysConfig } from './feature-keys-config.ts';
import type { HeaderRule } from './header-rule.ts';
import type { HepConfig } from './hep-config.ts';
import type { MethodRelays } from './method-relay.ts';
import type { NumberTranslation } from './number-translation.ts';
import type { LocalPolicy } from './routing-config.ts';

export interface Config {
  /** SHA-256 of the file's text in hexadecimal; names this version in logs, metrics and CDRs. */
  readonly hash: string;
  readonly sip: SipConfig;
  readonly media: MediaConfig;
  readonly realms: readonly Realm[];
  readonly sipInterfaces: readonly SipInterface[];
  readonly sessionAgents: readonly SessionAgent[];
  readonly sessionGroups: readonly SessionGroup[];
  readonly localPolicies: readonly LocalPolicy[];
  readonly translations: readonly NumberTranslation[];
  readonly admission: AdmissionConfig;
  readonly dtmf: { readonly maskDigits: boolean };
  readonly featureKeys: FeatureKeysConfig;
  readonly api: ApiConfig;
  readonly cdr: CdrConfig;
  readonly hep: HepConfig;
  readonly log: { readonly level: LogLevel };
}

export interface DrachtioServer {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface SipConfig {
  readonly engine: 'embedded' | 'drachtio';
  readonly drachtio: DrachtioServer | undefined;
  /** Requests above this leave by TCP where the peer takes it; 0: never. Of the embedded engine only. */
  readonly udpSizeLimitBytes: number;
  /** How long answered calls of a lost engine wait for it. */
  readonly reconnectHoldMs: number;
  /** Of the embedded engine only. */
  readonly limits: SipLimits;
}

/** 0 messages per second mean unlimited. */
export interface MessageRate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface SipLimits {
  readonly messageBytes: number;
  readonly headerBytes: number;
  readonly pendingTransactions: number;
  readonly streamConnections: number;
  readonly streamConnectionsPerSource: number;
  readonly streamIdleTimeoutMs: number;
  /** One source that is no session agent. */
  readonly source: MessageRate;
  /** One session agent or address of an `allow` network. */
  readonly agent: MessageRate;
  /** All sources together that are no session agents. */
  readonly strangers: MessageRate;
}

export interface MediaConfig {
  readonly engine: 'relay' | 'rtpengine';
  readonly io: 'auto' | 'dgram' | 'ffi' | 'kernel';
  readonly workers: 'auto' | number;
  readonly inactivityTimeoutMs: number;
  /** Takes the place of `inactivityTimeoutMs` while the call is on hold. */
  readonly holdTimeoutMs: number;
  readonly portQuarantineMs: number;
  readonly rtpengine: readonly RtpengineNode[];
}

export interface RtpengineNode {
  readonly host: string;
  readonly port: number;
  /** Where DTMF reports of the node are awaited. */
  readonly dtmfListen: { readonly address: string; readonly port: number } | undefined;
}

export interface Realm {
  readonly name: string;
  readonly media: {
    readonly address: string;
    /** Written in SDP in place of `address`. */
    readonly advertised: string | undefined;
    readonly portMin: number;
    readonly portMax: number;
  };
}

export type Transport = 'udp' | 'tcp' | 'tls';

export interface SipPort {
  readonly transport: Transport;
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/** PEM files by name, and what is checked. */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  /** Authorities trusted in place of the public ones. */
  readonly ca: string | undefined;
  /** Of servers that we connect to. */
  readonly verify: 'required' | 'none';
  readonly clientCertificates: 'none' | 'required';
}

export interface SipInterface {
  readonly name: string;
  readonly realm: string;
  readonly sipPorts: readonly SipPort[];
  readonly tls: TlsConfig | undefined;
  /** Pings on connections that we opened; 0 for none. */
  readonly keepAliveIntervalMs: number;
  readonly admit: 'anyone' | 'agents';
  /** CIDR networks admitted besides the session agents when `admit` is `agents`. */
  readonly allow: readonly string[];
  /** CIDR networks that are refused whatever else is said about them. */
  readonly deny: readonly string[];
  readonly constraints: Constraints;
  readonly drachtio: DrachtioServer | undefined;
  /** Where requests outside every dialog go. */
  readonly methods?: MethodRelays | undefined;
  /** `undefined`: as `feature-keys.mode` says; see feature-keys-mode.ts. */
  readonly featureKeysMode?: 'serve' | 'pass' | undefined;
  readonly leg: LegOverrides;
  /** Of legs whose agent has none of its own. */
  readonly headerRules?: readonly HeaderRule[] | undefined;
  /** Names of translations, where the agent names none. */
  readonly translateIn?: string | undefined;
  readonly translateOut?: string | undefined;
}

export interface SessionAgent {
  readonly name: string;
  readonly realm: string;
  /** IP address (IPv6 without brackets) or host name. */
  readonly host: string;
  /** `undefined`: any source port matches, requests go to the transport's default port. */
  readonly port: number | undefined;
  readonly transport: Transport;
  /** The file names the transport: neither DNS nor the size of a request changes it. */
  readonly isTransportFixed: boolean;
  /** What the agent's challenges are answered with; absent: they are not. */
  readonly auth?: AgentAuth | undefined;
  /** In place of those of the interface, method by method. */
  readonly methods?: MethodRelays | undefined;
  readonly optionsPing: OptionsPing | undefined;
  readonly constraints: Constraints;
  /** Final answers to OPTIONS or INVITE that count as if there were none. */
  readonly outServiceCodes: readonly number[];
  readonly leg: LegOverrides;
  /** In place of those of the interface; an empty list switches them off. */
  readonly headerRules?: readonly HeaderRule[] | undefined;
  /** In place of those of the interface; `none` switches them off. */
  readonly translateIn?: string | undefined;
  readonly translateOut?: string | undefined;
  /** Which headers tell it of forwards; `undefined`: as everywhere. */
  readonly diversionHeaders?: FeatureCalls['diversionHeaders'] | undefined;
}

/** Credentials of ours at an agent (RFC 3261 §22). */
export interface AgentAuth {
  readonly username: string;
  readonly password: string;
  /** The only realm whose challenges are answered; `undefined`: any that the agent names. */
  readonly realm: string | undefined;
}

/** What one agent, one interface or the whole SBC may carry; 0 means unlimited. */
export interface Constraints {
  readonly maxSessions: number;
  readonly maxInboundSessions: number;
  readonly maxOutboundSessions: number;
  /** Calls per second on the average of the window. */
  readonly maxBurstRate: number;
  readonly maxInboundBurstRate: number;
  readonly maxOutboundBurstRate: number;
  readonly burstRateWindowMs: number;
  /** Calls per second on the average of the window. */
  readonly maxSustainRate: number;
  readonly maxInboundSustainRate: number;
  readonly maxOutboundSustainRate: number;
  readonly sustainRateWindowMs: number;
}

/** What the SBC as a whole takes on. */
export interface AdmissionConfig {
  readonly constraints: Constraints;
  readonly overload: OverloadConfig;
}

/** A `high` of 0 switches the measure off. */
export interface OverloadConfig {
  readonly lag: { readonly highMs: number; readonly lowMs: number };
  /** Per cent of all processor cores. */
  readonly cpu: { readonly highPercent: number; readonly lowPercent: number };
  /** How long a measure must be high, or all of them low, before the state changes. */
  readonly holdMs: number;
}

export interface OptionsPing {
  readonly intervalMs: number;
  /** An answer later than this is none; shorter than the interval. */
  readonly timeoutMs: number;
  /** The timeout that the file asks for, where it is longer than the interval. */
  readonly shortenedFromMs?: number;
  readonly downAfter: number;
  readonly upAfter: number;
}

export type HuntStrategy = 'hunt' | 'round-robin' | 'least-busy' | 'weighted';

export interface SessionGroup {
  readonly name: string;
  readonly strategy: HuntStrategy;
  readonly members: readonly string[];
  /** Share per member for `weighted`; members not listed weigh 1. */
  readonly weights: Readonly<Record<string, number>>;
  /** Final answers after which the next member is tried, besides 408 and 5xx. */
  readonly failoverCodes: readonly number[];
}

export interface ApiConfig {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly token: string;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Rfc2833Mode = 'transparent' | 'preferred' | 'dual';
export type KpmlSubscription = 'in-dialog' | 'separate';
export type MediaSource = 'sdp' | 'learn-once';
export type EventParameters = 'none' | 'full';
export type BodylessRefresh = 'keep' | 'unload';
/** Key presses in SIP INFO: not read, read from this leg, or sent to it as well. */
export type SipInfo = 'disabled' | 'receive' | 'send';
/** Which targets of a redirecting answer are called in its place. */
export type FollowRedirects = 'agents' | 'any' | 'disabled';
/** What becomes of a REFER of this side: passed on, carried out here, or refused. */
/** What becomes of a request inside a call that the other side would answer. */
export type InDialogPolicy = 'relay' | 'reject';
export type ReferPolicy = 'relay' | 'local' | 'reject';
/** Whether what this side says about identities is believed, and whether it may know those of the other side (RFC 3325). */
export type Trust = 'trusted' | 'untrusted';
/** Session timer of a leg (RFC 4028): agreed to, obeyed where a peer insists, or kept up even alone. */
export type SessionTimerMode = 'enabled' | 'disabled' | 'force';
/** Who refreshes where the peer leaves it open. */
export type SessionRefresher = 'auto' | 'us' | 'peer';
export type AddSdpInvite = 'disabled' | 'invite' | 'reinvite' | 'both';

/** What one leg parameter may be; the value of every parameter that can be set per leg. */
export interface LegValues {
  readonly kpmlInterworking: boolean;
  readonly rfc2833Mode: Rfc2833Mode;
  readonly rfc2833Payload: number;
  readonly kpmlOnHairpin: boolean;
  readonly sipInfo: SipInfo;
  readonly kpmlSubscription: KpmlSubscription;
  readonly mediaSource: MediaSource;
  readonly dtmfDurationMs: number;
  readonly dtmfGapMs: number;
  /** `undefined`: the leg's packet time, at most 50 ms; 20 ms when that is unknown. */
  readonly dtmfPacketIntervalMs: number | undefined;
  readonly dtmfDrainOnByeMs: number;
  readonly dtmfRepairMovedEnd: boolean;
  readonly dtmfMergeWindowMs: number;
  readonly kpmlSubscribeExpiresSeconds: number;
  readonly kpmlEventParameters: EventParameters;
  readonly kpmlFlash: boolean;
  readonly kpmlBodylessRefresh: BodylessRefresh;
  readonly kpmlDefaultPattern: boolean;
  readonly kpmlTolerateMissingState: boolean;
  readonly addSdpInvite: AddSdpInvite;
  readonly followRedirects: FollowRedirects;
  readonly inDialogInfo: InDialogPolicy;
  readonly inDialogMessage: InDialogPolicy;
  readonly refer: ReferPolicy;
  readonly replaces: boolean;
  readonly trust: Trust;
  readonly sessionTimer: SessionTimerMode;
  readonly sessionExpiresSeconds: number;
  readonly minSeSeconds: number;
  readonly sessionRefresher: SessionRefresher;
  /** 0: a leg without session timer is never asked. */
  readonly dialogPingSeconds: number;
}

/** What an interface or an agent sets itself; `undefined` (also for inherit, none, 0) means not set here. */
export type LegOverrides = { readonly [Key in keyof LegValues]: LegValues[Key] | undefined };
