import { describe, expect, test } from 'vitest';
import { parseDays, parseHours, timeWindow } from '../../../src/config/time-window.ts';
import { isOpen, minuteOfWeek } from '../../../src/trunk/time-of-day.ts';

const DAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

function clock(moment: string, zone: string): string {
  const minute = minuteOfWeek(Date.parse(moment), zone);
  const day = DAY_NAMES[Math.floor(minute / 1440)];
  return `${day} ${pad(Math.floor(minute / 60) % 24)}:${pad(minute % 60)}`;
}

test.each([
  ['2026-11-22T10:00:00Z', 'UTC', 'sun 10:00'],
  ['2026-11-22T23:59:59.999Z', 'UTC', 'sun 23:59'],
  ['2026-11-23T00:00:00Z', 'UTC', 'mon 00:00'],
  ['2026-11-22T23:30:00Z', 'Europe/Berlin', 'mon 00:30'],
  ['2026-11-22T14:15:00Z', 'America/New_York', 'sun 09:15'],
  ['2026-11-22T10:00:00Z', 'Asia/Kathmandu', 'sun 15:45'],
  // The hour from 02:00 to 03:00 is left out on the last Sunday of March,
  ['2026-03-29T00:59:00Z', 'Europe/Berlin', 'sun 01:59'],
  ['2026-03-29T01:00:00Z', 'Europe/Berlin', 'sun 03:00'],
  // and comes twice on the last Sunday of October.
  ['2026-10-25T00:30:00Z', 'Europe/Berlin', 'sun 02:30'],
  ['2026-10-25T01:30:00Z', 'Europe/Berlin', 'sun 02:30'],
  ['2026-10-25T02:30:00Z', 'Europe/Berlin', 'sun 03:30'],
])('%s in %s is %s', (moment, zone, expected) => {
  expect(clock(moment, zone)).toBe(expected);
});

describe('office hours in Berlin', () => {
  const days = parseDays('mon-fri') ?? [];
  const hours = parseHours('08:00-18:00') ?? { from: 0, until: 0 };
  const office = timeWindow({ days, hours }, 'Europe/Berlin', 'mon-fri 08:00-18:00');

  test.each([
    // Winter: one hour ahead of UTC.
    ['2026-11-23T06:59:59Z', false],
    ['2026-11-23T07:00:00Z', true],
    ['2026-11-23T16:59:59Z', true],
    ['2026-11-23T17:00:00Z', false],
    // Summer: two.
    ['2026-07-20T05:59:59Z', false],
    ['2026-07-20T06:00:00Z', true],
    ['2026-07-20T15:59:59Z', true],
    ['2026-07-20T16:00:00Z', false],
    ['2026-11-22T10:00:00Z', false],
  ])('open at %s: %s', (moment, expected) => {
    expect(isOpen(office, Date.parse(moment))).toBe(expected);
  });

  test('never open when the time is not known; no window at all is always open', () => {
    expect(isOpen(office, undefined)).toBe(false);
    expect(isOpen(undefined, undefined)).toBe(true);
  });
});
