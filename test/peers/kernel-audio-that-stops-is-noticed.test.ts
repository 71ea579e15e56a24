/** Peers that fall silent while their audio goes by the kernel are noticed by its counters. */
import { expect, test } from 'vitest';
import { KernelStage } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { isKernelMissing } from '../support/media-namespaces.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();

test.skipIf(isMissing)('peers that fall silent are noticed', async () => {
  const stage = closeAfterTest(new KernelStage('d', ['--inactivityMs', '5000']));
  await stage.carry();
  await sleep(1500);
  expect((await stage.view()).quietMs).toEqual([]);
  for (const side of ['caller', 'callee'] as const) await stage.peers[side].ask({ type: 'pause' });
  const { quietMs } = await stage.until('silence', (view) => view.quietMs.length > 0);
  expect(quietMs[0]).toBeGreaterThanOrEqual(5000);
});

test.skipIf(isMissing)('a peer that is heard alone is reported', async () => {
  const stage = closeAfterTest(new KernelStage('e'));
  await stage.carry();
  await stage.peers.callee.ask({ type: 'pause' });
  await stage.until('one way', ({ observed }) => observed.includes('one-way'));
  await stage.peers.callee.ask({ type: 'resume' });
  await stage.until('both ways', ({ observed }) => observed.at(-1) === 'both-ways');
  expect((await stage.counters()).caller.oneWayMs).toBeGreaterThan(2000);
});
