import type { Config, SipInterface } from '../../config/config.ts';
import { featureKeysMode } from '../../config/feature-keys-mode.ts';
import { readUri } from '../../trunk/hop-uri.ts';
import { readAllowEvents } from '../../wire/allow-events.ts';
import type { SipMessage } from '../../wire/sip-message.ts';

const FEATURE_PACKAGE = 'as-feature-event';

/**
 * Allow-Events of the answer to a REGISTER whose account has its feature keys here: phones look for the package there.
 *
 * @param aor address of record as the phone names it.
 * @param sipInterface where the REGISTER came in.
 */
export function featureEvents(
  answer: SipMessage,
  aor: string,
  config: Pick<Config, 'featureKeys'>,
  sipInterface: Pick<SipInterface, 'name' | 'featureKeysMode'>,
): { readonly 'Allow-Events'?: string } {
  const host = readUri(aor)?.host;
  const { value: mode } = featureKeysMode(config, sipInterface);
  if (mode !== 'serve' || host === undefined) return {};
  const isOwn = Object.entries(config.featureKeys.domains).some(([domain, names]) =>
    [domain, ...names].some((name) => name.toLowerCase() === host),
  );
  const tokens = readAllowEvents(answer);
  if (!isOwn || tokens.includes(FEATURE_PACKAGE)) return {};
  return { 'Allow-Events': [...tokens, FEATURE_PACKAGE].join(', ') };
}
