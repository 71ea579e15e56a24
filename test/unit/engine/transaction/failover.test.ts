import { describe, expect, test } from 'vitest';
import { Failover } from '../../../../src/engine/transaction/failover.ts';
import type { AttemptFailure } from '../../../../src/engine/transaction/failover.ts';
import { InviteClient } from '../../../../src/engine/transaction/invite-client.ts';
import { NonInviteClient } from '../../../../src/engine/transaction/non-invite-client.ts';
import type { Target } from '../../../../src/engine/transport/locate.ts';
import { sampleResponse } from './sample-messages.ts';

const timers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** How an address behaves towards a request. */
type Behaviour =
  | 'refuses'
  | 'silent'
  | 'says 503'
  | 'answers'
  /** 100 after one second, then nothing. */
  | 'rings for ever';

interface Story {
  /** `second address` for each attempt. */
  readonly attempts: string[];
  readonly end: string;
}

function targets(count: number): Target[] {
  return Array.from({ length: count }, (_, index) => {
    return { protocol: 'udp', address: `192.0.2.${index + 1}`, port: 5060 };
  });
}

/** Sends one request to addresses that behave as told; time is a number. */
function tell(method: 'INVITE' | 'OPTIONS', behaviours: readonly Behaviour[], startMs = 0): Story {
  const failover = new Failover(targets(behaviours.length), timers, startMs);
  let nowMs = startMs;
  let attempt = failover.begin(nowMs);
  const attempts: string[] = [];
  for (const behaviour of behaviours) {
    if (attempt === undefined) break;
    attempts.push(`${(nowMs - startMs) / 1000} ${attempt.target.address}`);
    const { patience } = attempt;
    const options = { timers, isReliable: false, patience };
    const machine = method === 'INVITE' ? new InviteClient(options) : new NonInviteClient(options);
    machine.start(nowMs);
    let failure: AttemptFailure;
    if (behaviour === 'answers') return { attempts, end: '200' };
    if (behaviour === 'says 503') failure = 'unavailable';
    else if (behaviour === 'refuses') failure = 'unreachable';
    else {
      if (behaviour === 'rings for ever') {
        nowMs += 1000;
        machine.receive(sampleResponse(100, method), nowMs);
      }
      let isOver = false;
      while (!isOver) {
        if (machine.expiresAtMs === undefined) return { attempts, end: 'rings' };
        nowMs = machine.expiresAtMs;
        isOver = machine.expire(nowMs).some(({ type }) => type === 'timeout');
      }
      if (behaviour !== 'silent') return { attempts, end: `timeout ${(nowMs - startMs) / 1000}` };
      failure = 'silent';
    }
    attempt = failover.fail(failure, nowMs);
    if (attempt === undefined) return { attempts, end: `${failure} ${(nowMs - startMs) / 1000}` };
  }
  throw new Error('the story has no end');
}

describe.each([0, 1_000_000_000.5])(
  'a request with several addresses, from %d ms on',
  (startMs) => {
    test.each<[string, Behaviour[], string[], string]>([
      ['the only one is silent', ['silent'], ['0 192.0.2.1'], 'silent 32'],
      ['the first refuses', ['refuses', 'answers'], ['0 192.0.2.1', '0 192.0.2.2'], '200'],
      ['the first says 503', ['says 503', 'answers'], ['0 192.0.2.1', '0 192.0.2.2'], '200'],
      ['the first is silent', ['silent', 'answers'], ['0 192.0.2.1', '4 192.0.2.2'], '200'],
      [
        'the last one has all the time left',
        ['silent', 'silent'],
        ['0 192.0.2.1', '4 192.0.2.2'],
        'silent 32',
      ],
      ['all say 503', ['says 503', 'says 503'], ['0 192.0.2.1', '0 192.0.2.2'], 'unavailable 0'],
    ])('%s', (_what, behaviours, attempts, end) => {
      expect(tell('INVITE', behaviours, startMs)).toEqual({ attempts, end });
      expect(tell('OPTIONS', behaviours, startMs)).toEqual({ attempts, end });
    });

    test('eight silent addresses take no longer than one', () => {
      const story = tell('INVITE', Array<Behaviour>(8).fill('silent'), startMs);
      expect(story.attempts.map((text) => text.split(' ')[0])).toEqual([
        '0',
        '4',
        '8',
        '12',
        '16',
        '20',
        '24',
        '28',
      ]);
      expect(story.end).toBe('silent 32');
    });

    test('an address that has answered 100 keeps the request: INVITE without limit, others until 64*T1', () => {
      expect(tell('INVITE', ['rings for ever', 'answers'], startMs).end).toBe('rings');
      expect(tell('OPTIONS', ['rings for ever', 'answers'], startMs).end).toBe('timeout 32');
      const late = tell('OPTIONS', ['silent', 'rings for ever', 'answers'], startMs);
      expect(late).toEqual({ attempts: ['0 192.0.2.1', '4 192.0.2.2'], end: 'timeout 32' });
    });
  },
);

/** A hunt whose first address was tried over TCP at 0 s. */
function switched(count: number): Failover {
  const failover = new Failover(targets(count), timers, 0);
  failover.begin(0);
  failover.switchToTcp(0);
  return failover;
}

describe('a request that went over TCP for its size', () => {
  test.each(['unreachable', 'silent'] as const)('%s: the same address as a datagram', (failure) => {
    const failover = switched(2);
    const again = failover.fail(failure, 4000);
    expect(again).toMatchObject({ target: { address: '192.0.2.1' }, isDatagram: true });
    expect(again?.patience.silenceMs).toBe(4000);
    const next = failover.fail('unreachable', 5000);
    expect(next).toMatchObject({ target: { address: '192.0.2.2' }, isDatagram: false });
    expect(next?.patience).toEqual({ silenceMs: 27_000, answerMs: 27_000 });
    expect(failover.fail('unreachable', 6000)).toBeUndefined();
  });

  test('has 8*T1 for it even as the only address: it can fall back', () => {
    const failover = new Failover(targets(1), timers, 0);
    failover.begin(0);
    expect(failover.switchToTcp(1000)).toEqual({ silenceMs: 4000, answerMs: 31_000 });
  });

  test('503 is the word of that address: the next one', () => {
    const next = switched(2).fail('unavailable', 10);
    expect(next).toMatchObject({ target: { address: '192.0.2.2' } });
    expect(switched(1).fail('unavailable', 10)).toBeUndefined();
  });

  test('as a datagram the only address has all the time left', () => {
    expect(switched(1).fail('silent', 4000)?.patience.silenceMs).toBe(28_000);
  });

  test('after 64*T1 nothing is tried any more', () => {
    expect(switched(2).fail('silent', 32_000)).toBeUndefined();
    expect(switched(2).fail('unreachable', 32_001)).toBeUndefined();
  });
});

test('without addresses there is nothing to begin with', () => {
  expect(new Failover([], timers, 0).begin(0)).toBeUndefined();
  expect(new Failover([], timers, 0).fail('silent', 0)).toBeUndefined();
});
