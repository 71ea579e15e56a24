/** What the routes about feature keys show and do: the service itself, and its subscriptions as plain data. */
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { FeatureEvent, FeatureService } from '../feature-keys/feature-service.ts';

/** The feature keys of a running SBC that serves them. */
export interface FeatureBackend {
  readonly service: FeatureService;
  /** As it is in force now; a reload replaces it. */
  readonly config: FeatureKeysConfig;
  /** Of one account, or of all. */
  listSubscriptions(presentity?: string): readonly FeatureSubscriptionView[];
}

/** Hears of every change; outlives a reload that switches the feature keys off and on. Gives what ends it. */
export type FeatureEventSource = (listener: (event: FeatureEvent) => void) => () => void;

/** A dialog of a phone. */
export interface FeatureSubscriptionView {
  readonly event: 'as-feature-event';
  /** `sip:user@domain`. */
  readonly account: string;
  /** Stays the same while the subscription lasts. */
  readonly id: string;
  readonly callId: string;
  readonly userAgent: string;
  /** `address:port`. */
  readonly remote: string;
  readonly transport: string;
  readonly expiresInSeconds: number;
  /** Absent until the first NOTIFY was sent. */
  readonly lastNotify?: FeatureNotifyView;
  /** What it still has to be told: names of features, or `full`. */
  readonly due: readonly string[];
}

export interface FeatureNotifyView {
  /** RFC 3339. */
  readonly at: string;
  /** Absent while there is no answer. */
  readonly status?: number;
}
