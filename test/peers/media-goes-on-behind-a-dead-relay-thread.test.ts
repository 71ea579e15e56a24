/**
 *   twenty calls on two relay threads; one thread dies
 *
 *     |==== RTP ====>| thread 1 |==== RTP ====>|
 *     |              |    x     |              |     gap
 *     |==== RTP ====>| thread 3 |==== RTP ====>|     same ports, same addresses, keys cross
 *
 *     |==== RTP ====>| thread 2 |==== RTP ====>|     no gap
 */
import { expect, test } from 'vitest';
import { RelayPool } from '../../src/media/relay-pool.ts';
import { aliceCallsBob, audioBothWays, finish, openCallStage } from '../support/call-stage.ts';
import type { CallStage, PlainCall } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const CALLS = 20;

function poolOf({ running }: CallStage): RelayPool {
  const { media } = running.sbc;
  if (!(media instanceof RelayPool)) throw new Error('not the relay of this process');
  return media;
}

function ends(calls: readonly PlainCall[]): PlainCall['alice'][] {
  return calls.flatMap(({ alice, bob }) => [alice, bob]);
}

test('twenty calls: audio flows again, held keys end once, new keys cross, none is lost', async () => {
  const stage = await openCallStage({
    logsErrors: true,
    edit: (yaml) => yaml.replace('workers: 1,', 'workers: 2,'),
  });
  const { running } = stage;
  const calls: PlainCall[] = [];
  for (let number = 0; number < CALLS; number++) calls.push(await aliceCallsBob(stage));
  await Promise.all(calls.map((call) => audioBothWays(call)));

  // A key is down in every call when the thread dies.
  const held = calls.map(({ alice }) => alice.press('7', { durationMs: 1200 }));
  await waitFor('the keys', () => calls.every(({ bob }) => bob.events.length === 1));
  const diedAtMs = performance.now();
  const heardBefore = ends(calls).map(({ rtp }) => rtp.received.length);
  await poolOf(stage).crashThread();
  await waitFor('packets at every end', () =>
    ends(calls).every(({ rtp }, index) => rtp.received.length > (heardBefore[index] ?? 0) + 3),
  );
  const outageMs = performance.now() - diedAtMs;
  await Promise.all(held);
  await Promise.all(calls.map((call) => audioBothWays(call)));

  await Promise.all(ends(calls).map((end) => end.press('15')));
  await Promise.all(calls.map(({ alice }) => alice.waitForDigits(2)));
  await waitFor('the keys behind it', () => calls.every(({ bob }) => bob.digits.length >= 3));
  expect(calls.map(({ bob }) => bob.digits)).toEqual(calls.map(() => '715'));
  expect(calls.map(({ alice }) => alice.digits)).toEqual(calls.map(() => '15'));
  const metrics = await (await fetch(`http://127.0.0.1:${running.api.port}/metrics`)).text();
  expect(metrics).toContain('sbc_worker_restarts_total 1\n');
  const lines = running.errors.map((line): unknown => JSON.parse(line));
  expect(lines).toMatchObject([{ msg: 'relay worker lost', streams: CALLS / 2 }]);
  const presses = (): number => running.sbc.ledger.list().length;
  await waitFor('all presses', () => presses() >= CALLS * 5);
  expect(presses()).toBe(CALLS * 5);
  // As long as a test on a busy machine may wait; on a quiet one it is a fifth of a second.
  expect(outageMs).toBeLessThan(20_000);
  process.stdout.write(
    `relay thread replaced: packets at all ${2 * CALLS} ends after ${Math.round(outageMs)} ms\n`,
  );
  await Promise.all(calls.map((call) => finish(call)));
});
