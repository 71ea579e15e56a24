import { expect, test } from 'vitest';
import { NftPatience } from '../../../src/media/kernel/nft-patience.ts';

test('nft has five seconds for a batch', () => {
  expect(new NftPatience().endMs(1000)).toBe(6000);
});

test('and one while a flow is to come back, from the batch or the wish on, whichever is later', () => {
  const patience = new NftPatience();
  patience.released(1, 2000);
  patience.released(1, 2900);
  patience.released(2, 2500);
  expect(patience.endMs(1000)).toBe(3000);
  expect(patience.endMs(2800)).toBe(3800);
  patience.gone(1);
  expect(patience.endMs(1000)).toBe(3500);
  patience.gone(2);
  expect(patience.endMs(1000)).toBe(6000);
});

test('a wish that comes late makes it no longer', () => {
  const patience = new NftPatience();
  patience.released(1, 5800);
  expect(patience.endMs(1000)).toBe(6000);
});
