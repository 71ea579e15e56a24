import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config, Constraints } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { CallAdmission, refusalText, type Passage } from '../../../src/trunk/admission.ts';
import { AdmissionCounter, type CallDirection } from '../../../src/trunk/admission-counter.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

const UNLIMITED: Constraints = {
  maxSessions: 0,
  maxInboundSessions: 0,
  maxOutboundSessions: 0,
  maxBurstRate: 0,
  maxInboundBurstRate: 0,
  maxOutboundBurstRate: 0,
  burstRateWindowMs: 1000,
  maxSustainRate: 0,
  maxInboundSustainRate: 0,
  maxOutboundSustainRate: 0,
  sustainRateWindowMs: 30_000,
};

/** `i` and `o` are calls in and out, one a millisecond; what stands against the last one. */
function obstacle(constraints: Partial<Constraints>, calls: string): string | undefined {
  const counter = new AdmissionCounter({ ...UNLIMITED, ...constraints });
  const directions = calls
    .split('')
    .map((letter): CallDirection => (letter === 'i' ? 'inbound' : 'outbound'));
  for (const [nowMs, direction] of directions.slice(0, -1).entries())
    counter.open(direction, nowMs);
  return counter.obstacle(directions.at(-1) ?? 'inbound', calls.length - 1);
}

describe('a constraint stands against a call', () => {
  test.each<[Partial<Constraints>, string, string | undefined]>([
    [{}, 'ioioioio', undefined],
    [{ maxSessions: 2 }, 'io', undefined],
    [{ maxSessions: 2 }, 'ioi', 'max-sessions'],
    [{ maxInboundSessions: 1 }, 'oooi', undefined],
    [{ maxInboundSessions: 1 }, 'ii', 'max-inbound-sessions'],
    [{ maxInboundSessions: 1 }, 'io', undefined],
    [{ maxOutboundSessions: 1 }, 'oo', 'max-outbound-sessions'],
    [{ maxOutboundSessions: 1 }, 'oi', undefined],
    [{ maxBurstRate: 2 }, 'io', undefined],
    [{ maxBurstRate: 2 }, 'ioi', 'max-burst-rate'],
    [{ maxBurstRate: 2, burstRateWindowMs: 2000 }, 'ioioi', 'max-burst-rate'],
    [{ maxBurstRate: 2, burstRateWindowMs: 2000 }, 'ioio', undefined],
    [{ maxBurstRate: 2, burstRateWindowMs: 100 }, 'i', undefined],
    [{ maxBurstRate: 2, burstRateWindowMs: 100 }, 'ii', 'max-burst-rate'],
    [{ maxSustainRate: 1, sustainRateWindowMs: 3000 }, 'iiii', 'max-sustain-rate'],
    [{ maxSustainRate: 1, sustainRateWindowMs: 3000 }, 'iii', undefined],
    [{ maxSessions: 1, maxBurstRate: 1 }, 'ii', 'max-sessions'],
    [{ maxInboundBurstRate: 2 }, 'ioioi', 'max-inbound-burst-rate'],
    [{ maxInboundBurstRate: 2 }, 'ioioo', undefined],
    [{ maxInboundBurstRate: 2 }, 'ooooi', undefined],
    [{ maxOutboundBurstRate: 1 }, 'iio', undefined],
    [{ maxOutboundBurstRate: 1 }, 'oio', 'max-outbound-burst-rate'],
    [
      { maxOutboundBurstRate: 1, maxInboundBurstRate: 5, maxBurstRate: 3 },
      'iioi',
      'max-burst-rate',
    ],
    [{ maxInboundSustainRate: 1, sustainRateWindowMs: 2000 }, 'oioii', 'max-inbound-sustain-rate'],
    [{ maxInboundSustainRate: 1, sustainRateWindowMs: 2000 }, 'oioi', undefined],
    [{ maxOutboundSustainRate: 1, sustainRateWindowMs: 2000 }, 'oioo', 'max-outbound-sustain-rate'],
  ])('%j, calls %s: %s', (constraints, calls, expected) => {
    expect(obstacle(constraints, calls)).toBe(expected);
  });

  test.each([
    [999, 'max-burst-rate'],
    [1000, undefined],
  ])('two calls per second, seen %i ms later: %s', (nowMs, expected) => {
    const counter = new AdmissionCounter({ ...UNLIMITED, maxBurstRate: 2 });
    counter.open('inbound', 0)();
    counter.open('outbound', 0)();
    expect(counter.obstacle('inbound', nowMs)).toBe(expected);
  });

  test.each([
    ['max-burst-rate', 100, 900],
    ['max-inbound-burst-rate', 1000, 0],
    ['max-sessions', 0, undefined],
  ] as const)('%s lets the next call in, seen at %i ms, after %s ms', (name, nowMs, expected) => {
    const rates = { maxBurstRate: 1, maxInboundBurstRate: 1, maxSessions: 1 };
    const counter = new AdmissionCounter({ ...UNLIMITED, ...rates });
    counter.open('inbound', 0);
    expect(counter.freeAfterMs(name, nowMs)).toBe(expected);
  });

  test('new limits hold for the calls that are up', () => {
    const counter = new AdmissionCounter(UNLIMITED);
    const release = counter.open('inbound', 0);
    counter.reconfigure({ ...UNLIMITED, maxSessions: 1 });
    expect(counter.obstacle('inbound', 1)).toBe('max-sessions');
    release();
    release();
    expect([counter.sessions, counter.obstacle('inbound', 1)]).toEqual([0, undefined]);
  });
});

test('never are more calls up, or more begun in any second, than the limits say', () => {
  const step = fc.record({
    waitMs: fc.nat(400),
    isInbound: fc.boolean(),
    endsOne: fc.boolean(),
  });
  const limit = fc.record({
    sessions: fc.integer({ min: 1, max: 6 }),
    rate: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), limit, (steps, { sessions, rate }) => {
      const counter = new AdmissionCounter({
        ...UNLIMITED,
        maxSessions: sessions,
        maxBurstRate: rate,
      });
      const starts: number[] = [];
      const up: (() => void)[] = [];
      let nowMs = 0;
      for (const { waitMs, isInbound, endsOne } of steps) {
        nowMs += waitMs;
        if (endsOne) up.pop()?.();
        const direction = isInbound ? 'inbound' : 'outbound';
        if (counter.obstacle(direction, nowMs) === undefined) {
          up.push(counter.open(direction, nowMs));
          starts.push(nowMs);
        }
        expect(counter.sessions).toBe(up.length);
        expect(up.length).toBeLessThanOrEqual(sessions);
        const lastSecond = starts.filter((startMs) => nowMs - startMs < 1000);
        expect(lastSecond.length).toBeLessThanOrEqual(rate);
      }
    }),
  );
});

const YAML = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces:
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ], constraints: { max-inbound-sessions: 3 } }
session-agents:
  - { name: small, realm: core, address: 10.0.0.1, constraints: { max-sessions: 1 } }
  - { name: large, realm: core, address: 10.0.0.2 }
  - { name: fast, realm: core, address: 10.0.0.3, constraints: { max-outbound-burst-rate: 1 } }
admission: { constraints: { max-sessions: 4, max-outbound-sustain-rate: 10, sustain-rate-window: 1s } }
`;

function load(text: string): Config {
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

function passage(direction: CallDirection, agentName?: string): Passage {
  return { direction, interfaceName: 'core', agentName };
}

describe('one call through the SBC', () => {
  const config = load(YAML);

  /** `+` or the refusal of each call in turn; all stay up. */
  function outcomes(passages: readonly Passage[]): string[] {
    const admission = new CallAdmission(config, new AgentRegistry(config));
    return passages.map((next) => {
      const outcome = admission.open(next, 0);
      return outcome.type === 'session' ? '+' : refusalText(outcome);
    });
  }

  test.each<[string, Passage[], string]>([
    [
      'of the agent',
      [passage('inbound', 'small'), passage('outbound', 'small')],
      'max-sessions of session agent small',
    ],
    ['of another agent', [passage('inbound', 'small'), passage('inbound', 'large')], '+'],
    [
      'of strangers too',
      Array(4).fill(passage('inbound')),
      'max-inbound-sessions of sip-interface core',
    ],
    ['outbound legs do not count in total', Array(9).fill(passage('outbound', 'large')), '+'],
    [
      'rates of the agent in one direction',
      [passage('inbound', 'fast'), passage('outbound', 'fast'), passage('outbound', 'fast')],
      'max-outbound-burst-rate of session agent fast',
    ],
    [
      'of that rate in the other direction',
      [passage('outbound', 'fast'), passage('inbound', 'fast'), passage('inbound', 'fast')],
      '+',
    ],
    [
      'outbound rates of all calls together',
      Array(11).fill(passage('outbound', 'large')),
      'max-outbound-sustain-rate of the SBC',
    ],
  ])('limits %s', (_, passages, expected) => {
    expect(outcomes(passages).at(-1)).toBe(expected);
  });

  test('what one constraint keeps out counts nowhere', () => {
    const admission = new CallAdmission(config, new AgentRegistry(config));
    const first = admission.open(passage('inbound', 'small'), 0);
    for (let call = 0; call < 9; call += 1) admission.open(passage('inbound', 'small'), 0);
    expect(admission.open(passage('inbound', 'large'), 0).type).toBe('session');
    if (first.type === 'session') first.release();
    expect(admission.open(passage('inbound', 'small'), 0).type).toBe('session');
  });

  test('the total is one for all interfaces, and a reload changes it under running calls', () => {
    const agents = new AgentRegistry(config);
    const admission = new CallAdmission(config, agents);
    admission.open(passage('inbound', 'large'), 0);
    admission.reconfigure(load(YAML.replace('max-sessions: 4', 'max-sessions: 1')));
    const refusal = admission.open(passage('inbound', 'large'), 0);
    expect(refusal.type === 'refused' && refusalText(refusal)).toBe('max-sessions of the SBC');
    admission.reconfigure(config);
    expect(admission.open(passage('inbound', 'large'), 0).type).toBe('session');
  });

  test('samples of the load reach the guard with the limits in force', () => {
    const admission = new CallAdmission(config, new AgentRegistry(config));
    const high = { lagMs: 1000, cpuPercent: 0 };
    expect(admission.sampled(high, 0).type).toBe('calm');
    expect(admission.sampled(high, 2000)).toMatchObject({ reason: 'event-loop-lag' });
    expect(admission.overload.type).toBe('overloaded');
  });

  test('while overloaded calls are taken at the pace, unless the SIP engine keeps it', () => {
    const admission = new CallAdmission(config, new AgentRegistry(config));
    const high = { lagMs: 1000, cpuPercent: 0 };
    expect(admission.pacing).toEqual({ callsPerSecond: undefined, lateMs: 500 });
    admission.sampled(high, 0);
    for (let call = 0; call < 40; call += 1)
      expect(admission.obstacle(false, 1000)).toBeUndefined();
    admission.sampled(high, 2000);
    expect(admission.pacing.callsPerSecond).toBeCloseTo(17);
    expect(admission.pacing.lateMs).toBe(250);
    expect(admission.obstacle(false, 2000)).toBe('event-loop-lag');
    expect(admission.obstacle(true, 2000)).toBeUndefined();
    expect(admission.obstacle(false, 2100)).toBeUndefined();
    expect(admission.obstacle(false, 2101)).toBe('event-loop-lag');
    admission.refusedBefore(5);
    expect(admission.refusedForLoad).toBe(7);
  });
});
