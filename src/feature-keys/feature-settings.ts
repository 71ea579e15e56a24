/** What of the configuration the SIP side of the feature keys goes by, ready for use. */

import type { FeatureKeysConfig, NotifyCredentials } from '../config/feature-keys-config.ts';
import { allowEvents } from '../sip/stray-requests.ts';
import { TrustedNetworks } from './identity.ts';
import { PhoneProfiles } from './phone-profile.ts';
import { DomainTable } from './presentity.ts';
import { FEATURE_PACKAGE, type LadderContext } from './subscribe-ladder.ts';

export interface FeatureSettings {
  readonly domains: DomainTable;
  readonly trusted: TrustedNetworks;
  readonly profiles: PhoneProfiles;
  readonly ladder: Pick<LadderContext, 'domains' | 'expires' | 'perAccount' | 'allowEvents'>;
  readonly isAuthenticated: boolean;
  readonly defaultRings: number;
  /** `device` where neither phone nor profile has one; empty: the account's user. */
  readonly deviceId: string;
  readonly largeNotifyOnUdp: FeatureKeysConfig['notify']['largeNotifyOnUdp'];
  /** By digest realm. */
  readonly credentials: ReadonlyMap<string, NotifyCredentials>;
}

export function settingsOf(config: FeatureKeysConfig): FeatureSettings {
  const domains = new DomainTable(config.domains);
  const { expiresDefaultMs, expiresMinMs, expiresMaxMs, perAccount } = config.subscriptions;
  const expires = {
    defaultSeconds: Math.floor(expiresDefaultMs / 1000),
    minSeconds: Math.ceil(expiresMinMs / 1000),
    maxSeconds: Math.floor(expiresMaxMs / 1000),
  };
  return {
    domains,
    trusted: new TrustedNetworks(config.trustedNetworks),
    profiles: new PhoneProfiles(config),
    ladder: { domains, expires, perAccount, allowEvents: allowEvents([FEATURE_PACKAGE]) },
    isAuthenticated: config.authentication === 'digest',
    defaultRings: config.defaultRings,
    deviceId: config.notify.deviceId,
    largeNotifyOnUdp: config.notify.largeNotifyOnUdp,
    credentials: new Map(Object.entries(config.notify.credentials)),
  };
}
