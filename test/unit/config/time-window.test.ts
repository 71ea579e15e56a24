import { expect, test } from 'vitest';
import {
  isInWindow,
  isOverlap,
  isTimeZone,
  isWholeWeek,
  parseDays,
  parseHours,
  timeWindow,
  type TimeWindow,
} from '../../../src/config/time-window.ts';

function windowOf(days: string, hours: string, zone = 'UTC'): TimeWindow {
  const parsed = { days: parseDays(days), hours: parseHours(hours) };
  if (parsed.days === undefined || parsed.hours === undefined) throw new Error(`${days} ${hours}`);
  return timeWindow({ days: parsed.days, hours: parsed.hours }, zone, `${days} ${hours}`);
}

/** `mon-fri 08:00-18:00` */
function readWindow(text: string): TimeWindow {
  const [days = '', hours = ''] = text.split(' ');
  return windowOf(days, hours);
}

const DAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `tue 08:30` as minute of the week. */
function minute(text: string): number {
  const [day = '', hour, minutes] = text.split(/[ :]/);
  return (DAY_NAMES.indexOf(day) * 24 + Number(hour)) * 60 + Number(minutes);
}

test.each([
  ['mon', [0]],
  ['mon-fri', [0, 1, 2, 3, 4]],
  ['sat,sun', [5, 6]],
  ['Fri-Mon', [0, 4, 5, 6]],
  ['mon-sun', [0, 1, 2, 3, 4, 5, 6]],
  ['mon, wed-thu', [0, 2, 3]],
  ['', undefined],
  ['mo', undefined],
  ['mon-', undefined],
  ['mon-tue-wed', undefined],
  ['monday', undefined],
])('days %j are %j', (text, expected) => {
  expect(parseDays(text)).toEqual(expected);
});

test.each([
  ['08:00-18:00', { from: 480, until: 1080 }],
  ['22:00 - 06:00', { from: 1320, until: 360 }],
  ['00:00-24:00', { from: 0, until: 1440 }],
  ['22:00-00:00', { from: 1320, until: 0 }],
  ['08:00-08:00', undefined],
  ['24:00-06:00', undefined],
  ['8:00-18:00', undefined],
  ['08:60-18:00', undefined],
  ['08:00-24:01', undefined],
  ['08:00', undefined],
])('hours %j are %j', (text, expected) => {
  expect(parseHours(text)).toEqual(expected);
});

test.each([
  ['mon-fri', '08:00-18:00', 'mon 08:00', true],
  ['mon-fri', '08:00-18:00', 'fri 17:59', true],
  ['mon-fri', '08:00-18:00', 'mon 07:59', false],
  ['mon-fri', '08:00-18:00', 'fri 18:00', false],
  ['mon-fri', '08:00-18:00', 'sat 12:00', false],
  ['fri', '22:00-06:00', 'fri 22:00', true],
  ['fri', '22:00-06:00', 'sat 05:59', true],
  ['fri', '22:00-06:00', 'fri 05:59', false],
  ['fri', '22:00-06:00', 'sat 06:00', false],
  ['sun', '22:00-06:00', 'mon 00:00', true],
  ['sun', '22:00-06:00', 'sun 23:59', true],
  ['sun', '22:00-06:00', 'sun 00:00', false],
  ['sun', '00:00-24:00', 'sun 23:59', true],
  ['sun', '00:00-24:00', 'mon 00:00', false],
  ['sat', '22:00-00:00', 'sat 23:59', true],
  ['sat', '22:00-00:00', 'sun 00:00', false],
])('%s %s at %s: %s', (days, hours, at, expected) => {
  expect(isInWindow(windowOf(days, hours), minute(at))).toBe(expected);
});

test.each([
  ['mon-fri 08:00-18:00', 'fri 17:00-19:00', true],
  ['mon-fri 08:00-18:00', 'mon-fri 18:00-08:00', false],
  ['sun 22:00-06:00', 'mon 05:00-07:00', true],
  ['sat 22:00-06:00', 'mon 05:00-07:00', false],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect(isOverlap(readWindow(one), readWindow(other))).toBe(expected);
  expect(isOverlap(readWindow(other), readWindow(one))).toBe(expected);
});

test('nothing is said of windows in different zones', () => {
  const [one, other] = [
    windowOf('mon', '08:00-09:00'),
    windowOf('mon', '08:00-09:00', 'Asia/Tokyo'),
  ];
  expect(isOverlap(one, other)).toBe(false);
  expect(
    isWholeWeek([
      windowOf('mon-fri', '00:00-24:00'),
      windowOf('sat-sun', '00:00-24:00', 'Asia/Tokyo'),
    ]),
  ).toBe(false);
});

test.each([
  [['mon-sun 00:00-24:00'], true],
  [['mon-fri 00:00-24:00', 'sat-sun 00:00-24:00'], true],
  [['mon-sun 08:00-18:00', 'mon-sun 18:00-08:00'], true],
  [['mon-sun 08:00-18:00', 'mon-sun 18:01-08:00'], false],
  [['mon-fri 00:00-24:00'], false],
  [[], false],
])('%j fill the week: %s', (texts, expected) => {
  expect(isWholeWeek(texts.map(readWindow))).toBe(expected);
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Europe/Atlantis', false],
  ['', false],
])('time zone %j: %s', (zone, expected) => {
  expect(isTimeZone(zone)).toBe(expected);
});
