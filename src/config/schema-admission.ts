/** Schema of what is taken on: health checks, constraints and the guard against overload. */
import * as z from 'zod';
import type { AdmissionConfig, Constraints, OptionsPing, OverloadConfig } from './config.ts';
import { duration, integer } from './values.ts';

const SESSIONS = { minimum: 0, maximum: 1_000_000 };
const RATE = { minimum: 0, maximum: 1_000_000 };
const RATE_WINDOW = { minimumMs: 100, maximumMs: 600_000 };
/** Share of the interval: the verdict on one OPTIONS comes before the next is sent, jitter included. */
const LONGEST_WAIT = 0.8;
const PERCENT = { minimum: 0, maximum: 100 };

/** A list of final SIP status codes. */
export function codes(one: string, all: string) {
  return z.array(integer({ minimum: 300, maximum: 699 }, one)).meta({ description: all });
}

export const optionsPing = z
  .strictObject({
    interval: duration(
      { minimumMs: 100, maximumMs: 86_400_000 },
      'Time between two OPTIONS requests, give or take a tenth.',
    ).prefault('30s'),
    timeout: duration(
      { minimumMs: 50, maximumMs: 32_000 },
      'How long an answer is waited for, at most four fifths of the interval.',
    ).prefault('4s'),
    'down-after': integer(
      { minimum: 1, maximum: 100 },
      'Failures in a row, of OPTIONS or calls, that take the agent out.',
    ).prefault('3'),
    'up-after': integer(
      { minimum: 1, maximum: 100 },
      'Answers to OPTIONS in a row that bring it back.',
    ).prefault('2'),
  })
  .transform((raw): OptionsPing => ({
    intervalMs: raw.interval,
    timeoutMs: Math.min(raw.timeout, Math.floor(raw.interval * LONGEST_WAIT)),
    downAfter: raw['down-after'],
    upAfter: raw['up-after'],
  }));

const limits = {
  'max-sessions': integer(SESSIONS, 'Calls at a time, both directions; 0 is unlimited.').prefault(
    '0',
  ),
  'max-burst-rate': integer(
    RATE,
    'New calls per second, on the average of burst-rate-window; 0 is unlimited.',
  ).prefault('0'),
  'burst-rate-window': duration(RATE_WINDOW, 'Over how long a burst is measured.').prefault('1s'),
  'max-sustain-rate': integer(
    RATE,
    'New calls per second, on the average of sustain-rate-window; 0 is unlimited.',
  ).prefault('0'),
  'sustain-rate-window': duration(
    RATE_WINDOW,
    'Over how long the sustained rate is measured.',
  ).prefault('30s'),
};

type RawLimits = z.output<z.ZodObject<typeof limits>>;

function buildLimits(
  raw: RawLimits,
): Omit<Constraints, 'maxInboundSessions' | 'maxOutboundSessions'> {
  return {
    maxSessions: raw['max-sessions'],
    maxBurstRate: raw['max-burst-rate'],
    burstRateWindowMs: raw['burst-rate-window'],
    maxSustainRate: raw['max-sustain-rate'],
    sustainRateWindowMs: raw['sustain-rate-window'],
  };
}

export const constraints = z
  .strictObject({
    ...limits,
    'max-inbound-sessions': integer(
      SESSIONS,
      'Calls at a time that came from there; 0 is unlimited.',
    ).prefault('0'),
    'max-outbound-sessions': integer(
      SESSIONS,
      'Calls at a time that went there; 0 is unlimited.',
    ).prefault('0'),
  })
  .transform((raw): Constraints => ({
    ...buildLimits(raw),
    maxInboundSessions: raw['max-inbound-sessions'],
    maxOutboundSessions: raw['max-outbound-sessions'],
  }));

const totalConstraints = z.strictObject(limits).transform((raw): Constraints => ({
  ...buildLimits(raw),
  maxInboundSessions: 0,
  maxOutboundSessions: 0,
}));

const LAG = { minimumMs: 0, maximumMs: 60_000 };

const overload = z
  .strictObject({
    'lag-high': duration(
      LAG,
      'Lateness of the event loop, 99th percentile, from which on new calls are refused; 0: never.',
    ).prefault('250ms'),
    'lag-low': duration(LAG, 'Lateness below which they are taken again.').prefault('100ms'),
    'cpu-high': integer(
      { ...PERCENT, unit: '%' },
      'Share of all processor cores used by this process from which on new calls are refused; 0: never.',
    ).prefault('95'),
    'cpu-low': integer(
      { ...PERCENT, unit: '%' },
      'Share below which they are taken again.',
    ).prefault('85'),
    hold: duration(
      { minimumMs: 0, maximumMs: 60_000 },
      'How long a measure must be high, or all of them low, before anything changes.',
    ).prefault('2s'),
  })
  .transform((raw): OverloadConfig => ({
    lag: { highMs: raw['lag-high'], lowMs: raw['lag-low'] },
    cpu: { highPercent: raw['cpu-high'], lowPercent: raw['cpu-low'] },
    holdMs: raw.hold,
  }));

export const admission = z
  .strictObject({
    constraints: totalConstraints
      .meta({ description: 'Limits of all calls together; a call counts once.' })
      .prefault({}),
    overload: overload
      .meta({ description: 'When the machine is too busy for new calls: 503 with Retry-After.' })
      .prefault({}),
  })
  .transform((raw): AdmissionConfig => raw);
