import { expect, test } from 'vitest';
import { NftProcess } from '../../../src/media/kernel/nft-process.ts';

/** The last word of a program in the place of nft, and its answer to one command, killed for `reason`. */
async function ended(start: string, reason?: string): Promise<readonly unknown[]> {
  const said = Promise.withResolvers<string>();
  const nft = new NftProcess(said.resolve, start);
  const answer = nft.run('list tables');
  if (reason !== undefined) nft.kill(reason);
  return [await said.promise, await answer];
}

test('an nft that hangs and is killed says why, and answers nothing', async () => {
  expect(await ended('exec sleep 600', 'nft hangs')).toEqual(['nft hangs', undefined]);
});

test('one that ends by itself has the last word', async () => {
  expect(await ended('echo no right; exit 1')).toEqual(['no right', undefined]);
});

test('killed twice, it was for the first reason', async () => {
  const said = Promise.withResolvers<string>();
  const nft = new NftProcess(said.resolve, 'exec sleep 600');
  nft.kill('other network devices');
  nft.kill('nft hangs');
  expect(await said.promise).toBe('other network devices');
  expect(await nft.run('list tables')).toBeUndefined();
});
