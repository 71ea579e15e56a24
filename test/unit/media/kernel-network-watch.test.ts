import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NetworkWatch, type NetworkWatchOptions } from '../../../src/media/kernel/network-watch.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../support/leak-check.ts';
import { PATIENCE_MS } from '../../support/wait-for.ts';

checkLeaksAfterEach();

const PATIENCE = { timeout: PATIENCE_MS };
const NEVER_MS = 1_000_000;

/** A shell in place of `ip monitor`: what it prints is a change. */
function shell(script: string): readonly string[] {
  return ['sh', '-c', script];
}

function watch(options: Partial<NetworkWatchOptions>): { looks: () => number } {
  let looks = 0;
  const look = (): Promise<void> => {
    looks += 1;
    return Promise.resolve();
  };
  const started = new NetworkWatch({ look, intervalMs: NEVER_MS, ...options });
  closeAfterTest(started);
  started.start();
  return { looks: () => looks };
}

test('a change is looked at', async () => {
  const { looks } = watch({ command: shell('echo route; exec sleep 1000') });
  await expect.poll(looks, PATIENCE).toBe(1);
});

test('a change while it looks is looked at behind that, and many are as one', async () => {
  const gate = Promise.withResolvers<undefined>();
  let begun = 0;
  const look = async (): Promise<void> => {
    begun += 1;
    if (begun === 1) await gate.promise;
  };
  const started = new NetworkWatch({
    look,
    intervalMs: NEVER_MS,
    command: shell('exec sleep 1000'),
  });
  closeAfterTest(started);
  started.start();
  for (let count = 0; count < 10; count += 1) started.changed();
  expect(begun).toBe(1);
  gate.resolve(undefined);
  await expect.poll(() => begun, PATIENCE).toBe(2);
});

test.each([
  ['ends', shell('exit 1')],
  ['is not there', ['./no-such-program']],
])('a monitor that %s leaves the look from time to time', async (_what, command) => {
  const { looks } = watch({ command, intervalMs: 50 });
  await expect.poll(looks, PATIENCE).toBeGreaterThan(2);
});

test('a monitor that has ended is started anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watch-'));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  const file = join(folder, 'starts');
  watch({ command: shell(`echo started >> ${file}`), intervalMs: 50 });
  const starts = async (): Promise<number> =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').length - 1;
  await expect.poll(starts, PATIENCE).toBeGreaterThan(2);
});
