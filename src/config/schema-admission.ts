/** Schema of what is taken on: health checks, constraints and the guard against overload. */
import * as z from 'zod';
import type { AdmissionConfig, Constraints, OptionsPing, OverloadConfig } from './config.ts';
import { duration, integer, type Scalar } from './values.ts';

const SESSIONS = { minimum: 0, maximum: 1_000_000 };
const RATE = { minimum: 0, maximum: 1_000_000 };
const RATE_WINDOW = { minimumMs: 100, maximumMs: 600_000 };
const USUAL_TIMEOUT_MS = 4000;
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
    // The default may be longer: nobody has asked for it.
    ...(raw.timeout > raw.interval && raw.timeout !== USUAL_TIMEOUT_MS
      ? { shortenedFromMs: raw.timeout }
      : {}),
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
): Pick<
  Constraints,
  'maxSessions' | 'maxBurstRate' | 'burstRateWindowMs' | 'maxSustainRate' | 'sustainRateWindowMs'
> {
  return {
    maxSessions: raw['max-sessions'],
    maxBurstRate: raw['max-burst-rate'],
    burstRateWindowMs: raw['burst-rate-window'],
    maxSustainRate: raw['max-sustain-rate'],
    sustainRateWindowMs: raw['sustain-rate-window'],
  };
}

function directionRate(window: string, which: string): Scalar<number> {
  return integer(
    RATE,
    `New calls per second that ${which}, on the average of ${window}; 0 is unlimited.`,
  );
}

/** Rates of one direction; `from` and `to` say which calls these are. */
function directionRates(from: string, to: string) {
  const [burst, sustain] = ['burst-rate-window', 'sustain-rate-window'];
  return {
    'max-inbound-burst-rate': directionRate(burst, from).prefault('0'),
    'max-outbound-burst-rate': directionRate(burst, to).prefault('0'),
    'max-inbound-sustain-rate': directionRate(sustain, from).prefault('0'),
    'max-outbound-sustain-rate': directionRate(sustain, to).prefault('0'),
  };
}

type RawRates = z.output<z.ZodObject<ReturnType<typeof directionRates>>>;

function buildRates(
  raw: RawRates,
): Pick<
  Constraints,
  | 'maxInboundBurstRate'
  | 'maxOutboundBurstRate'
  | 'maxInboundSustainRate'
  | 'maxOutboundSustainRate'
> {
  return {
    maxInboundBurstRate: raw['max-inbound-burst-rate'],
    maxOutboundBurstRate: raw['max-outbound-burst-rate'],
    maxInboundSustainRate: raw['max-inbound-sustain-rate'],
    maxOutboundSustainRate: raw['max-outbound-sustain-rate'],
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
    ...directionRates('come from there', 'go there'),
  })
  .transform((raw): Constraints => ({
    ...buildLimits(raw),
    maxInboundSessions: raw['max-inbound-sessions'],
    maxOutboundSessions: raw['max-outbound-sessions'],
    ...buildRates(raw),
  }));

/** A call counts once among those that are up; its legs to callees have rates of their own. */
const totalConstraints = z
  .strictObject({ ...limits, ...directionRates('come in', 'go out, further attempts included') })
  .transform((raw): Constraints => ({
    ...buildLimits(raw),
    ...buildRates(raw),
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
      .meta({
        description:
          'When the machine is too busy for all new calls: those beyond a pace get 503 with Retry-After.',
      })
      .prefault({}),
  })
  .transform((raw): AdmissionConfig => raw);
