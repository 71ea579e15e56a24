/** Documents of the as-feature-event package: the subset of ECMA-323 that Device Feature Key Synchronization uses. */

/** In the order of a full body. */
export const FEATURES = [
  'DoNotDisturb',
  'CallForwardingAlways',
  'CallForwardingBusy',
  'CallForwardingNoAnswer',
] as const;

export type Feature = (typeof FEATURES)[number];

/** One document of a SUBSCRIBE. */
export interface FeatureSet {
  readonly feature: Feature;
  readonly status: boolean;
  /** Absent: the element was empty or missing, the stored number stays. */
  readonly forwardTo?: string;
  /** As it was sent, trimmed; whoever applies it judges it. Absent: empty, missing, or not a CallForwardingNoAnswer. */
  readonly ringCount?: string;
  /** Remembered for the NOTIFYs of the same dialog. */
  readonly device?: string;
}

export type FeatureProblem =
  | 'malformed'
  | 'doctype'
  | 'encoding'
  | 'limits'
  | 'unknown-document'
  | 'unknown-type'
  | 'missing-element'
  | 'bad-value'
  | 'namespace'
  | 'content-type';

export type FeatureSetResult =
  | { readonly type: 'sets'; readonly sets: readonly FeatureSet[] }
  | {
      readonly type: 'refused';
      readonly status: 400 | 413 | 415;
      readonly code: FeatureProblem;
      /** With line and column where there is one, never a copy of the body. */
      readonly text: string;
    };

/** One document of a NOTIFY. */
export interface FeatureReport {
  readonly feature: Feature;
  readonly status: boolean;
  readonly forwardTo?: string;
  /** For CallForwardingNoAnswer alone. */
  readonly ringCount?: number;
}

/** A body and its Content-Type. */
export interface FeatureBody {
  readonly contentType: string;
  readonly body: string;
}
