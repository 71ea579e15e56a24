import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { freePortRange, isUdpFree, ownPortBlock } from '../../support/free-ports.ts';

test('a run that has no room in the own block is found in another one', async () => {
  const { first, last } = await ownPortBlock();
  const range = await freePortRange(1024, { avoid: [first + 1023] });
  expect(range.first > last || range.last < first).toBe(true);
});

test('a run of half a block is found around a port that somebody holds', async () => {
  const { first } = await ownPortBlock();
  const holder = createSocket('udp4');
  await new Promise<void>((resolve) => {
    holder.bind(first + 900, '127.0.0.1', resolve);
  });
  try {
    const range = await freePortRange(1024, { avoid: [first + 300] });
    expect(range.last - range.first).toBe(1023);
    expect(range.first > first + 900 || range.last < first + 300).toBe(true);
    expect(await isUdpFree(range.first, '127.0.0.1')).toBe(true);
  } finally {
    await new Promise<void>((resolve) => {
      holder.close(resolve);
    });
  }
});
