/** What a call is and does, in words. */

const STATES = {
  setup: ['setting up', 'busy'],
  answered: ['answered', 'good'],
  ending: ['ending', 'warn'],
  ended: ['ended', 'none'],
};

/** `{ words, tone }` for a badge. */
export function stateOf({ state, end, endedAt }) {
  if (end?.code === 'caller-cancelled') return { words: 'cancelled', tone: 'none' };
  if (end !== undefined && end.sipCode >= 300)
    return { words: `failed ${end.sipCode}`, tone: 'bad' };
  const [words, tone] = STATES[endedAt === undefined ? state : 'ended'] ?? [state, 'none'];
  return { words, tone };
}

/** Whether there is anything left to end. */
export function isUp({ state, endedAt }) {
  return endedAt === undefined && state !== 'ended';
}

/** By translator: how digits come, and how they go. */
const TRANSLATORS = {
  'rtp-relay': ['RTP', 'RTP'],
  'kpml-to-2833': ['KPML', 'RTP'],
  '2833-to-kpml': ['RTP', 'KPML'],
  'kpml-relay': ['KPML', 'KPML'],
  'info-to-2833': ['INFO', 'RTP'],
  'info-to-kpml': ['INFO', 'KPML'],
  '2833-to-info': ['RTP', 'INFO'],
  'kpml-to-info': ['KPML', 'INFO'],
  'info-relay': ['INFO', 'INFO'],
};

/** How digits come and go in a direction; `undefined` where they do not cross. */
function waysOf({ translator, alsoNotify }) {
  const ways = TRANSLATORS[translator];
  return alsoNotify && ways !== undefined ? [ways[0], `${ways[1]} + KPML`] : ways;
}

/** What runs in a direction; a dash before it is decided. */
export function translatorWords(plan) {
  if (plan === undefined) return '–';
  return waysOf(plan)?.join(' → ') ?? plan.translator;
}

/** What runs in both directions, the caller on the left: `KPML ⇄ RTP`, or each by itself where they do not mirror. */
export function interworkingWords({ callerToCallee, calleeToCaller }) {
  const there = waysOf(callerToCallee);
  const back = waysOf(calleeToCaller)?.toReversed();
  if (there !== undefined && there.join() === back?.join()) return there.join(' ⇄ ');
  const thereWords = there?.join(' → ') ?? `→ ${callerToCallee.translator}`;
  const backWords = back?.join(' ← ') ?? `← ${calleeToCaller.translator}`;
  return `${thereWords}, ${backWords}`;
}

const TRANSLATIONS = {
  'rtp-relay': 'Telephone-events pass as RTP, as they come.',
  'kpml-to-2833': 'KPML reports are sent on as telephone-events.',
  '2833-to-kpml': 'Telephone-events are sent on as KPML reports to whoever has subscribed.',
  'kpml-relay': 'KPML subscriptions and reports pass from end to end.',
  'info-to-2833': 'Digits in SIP INFO are sent on as telephone-events.',
  'info-to-kpml': 'Digits in SIP INFO are sent on as KPML reports to whoever has subscribed.',
  '2833-to-info': 'Telephone-events are sent on in SIP INFO, one for each press.',
  'kpml-to-info': 'KPML reports are sent on in SIP INFO.',
  'info-relay': 'SIP INFO passes from end to end.',
  none: 'Digits do not cross: they are dropped and counted.',
};

/** A sentence on what happens to digits of a direction. */
export function translationWords({ translator, alsoNotify }) {
  const words = TRANSLATIONS[translator] ?? translator;
  return alsoNotify ? `${words} They are reported by KPML as well.` : words;
}

/** What becomes of digits while the receiving leg takes no media. */
export const HOLD_WORDS =
  'Now on hold: this side takes no media, so digits that would reach it as RTP are dropped (media-inactive).';

const SIDES = { caller: 'the caller', callee: 'the callee', sbc: 'the SBC' };

/** Who ended a call, and how. */
export function endWords({ side, sipCode, q850, code, text }) {
  const cause = q850 === undefined ? '' : `, Q.850 cause ${q850}`;
  return `by ${SIDES[side] ?? side}: ${text || code} (${sipCode}${cause})`;
}

const NAMES = { kpmlOnHairpin: 'kpmlRFC2833-iwf-on-hairpin' };

/** A parameter of a leg as the configuration file spells it. */
export function parameterName(key) {
  if (NAMES[key] !== undefined) return NAMES[key];
  const name = key
    .replace(/Seconds$/, '')
    .replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name;
}

/** A value of one; it may have been left open. */
export function parameterValue(value) {
  if (value === null) return 'packet time';
  if (typeof value === 'boolean') return value ? 'enabled' : 'disabled';
  return String(value);
}
