/** Feature keys in words. */

/** In the order in which they are shown. */
export const FEATURES = [
  ['DoNotDisturb', 'Do not disturb'],
  ['CallForwardingAlways', 'Forward all calls'],
  ['CallForwardingBusy', 'Forward when busy'],
  ['CallForwardingNoAnswer', 'Forward when unanswered'],
];

const NAMES = new Map(FEATURES);

export function featureName(feature) {
  return NAMES.get(feature) ?? feature;
}

/** `on → 2424, 3 rings`; `–` for nothing. */
export function valueWords(value) {
  if (value === undefined) return '–';
  return `${value.status ? 'on' : 'off'} ${targetWords(value)}`.trim();
}

/** `→ 2424, 3 rings`; empty where there is neither. */
export function targetWords({ forwardTo, ringCount }) {
  const rings = ringCount === undefined || ringCount === 0 ? '' : `, ${ringCount} rings`;
  return forwardTo === undefined ? rings.slice(2) : `→ ${forwardTo}${rings}`;
}

/** `user@domain`, as people write it. */
export function accountWords(account) {
  return account.replace(/^sips?:/, '');
}

/** The account's own page, where its features are changed. */
export function portalHref(account) {
  return `/features#${encodeURIComponent(accountWords(account))}`;
}
