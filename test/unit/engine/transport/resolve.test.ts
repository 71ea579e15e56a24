import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Resolver, type LookUp } from '../../../../src/engine/transport/resolve.ts';

/** A name server that answers every name alike and counts the questions. */
class FakeNames {
  questions = 0;
  answer: () => ReturnType<LookUp> = () => Promise.resolve([]);
  readonly lookUp: LookUp = () => {
    this.questions += 1;
    return this.answer();
  };
}

let names = new FakeNames();

function answerWith(answer: () => ReturnType<LookUp>): void {
  names.answer = answer;
}

beforeEach(() => {
  names = new FakeNames();
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const TWO = (): ReturnType<LookUp> =>
  Promise.resolve([{ address: '2001:db8::1' }, { address: '192.0.2.1' }]);

test('an address needs no look-up', async () => {
  const resolver = new Resolver(100, names.lookUp);
  expect(await resolver.resolve('192.0.2.9')).toEqual([{ address: '192.0.2.9', family: 4 }]);
  expect(await resolver.resolve('::1')).toEqual([{ address: '::1', family: 6 }]);
  expect(names.questions).toBe(0);
});

test('an answer is remembered for 30 s, whatever the letter case', async () => {
  answerWith(TWO);
  const resolver = new Resolver(100, names.lookUp);
  const first = await resolver.resolve('host.example');
  await Promise.all([resolver.resolve('HOST.example'), resolver.resolve('host.example')]);
  expect(first.map(({ address }) => address)).toEqual(['2001:db8::1', '192.0.2.1']);
  expect(names.questions).toBe(1);
  vi.advanceTimersByTime(30_001);
  await resolver.resolve('host.example');
  expect(names.questions).toBe(2);
});

test('questions asked at the same time share one look-up', async () => {
  answerWith(TWO);
  const resolver = new Resolver(100, names.lookUp);
  await Promise.all([resolver.resolve('a.example'), resolver.resolve('a.example')]);
  expect(names.questions).toBe(1);
});

test('a failure is remembered for 1 s only', async () => {
  answerWith(async () => await Promise.reject(new Error('ENOTFOUND')));
  const resolver = new Resolver(100, names.lookUp);
  expect(await resolver.resolve('no.example')).toEqual([]);
  expect(await resolver.resolve('no.example')).toEqual([]);
  expect(names.questions).toBe(1);
  vi.advanceTimersByTime(1001);
  answerWith(TWO);
  expect(await resolver.resolve('no.example')).toHaveLength(2);
});

test('a silent name server is not waited for', async () => {
  answerWith(async () => await new Promise<never>(() => undefined));
  const resolver = new Resolver(100, names.lookUp);
  const answer = resolver.resolve('slow.example');
  await vi.advanceTimersByTimeAsync(100);
  expect(await answer).toEqual([]);
});

test('no more than 1024 answers are kept', async () => {
  answerWith(TWO);
  const resolver = new Resolver(100, names.lookUp);
  for (let number = 0; number < 1025; number += 1) await resolver.resolve(`host${number}.example`);
  await resolver.resolve('host1024.example');
  expect(names.questions).toBe(1025);
  await resolver.resolve('host0.example');
  expect(names.questions).toBe(1026);
});
