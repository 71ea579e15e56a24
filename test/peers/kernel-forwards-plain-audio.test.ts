/**
 * Steady audio goes by the kernel, past the relay thread, and nothing else does.
 *
 *   caller's host ---- inside | relay | outside ---- router ---- callee
 */
import { expect, test } from 'vitest';
import { CALLEE_SSRC, CALLER_SSRC, KernelStage, numberProblems } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { CALLER, isKernelMissing, RELAY } from '../support/media-namespaces.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();
const OTHER_PORT = 5070;
const STRANGER_PORT = 4002;

async function bothTalking(letter: string, ...words: readonly string[]): Promise<KernelStage> {
  const stage = closeAfterTest(new KernelStage(letter, words));
  await stage.carry();
  return stage;
}

function sum(text: string): number {
  return [...text.matchAll(/counter packets (\d+)/gu)].reduce((all, [, n]) => all + Number(n), 0);
}

for (const io of ['dgram', 'ffi']) {
  test.skipIf(isMissing)(
    `audio goes by the kernel, one packet in 64 by the relay, and all are counted (${io})`,
    async () => {
      const stage = await bothTalking('a', '--io', io);
      const { table } = await stage.view();
      await sleep(1500);
      const heard = await stage.pause();
      const forwarded = sum(stage.hosts.nft('list', 'table', 'netdev', table));
      expect(heard.callee.heard.length).toBe(heard.caller.sent);
      expect(heard.caller.heard.length).toBe(heard.callee.sent);
      expect(numberProblems(heard.callee.heard, CALLER_SSRC)).toEqual([]);
      expect(numberProblems(heard.caller.heard, CALLEE_SSRC)).toEqual([]);
      const port = stage.local?.callee.rtpPort;
      expect(new Set(heard.callee.heard.map(({ from }) => from))).toEqual(
        new Set([`${RELAY.callee}:${port}`]),
      );
      const all = heard.caller.sent + heard.callee.sent;
      expect(forwarded).toBeGreaterThan(0.8 * all);

      const counters = await stage.relay.ask({ type: 'close' });
      expect(counters).toMatchObject({
        caller: { lostPackets: 0, oneWayMs: 0 },
        callee: { lostPackets: 0, oneWayMs: 0 },
      });
      const { caller, callee } = await stage.counters();
      expect(callee.sentPackets).toBe(caller.receivedPackets);
      expect(caller.sentPackets).toBe(callee.receivedPackets);
      expect(caller.receivedBytes).toBe(172 * caller.receivedPackets);
      expect(callee.sentBytes).toBe(172 * callee.sentPackets);
      expect(caller.receivedPackets).toBeGreaterThanOrEqual(heard.caller.sent);
      expect((await stage.view()).quietMs).toEqual([]);
    },
  );
}

test.skipIf(isMissing)('what is lost on the way to the relay is counted', async () => {
  const stage = await bothTalking('b');
  await stage.peers.caller.ask({ type: 'lose', every: 10 });
  await sleep(3000);
  await stage.peers.caller.ask({ type: 'lose', every: 0 });
  const { lost } = await stage.report('caller');
  // Back with the relay, the next packet tells exactly.
  await stage.update({});
  const isTold = async (): Promise<boolean> =>
    Math.abs((await stage.counters()).caller.lostPackets - lost) <= 1;
  await waitFor(`${lost} lost packets`, isTold);
  const { caller, callee } = await stage.counters();
  expect(lost).toBeGreaterThan(5);
  expect(Math.abs(caller.lostPackets - lost)).toBeLessThanOrEqual(1);
  expect(callee.lostPackets).toBe(0);
});

test.skipIf(isMissing)('a stranger is not heard, and other traffic passes untouched', async () => {
  const stage = await bothTalking('c');
  const echo = stage.hosts.start('relay', './plain-echo.ts');
  await echo.ask({ type: 'serve', address: RELAY.caller, port: OTHER_PORT });
  const stranger = stage.hosts.start('caller', './rtp-host.ts');
  const to = { address: RELAY.caller, port: stage.local?.caller.rtpPort };
  const from = { address: CALLER, port: STRANGER_PORT };
  // Neither the right SSRC nor the right port alone is enough.
  const order = { from, to, ssrc: CALLER_SSRC, payloadType: 0 };
  await stranger.ask({ type: 'stream', order });

  const asker = stage.hosts.start('caller', './plain-echo.ts');
  for (const hex of ['00', '80000001000000000000000000000000'.repeat(20), 'ff'.repeat(3000)]) {
    const where = { address: RELAY.caller, port: OTHER_PORT };
    expect(await asker.ask({ type: 'exchange', ...where, hex })).toEqual([hex, hex]);
  }
  await sleep(1000);
  const callee = await stage.report('callee');
  const caller = await stage.report('caller');
  const numbers = callee.heard.map(({ sequenceNumber }) => sequenceNumber);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numberProblems(callee.heard, CALLER_SSRC)).toEqual([]);
  expect(callee.heard.length).toBeLessThanOrEqual(caller.sent + 1);
  expect((await stage.view()).carried).toBe(2);
});
