/** Everything the page says that depends on data. */

export const FEATURES = {
  DoNotDisturb: {
    name: 'Do not disturb',
    about: 'Your phone does not ring; callers hear that you are busy.',
    icon: 'bell',
  },
  CallForwardingAlways: {
    name: 'Forward all calls',
    about: 'Every call goes to another number at once.',
    icon: 'all',
  },
  CallForwardingBusy: {
    name: 'Forward when busy',
    about: 'Calls go to another number while you are on the phone.',
    icon: 'busy',
  },
  CallForwardingNoAnswer: {
    name: 'Forward when unanswered',
    about: 'Calls go to another number when you do not pick up in time.',
    icon: 'unanswered',
  },
};

const REFUSALS = {
  locked: 'Not changed: this feature is locked by the administrator.',
  unassigned: 'Not changed: this account does not have the feature.',
  'no-target': 'Enter the number that calls shall go to first.',
  'target-forbidden': 'Not saved: calls may not be forwarded to this number.',
  'target-self': 'Not saved: calls cannot be forwarded to this account itself.',
  'ring-count': 'Not changed: choose 0 or 2 to 20 rings.',
  'loop-guard': 'Not changed: this feature was switched too often just now. Try again in a moment.',
  provider: 'Not changed: the telephone system refuses it',
};

export const TARGET_LEFT_OUT =
  'Switched off. Number not saved: calls may not be forwarded to this number.';

const SHORT_REFUSALS = {
  locked: 'locked by the administrator',
  unassigned: 'the account does not have it',
  'no-target': 'no number',
  'target-forbidden': 'number not allowed',
  'target-self': 'the account itself',
  'ring-count': 'number of rings',
  'loop-guard': 'switched too often',
};

/** What became of a change that was not made, as the history shows it. */
export function refusalText({ outcome, reason, new: asked }) {
  const word = outcome === 'refused' ? 'Refused' : 'Failed';
  const what = asked === undefined ? word : `${word}: ${valueText(asked)}`;
  if (reason === undefined) return what;
  return `${what}${asked === undefined ? ': ' : ', '}${SHORT_REFUSALS[reason] ?? reason}`;
}

const SOURCES = {
  phone: { name: 'a phone', icon: 'phone' },
  portal: { name: 'this page', icon: 'globe' },
  api: { name: 'a program', icon: 'server' },
  cli: { name: 'the command line', icon: 'terminal' },
  provider: { name: 'the telephone system', icon: 'server' },
  call: { name: 'a call', icon: 'phone' },
};

export function sourceOf(name) {
  return SOURCES[name] ?? { name, icon: 'server' };
}

/** Why a change was not made; `undefined` when it was. */
export function problemOf({ status, data }, isTargetTyped) {
  if (status === 200 || status === 204) return undefined;
  if (status === 409) {
    const text = REFUSALS[data.code] ?? `Not changed: ${data.reason ?? 'it was refused'}`;
    return data.code === 'provider' && data.reason ? `${text}: ${data.reason}` : text;
  }
  if (status === 412) {
    return isTargetTyped
      ? 'Somebody else changed this meanwhile. Check it, then save again.'
      : 'Somebody else changed this at the same moment. This is the newest value.';
  }
  if (status === 0) return 'Not changed: the server cannot be reached. Try again.';
  if (status === 429) return 'Not changed: too many changes at once. Wait a moment.';
  if (status === 503) return `Not changed: ${data.message}. Try again in a moment.`;
  return `Not changed: ${data.message ?? `the server answered ${status}`}.`;
}

/** Why nothing of an account is shown. */
export function absenceText({ status, data }, isAdministrator) {
  if (data.error === 'not-served') {
    return 'Feature keys are not served at the moment. This page goes on when they are.';
  }
  if (status === 404) {
    return isAdministrator ? 'There is no such account.' : 'This account is not yours.';
  }
  const text = status === 0 ? 'the server cannot be reached' : (data.message ?? status);
  return `This account cannot be shown: ${text}. Trying again.`;
}

/** How a feature stands, as the history shows it. */
export function valueText(value) {
  if (value === undefined) return '–';
  const target = value.forwardTo === undefined ? '' : ` · ${value.forwardTo}`;
  const rings = value.ringCount === undefined ? '' : ` · ${ringsText(value.ringCount)}`;
  return `${value.status ? 'On' : 'Off'}${target}${rings}`;
}

function ringsText(count) {
  return `${count} rings`;
}

export function ringChoice(count, ringSeconds) {
  if (count === 0) return 'Does not ring, forwards at once';
  return `${count} rings (about ${Math.round(count * ringSeconds)} s)`;
}

/** What somebody elsewhere has just done, for screen readers. */
export function changeText(feature, { status, forwardTo }, source) {
  const target = status && forwardTo !== undefined ? ` to ${forwardTo}` : '';
  return `${FEATURES[feature].name} is now ${status ? 'on' : 'off'}${target}, changed by ${sourceOf(source).name}.`;
}

/** What a caller meets, in one sentence. */
export function summary(features) {
  const on = (name) => features.find(({ feature, status }) => feature === name && status);
  const always = on('CallForwardingAlways');
  if (always) return `All calls go to ${always.forwardTo}.`;
  const busy = on('CallForwardingBusy');
  if (on('DoNotDisturb')) {
    return busy
      ? `Do not disturb is on. Busy calls go to ${busy.forwardTo}.`
      : 'Do not disturb is on. Your phone does not ring.';
  }
  const unanswered = on('CallForwardingNoAnswer');
  const parts = ['Your phone rings.'];
  if (busy) parts.push(`When busy: ${busy.forwardTo}.`);
  if (unanswered) parts.push(`When unanswered: ${unanswered.forwardTo}.`);
  return parts.join(' ');
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** `Today, 14:05`, or with its date; inside a sentence in small letters. */
export function timeText(at, isInside = false) {
  const date = new Date(at);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  const isOn = (day) => date.toDateString() === day.toDateString();
  const day = isOn(today) ? 'Today' : isOn(yesterday) ? 'Yesterday' : DAY.format(date);
  return `${isInside ? day.replace(/^[TY]/, (first) => first.toLowerCase()) : day}, ${TIME.format(date)}`;
}

export function durationText(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
