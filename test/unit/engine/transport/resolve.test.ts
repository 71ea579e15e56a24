import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Resolver } from '../../../../src/engine/transport/resolve.ts';
import type { LookUp } from '../../../../src/engine/transport/resolve.ts';
import type { ServiceRecord } from '../../../../src/engine/transport/service-order.ts';

type Addresses = Awaited<ReturnType<LookUp['addresses']>>;

/** A name server that answers every name alike and counts the questions. */
class FakeNames implements LookUp {
  questions = 0;
  answer: () => Promise<Addresses> = () => Promise.resolve([]);
  records: () => Promise<readonly ServiceRecord[]> = () => Promise.resolve([]);

  addresses(): Promise<Addresses> {
    this.questions += 1;
    return this.answer();
  }

  services(): Promise<readonly ServiceRecord[]> {
    this.questions += 1;
    return this.records();
  }
}

let names = new FakeNames();
let resolver = new Resolver(100, names);

function answerWith(answer: () => Promise<Addresses>): void {
  names.answer = answer;
}

beforeEach(() => {
  names = new FakeNames();
  resolver = new Resolver(100, names);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const TWO = (): Promise<Addresses> =>
  Promise.resolve([{ address: '2001:db8::1' }, { address: '192.0.2.1' }]);
const NEVER = async (): Promise<never> => await new Promise<never>(() => undefined);
const REFUSE = async (): Promise<never> => await Promise.reject(new Error('ENOTFOUND'));

describe('the addresses of a host', () => {
  test('an address needs no look-up', async () => {
    expect(await resolver.resolve('192.0.2.9')).toEqual([{ address: '192.0.2.9', family: 4 }]);
    expect(await resolver.resolve('::1')).toEqual([{ address: '::1', family: 6 }]);
    expect(names.questions).toBe(0);
  });

  test('an answer without TTL is remembered for 30 s, whatever the letter case', async () => {
    answerWith(TWO);
    const first = await resolver.resolve('host.example');
    await Promise.all([resolver.resolve('HOST.example'), resolver.resolve('host.example')]);
    expect(first.map(({ address }) => address)).toEqual(['2001:db8::1', '192.0.2.1']);
    expect(names.questions).toBe(1);
    vi.advanceTimersByTime(30_001);
    await resolver.resolve('host.example');
    expect(names.questions).toBe(2);
  });

  test.each([
    ['5 s', [5, 60], 5000],
    ['a TTL of 0 lasts 1 s', [0], 1000],
    ['a TTL of a day lasts 5 min', [86_400], 300_000],
  ])('the shortest TTL is obeyed, within bounds: %s', async (_what, ttls, lifeMs) => {
    answerWith(() =>
      Promise.resolve(ttls.map((ttlSeconds) => ({ address: '192.0.2.1', ttlSeconds }))),
    );
    await resolver.resolve('host.example');
    vi.advanceTimersByTime(lifeMs - 1);
    await resolver.resolve('host.example');
    expect(names.questions).toBe(1);
    vi.advanceTimersByTime(2);
    await resolver.resolve('host.example');
    expect(names.questions).toBe(2);
  });

  test('questions asked at the same time share one look-up', async () => {
    answerWith(TWO);
    await Promise.all([resolver.resolve('a.example'), resolver.resolve('a.example')]);
    expect(names.questions).toBe(1);
  });

  test('a failure is remembered for 1 s only', async () => {
    answerWith(REFUSE);
    expect(await resolver.resolve('no.example')).toEqual([]);
    expect(await resolver.resolve('no.example')).toEqual([]);
    expect(names.questions).toBe(1);
    vi.advanceTimersByTime(1001);
    answerWith(TWO);
    expect(await resolver.resolve('no.example')).toHaveLength(2);
  });

  test('what is no address is left out', async () => {
    answerWith(() => Promise.resolve([{ address: 'other.example' }, { address: '192.0.2.1' }]));
    expect(await resolver.resolve('host.example')).toEqual([{ address: '192.0.2.1', family: 4 }]);
  });

  test('a silent name server is not waited for', async () => {
    answerWith(NEVER);
    const answer = resolver.resolve('slow.example');
    await vi.advanceTimersByTimeAsync(100);
    expect(await answer).toEqual([]);
  });

  test('no more than 1024 answers are kept', async () => {
    answerWith(TWO);
    for (let number = 0; number < 1025; number += 1) {
      await resolver.resolve(`host${number}.example`);
    }
    await resolver.resolve('host1024.example');
    expect(names.questions).toBe(1025);
    await resolver.resolve('host0.example');
    expect(names.questions).toBe(1026);
  });
});

describe('the servers of a service', () => {
  const record = { name: 'a.example', port: 5060, priority: 1, weight: 0 };

  test('records are remembered for 30 s', async () => {
    names.records = () => Promise.resolve([record]);
    await resolver.services('_sip._udp.example.com');
    expect(await resolver.services('_sip._UDP.example.com')).toEqual([record]);
    expect(names.questions).toBe(1);
    vi.advanceTimersByTime(30_001);
    await resolver.services('_sip._udp.example.com');
    expect(names.questions).toBe(2);
  });

  test.each([
    ['that there are none', REFUSE],
    ['that nobody answered', NEVER],
  ])('%s is remembered as well, so that not every call waits', async (_what, records) => {
    names.records = records;
    const answer = resolver.services('_sip._udp.example.com');
    await vi.advanceTimersByTimeAsync(100);
    expect(await answer).toEqual([]);
    vi.advanceTimersByTime(29_000);
    await resolver.services('_sip._udp.example.com');
    expect(names.questions).toBe(1);
  });

  test('of very many records the first 64 by priority are kept', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({
      ...record,
      priority: 1000 - index,
    }));
    names.records = () => Promise.resolve(many);
    const kept = await resolver.services('_sip._udp.example.com');
    expect(kept.map(({ priority }) => priority)).toEqual(
      Array.from({ length: 64 }, (_, index) => index + 1),
    );
  });
});
