/**
 * Hours of the week in a time zone, such as `mon-fri 08:00-18:00 Europe/Berlin`.
 *
 *   days   mon | mon-fri | sat,sun | fri-mon        unset: every day
 *   hours  08:00-18:00 | 22:00-06:00 | 00:00-24:00  unset: the whole day; over midnight they belong to the day they begin on
 *
 * The wall clock of the zone counts: an hour that is left out in spring never comes, one that is repeated in autumn counts
 * twice.
 */

/** Minutes since Monday 00:00 on the wall clock of `zone`; no interval crosses the end of the week. */
export interface TimeWindow {
  readonly intervals: readonly MinuteInterval[];
  /** IANA name. */
  readonly zone: string;
  /** As written, for people. */
  readonly text: string;
}

export interface MinuteInterval {
  readonly from: number;
  /** The first minute that is not in it. */
  readonly until: number;
}

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const MINUTES_PER_DAY = 1440;
export const MINUTES_PER_WEEK = MINUTES_PER_DAY * DAYS.length;

/** Days of the week by number, Monday 0, in the order of the week; `undefined` when the text names none. */
export function parseDays(text: string): readonly number[] | undefined {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const [first = -1, last = first, ...rest] = part.split('-').map(dayNumber);
    if (first < 0 || last < 0 || rest.length > 0) return undefined;
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      found.add(day);
      if (day === last) break;
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

function dayNumber(text: string): number {
  return DAYS.findIndex((day) => day === text.trim());
}

/** Minutes of the day; `until` is smaller than `from` where the hours go over midnight. */
export function parseHours(text: string): MinuteInterval | undefined {
  const match = /^(\d\d):(\d\d) *- *(\d\d):(\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, fromHour, fromMinute, untilHour, untilMinute] = match.map(Number);
  const from = minuteOfDay(fromHour, fromMinute);
  const until = minuteOfDay(untilHour, untilMinute);
  if (from === undefined || until === undefined) return undefined;
  return from === until || from === MINUTES_PER_DAY ? undefined : { from, until };
}

function minuteOfDay(hour = 0, minute = 0): number | undefined {
  const total = hour * 60 + minute;
  return minute > 59 || total > MINUTES_PER_DAY ? undefined : total;
}

export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

/** The window of `days` and `hours`, each as parsed. */
export function timeWindow(
  { days, hours }: { readonly days: readonly number[]; readonly hours: MinuteInterval },
  zone: string,
  text: string,
): TimeWindow {
  const intervals = days.flatMap((day): MinuteInterval[] => {
    const start = day * MINUTES_PER_DAY;
    const from = start + hours.from;
    const nextDay = hours.until < hours.from ? MINUTES_PER_DAY : 0;
    const until = start + hours.until + nextDay;
    if (until <= MINUTES_PER_WEEK) return [{ from, until }];
    return [
      { from, until: MINUTES_PER_WEEK },
      { from: 0, until: until - MINUTES_PER_WEEK },
    ];
  });
  return { intervals, zone, text };
}

/** Whether a minute of the week is in the window. */
export function isInWindow({ intervals }: TimeWindow, minute: number): boolean {
  return intervals.some(({ from, until }) => minute >= from && minute < until);
}

/** Whether two windows of one zone have a minute in common; of windows in different zones nothing is said. */
export function isOverlap(one: TimeWindow, other: TimeWindow): boolean {
  if (one.zone !== other.zone) return false;
  return one.intervals.some((a) =>
    other.intervals.some((b) => a.from < b.until && b.from < a.until),
  );
}

/** Whether windows of one zone fill the week together. */
export function isWholeWeek(windows: readonly TimeWindow[]): boolean {
  const zones = new Set(windows.map(({ zone }) => zone));
  return [...zones].some((zone) => {
    const intervals = windows
      .filter((window) => window.zone === zone)
      .flatMap((window) => window.intervals)
      .toSorted((a, b) => a.from - b.from);
    let filled = 0;
    for (const { from, until } of intervals) {
      if (from > filled) return false;
      filled = Math.max(filled, until);
    }
    return filled >= MINUTES_PER_WEEK;
  });
}
