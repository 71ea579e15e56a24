/** The `feature-keys` section: Device Feature Key Synchronization. Field names follow the YAML keys. */

export interface FeatureKeysConfig {
  readonly enabled: boolean;
  readonly mode: 'serve' | 'pass';
  readonly provider: FeatureProviderConfig;
  readonly authentication: 'digest' | 'none';
  /** Digest realm; `undefined`: the domain of the request. */
  readonly realm: string | undefined;
  readonly algorithms: readonly ('MD5' | 'SHA-256')[];
  readonly nonceMs: number;
  readonly users: Readonly<Record<string, FeatureUser>>;
  readonly usersFrom: 'registrar' | undefined;
  readonly trustedNetworks: readonly string[];
  /** Own domains and the further names under which each is addressed. */
  readonly domains: Readonly<Record<string, readonly string[]>>;
  readonly subscriptions: {
    readonly expiresDefaultMs: number;
    readonly expiresMinMs: number;
    readonly expiresMaxMs: number;
    readonly perAccount: number;
  };
  readonly notify: {
    readonly gapMs: number;
    readonly perSecond: number;
    readonly deviceId: string;
    readonly largeNotifyOnUdp: 'fragment' | 'separate' | 'tcp';
    readonly credentials: Readonly<Record<string, NotifyCredentials>>;
  };
  readonly userAgents: readonly UserAgentProfile[];
  readonly loopGuard: {
    readonly changes: number;
    readonly withinMs: number;
    readonly holdMs: number;
  };
  readonly defaultRings: number;
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly history: FeatureHistoryConfig;
  readonly miCompat: boolean;
  /** Changes per second through the API, for each token. */
  readonly setsPerSecond: number;
  /** Everywhere, nowhere, or for these domains and accounts (`user@domain`). */
  readonly applyToCalls: boolean | readonly string[];
  readonly calls: FeatureCalls;
}

export interface FeatureHistoryConfig {
  /** 0: history is kept for ever. */
  readonly keepMs: number;
  /** SQLite file of the history where the provider is http or module. */
  readonly file: string;
}

interface ProviderCommon {
  readonly unknownAccount: 'accept' | 'reject';
  readonly deadlineMs: number;
}

export type FeatureProviderConfig =
  | (ProviderCommon & { readonly kind: 'sqlite'; readonly file: string })
  | (ProviderCommon & {
      readonly kind: 'http';
      readonly url: string;
      /** Signing secrets, one or two during rotation. */
      readonly secrets: readonly string[];
      readonly token: string;
      readonly batch: boolean;
      readonly insecure: boolean;
      readonly tls: WebhookTls | undefined;
    })
  | (ProviderCommon & {
      readonly kind: 'module';
      readonly path: string;
      readonly isolate: boolean;
      readonly options: Readonly<Record<string, string>>;
    })
  | (ProviderCommon & {
      readonly kind: 'postgres';
      readonly url: string;
      readonly getSql: string | undefined;
      readonly setSql: string | undefined;
    });

/** PEM files for https to a webhook; certificate and key only both. */
export interface WebhookTls {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Trusted in place of the public authorities. */
  readonly ca: string | undefined;
}

export interface FeatureUser {
  readonly password: string | undefined;
  readonly ha1: string | undefined;
  readonly accounts: readonly string[];
}

export interface NotifyCredentials {
  readonly username: string;
  readonly password: string;
}

export interface UserAgentProfile {
  /** Regular expression on the User-Agent header. */
  readonly match: string;
  readonly multipart: 'mixed' | 'separate';
  readonly terminatedNotify: 'full' | 'empty' | 'none';
  readonly partHeads: 'type' | 'type-length';
  /** `undefined`: the general `notify.gap`. */
  readonly notifyGapMs: number | undefined;
  readonly successCode: 200 | 202;
  readonly deviceId: string;
}

export interface FeatureCalls {
  /** Status code or a URI to which the call goes. */
  readonly dndResponse: string;
  readonly dndTriggersBusyForward: boolean;
  readonly ringMs: number;
  readonly unreachableAsNoAnswer: boolean;
  readonly send181: boolean;
  readonly diversionHeaders: 'both' | 'diversion' | 'history-info' | 'none';
  readonly maxDiversions: number;
}
