/** max-sessions and its kin -> `constraints`; session-timer-profile -> session timer of a leg. */
import type { ElementReader } from './acme-reader.ts';
import type { YamlEntry } from './acme-yaml.ts';

const COUNTS = [
  'max-sessions',
  'max-inbound-sessions',
  'max-outbound-sessions',
  'max-burst-rate',
  'max-inbound-burst-rate',
  'max-outbound-burst-rate',
  'max-sustain-rate',
  'max-inbound-sustain-rate',
  'max-outbound-sustain-rate',
];
const WINDOWS = ['burst-rate-window', 'sustain-rate-window'];
const MAX_COUNT = 1_000_000;
const MAX_WINDOW_SECONDS = 600;
const DAY_SECONDS = 86_400;

/**
 * The limits that `reader` sets. `isInForce`: an agent says so by its parameter `constraints`; `undefined` where that is
 * not written.
 */
export function constraintEntries(
  reader: ElementReader,
  isInForce: boolean | undefined,
): readonly YamlEntry[] {
  const entries: YamlEntry[] = [];
  for (const name of COUNTS) {
    const count = reader.number(name);
    if (count === undefined || count === 0) continue;
    if (isInForce === false) reader.ignore(name, 'not in force: `constraints` is disabled');
    else if (count > MAX_COUNT) reader.lose(name, `more than ${MAX_COUNT}`, 'leave it unlimited');
    else {
      const doubt = '`constraints` is not written, which leaves limits without force there';
      reader.carry(name, isInForce === undefined ? doubt : undefined);
      entries.push({ key: name, value: count });
    }
  }
  for (const name of WINDOWS) {
    const seconds = reader.number(name);
    if (seconds === undefined || seconds === 0) continue;
    if (entries.length === 0) reader.ignore(name, 'without a rate it has no effect');
    else if (seconds > MAX_WINDOW_SECONDS) reader.lose(name, `longer than ${MAX_WINDOW_SECONDS} s`);
    else {
      reader.carry(name);
      entries.push({ key: name, value: `${seconds}s` });
    }
  }
  return entries.length === 0 ? [] : [{ key: 'constraints', value: entries }];
}

export function readConstraints(reader: ElementReader): readonly YamlEntry[] {
  const isOff = reader.text('state') === 'disabled';
  const entries = isOff ? [] : constraintEntries(reader, true);
  reader.carry('name', 'the limits stand where they are used');
  if (isOff) reader.loseWhole('is disabled', 'add the limits when they are to count');
  else reader.finish();
  return entries;
}

export function readSessionTimer(reader: ElementReader): readonly YamlEntry[] {
  const entries: YamlEntry[] = [];
  for (const name of ['session-expires', 'min-se']) {
    const seconds = reader.number(name);
    if (seconds === undefined || seconds === 0) continue;
    if (seconds > DAY_SECONDS) reader.lose(name, 'longer than a day');
    else {
      reader.carry(name);
      entries.push({ key: name, value: seconds });
    }
  }
  if (reader.text('force-reinvite') === 'enabled') {
    reader.carry(
      'force-reinvite',
      'as session-timer: force, which refreshes also where the peer knows no timers',
    );
    entries.unshift({ key: 'session-timer', value: 'force' });
  }
  reader.carry('name', 'the timers stand where they are used');
  reader.finish();
  return entries;
}
