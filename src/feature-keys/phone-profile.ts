/** What a phone is sent on account of its User-Agent and Accept. */

import type { FeatureKeysConfig, UserAgentProfile } from '../config/feature-keys-config.ts';
import { matchPattern, type Program, readPattern } from '../config/linear-pattern.ts';
import { isAcceptable } from '../wire/event-headers.ts';

/** The manner in which one phone is served. */
export interface PhoneProfile {
  readonly isSeparate: boolean;
  readonly terminatedNotify: UserAgentProfile['terminatedNotify'];
  readonly partHeads: UserAgentProfile['partHeads'];
  readonly gapMs: number;
  readonly successCode: 200 | 202;
  /** Fixed `device` value; empty: what the phone sent. */
  readonly deviceId: string;
}

/** User agents name themselves in far less; the rest is not looked at. */
const MAX_AGENT_LENGTH = 256;
/** No phone lists more; the rest is not looked at. */
const MAX_ACCEPT_LENGTH = 2048;
/** Steps of one choice; a list of usual expressions needs a few hundred. */
const BUDGET_STEPS = 50_000;

/** The profiles of a configuration, ready for use. */
export class PhoneProfiles {
  readonly #profiles: readonly { readonly program: Program; readonly profile: PhoneProfile }[];
  readonly #standard: PhoneProfile;

  constructor({ userAgents, notify }: Pick<FeatureKeysConfig, 'userAgents' | 'notify'>) {
    this.#standard = {
      isSeparate: false,
      terminatedNotify: 'full',
      partHeads: 'type',
      gapMs: notify.gapMs,
      successCode: 200,
      deviceId: '',
    };
    this.#profiles = userAgents.flatMap((each) => {
      const program = readPattern(each.match);
      return 'problem' in program ? [] : [{ program, profile: this.#profileOf(each) }];
    });
  }

  /** The first profile that matches `userAgent`. */
  of(userAgent: string): PhoneProfile {
    const text = userAgent.slice(0, MAX_AGENT_LENGTH);
    const budget = { steps: BUDGET_STEPS };
    const found = this.#profiles.find(({ program }) => {
      return typeof matchPattern(program, text, budget) === 'object';
    });
    return found?.profile ?? this.#standard;
  }

  #profileOf(profile: UserAgentProfile): PhoneProfile {
    return {
      isSeparate: profile.multipart === 'separate',
      terminatedNotify: profile.terminatedNotify,
      partHeads: profile.partHeads,
      gapMs: profile.notifyGapMs ?? this.#standard.gapMs,
      successCode: profile.successCode,
      deviceId: profile.deviceId,
    };
  }
}

/**
 * Whether a phone with this Accept is served: it names the package, or multipart, which phones that are sent it need
 * not name.
 */
export function isServed(accept: string | undefined): boolean {
  const ranges = accept?.slice(0, MAX_ACCEPT_LENGTH);
  return (
    isAcceptable(ranges, 'application/x-as-feature-event+xml') ||
    isAcceptable(ranges, 'multipart/mixed')
  );
}
