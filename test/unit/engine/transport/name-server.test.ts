import { expect, test } from 'vitest';
import { systemLookUp } from '../../../../src/engine/transport/name-server.ts';

test('names of /etc/hosts are known, without a TTL', async () => {
  const found = await systemLookUp.addresses('localhost');
  expect(found.map(({ address }) => address)).toContain('127.0.0.1');
  expect(found.every(({ ttlSeconds }) => ttlSeconds === undefined)).toBe(true);
});
