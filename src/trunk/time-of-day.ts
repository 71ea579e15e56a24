/** Whether a moment is in a window of the week, by the wall clock of the window's zone. */
import { DAYS, isInWindow, type TimeWindow } from '../config/time-window.ts';

/** `atMs` since the epoch; without a moment no window is open. */
export function isOpen(window: TimeWindow | undefined, atMs: number | undefined): boolean {
  if (window === undefined) return true;
  if (atMs === undefined) return false;
  return isInWindow(window, minuteOfWeek(atMs, window.zone));
}

/** Minutes since Monday 00:00 on the wall clock of `zone`. */
export function minuteOfWeek(atMs: number, zone: string): number {
  const parts = clockOf(zone).formatToParts(atMs);
  const textOf = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((part) => part.type === type)?.value ?? '';
  const weekday = textOf('weekday').toLowerCase();
  const day = DAYS.findIndex((name) => name === weekday);
  return (day * 24 + Number(textOf('hour'))) * 60 + Number(textOf('minute'));
}

/** Clocks cost a hundred times what they tell; there are as many as the configuration names zones. */
const CLOCKS = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = CLOCKS.get(zone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  CLOCKS.set(zone, clock);
  return clock;
}
