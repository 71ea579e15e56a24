/**
 * What becomes of as-feature-event on each sip-interface.
 *
 *   feature-keys.enabled: false        off, whatever else is said
 *   else feature-keys-mode             of the interface, unless it says inherit
 *   else feature-keys.mode
 */
import type { Config, SipInterface } from './config.ts';
import type { Setting } from './effective.ts';

export type FeatureKeysMode = 'off' | 'serve' | 'pass';

/** The mode in force on an interface, with the place it comes from. */
export function featureKeysMode(
  { featureKeys }: Pick<Config, 'featureKeys'>,
  { name, featureKeysMode: own }: Pick<SipInterface, 'name' | 'featureKeysMode'>,
): Setting<FeatureKeysMode> {
  const { enabled, mode } = featureKeys;
  if (!enabled) return { value: 'off', origin: 'feature-keys' };
  return own === undefined
    ? { value: mode, origin: 'feature-keys' }
    : { value: own, origin: `sip-interface ${name}` };
}

/** `off` as well where there is no such interface. */
export function featureKeysModeAt(
  config: Pick<Config, 'featureKeys' | 'sipInterfaces'>,
  interfaceName: string,
): FeatureKeysMode {
  const sipInterface = config.sipInterfaces.find(({ name }) => name === interfaceName);
  return sipInterface === undefined ? 'off' : featureKeysMode(config, sipInterface).value;
}

/** The interfaces whose phones have their feature keys here. */
export function servingInterfaces(
  config: Pick<Config, 'featureKeys' | 'sipInterfaces'>,
): readonly SipInterface[] {
  return config.sipInterfaces.filter((each) => featureKeysMode(config, each).value === 'serve');
}

/** Whether feature state is kept here at all. */
export function servesFeatureKeys(config: Pick<Config, 'featureKeys' | 'sipInterfaces'>): boolean {
  return servingInterfaces(config).length > 0;
}
