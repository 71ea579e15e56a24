import { expect, test } from 'vitest';
import { AccountQueue } from '../../../src/feature-keys/account-queue.ts';

test('jobs of one account run in the order they came, those of another beside them', async () => {
  const queue = new AccountQueue();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run('a', async () => {
    log.push('a1 begins');
    await gate.promise;
    log.push('a1 ends');
  });
  const second = queue.run('a', () => {
    log.push('a2');
    return Promise.resolve();
  });
  await queue.run('b', () => {
    log.push('b1');
    return Promise.resolve();
  });
  expect(queue.lengthOf('a')).toBe(2);
  gate.resolve();
  await Promise.all([first, second]);
  expect(log).toEqual(['a1 begins', 'b1', 'a1 ends', 'a2']);
});

test('a job that fails does not stop the next, and nothing is kept of a queue that ran empty', async () => {
  const queue = new AccountQueue();
  const failing = queue.run('a', () => Promise.reject(new Error('as told')));
  let hasRun = false;
  const next = queue.run('a', () => {
    hasRun = true;
    return Promise.resolve();
  });
  await expect(failing).rejects.toThrow('as told');
  await next;
  await queue.idle();
  expect(hasRun).toBe(true);
  expect(queue.lengthOf('a')).toBe(0);
});
