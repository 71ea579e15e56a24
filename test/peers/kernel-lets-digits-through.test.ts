/**
 * Keys while audio goes by the kernel: those of the sender come to the relay thread by their payload type, those that
 * are put in bring their direction back for as long as they last.
 */
import { expect, test } from 'vitest';
import { CALLER_SSRC, KernelStage, numberProblems } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { isKernelMissing } from '../support/media-namespaces.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();
const NEW_SSRC = 0x0a0b0c0d;
const KEY = { digitId: 'seven', eventCode: 7, durationMs: 100 };

test.skipIf(isMissing)('a key of the sender arrives and is reported, its audio stays', async () => {
  const stage = closeAfterTest(new KernelStage('f'));
  await stage.carry();
  for (const code of [5, 5, 11]) {
    await stage.peers.caller.ask({ type: 'press', code });
    await sleep(400);
  }
  await stage.until('keys', ({ digits }) => digits === '55#');
  const { heard } = (await stage.pause()).callee;
  const events = heard.filter(({ eventCode }) => eventCode !== undefined);
  expect(events.map(({ eventCode }) => eventCode)).toEqual([
    ...Array.from({ length: 14 }, () => 5),
    ...Array.from({ length: 7 }, () => 11),
  ]);
  expect(new Set(heard.map(({ ssrc }) => ssrc))).toEqual(new Set([CALLER_SSRC]));
  expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
  expect((await stage.view()).carried).toBe(2);
});

test.skipIf(isMissing)(
  'a key that is put in replaces audio, and the kernel goes on behind it',
  async () => {
    const stage = closeAfterTest(new KernelStage('g'));
    await stage.carry();
    await stage.relay.ask({ type: 'play', to: 'callee', digit: KEY });
    await stage.until('key', ({ sent }) => sent.includes('seven'));
    await stage.carried(2);
    await sleep(300);
    const { heard } = (await stage.pause()).callee;
    const events = heard.filter(({ eventCode }) => eventCode === 7);
    expect(events.filter(({ isEnd }) => isEnd === true).length).toBeGreaterThanOrEqual(3);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(new Set(heard.map(({ ssrc }) => ssrc))).toEqual(new Set([CALLER_SSRC]));
    expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
    // In the time of the audio that it replaces.
    const before = heard[heard.findIndex(({ eventCode }) => eventCode === 7) - 1];
    const ticks = (events[0]?.timestamp ?? 0) - (before?.timestamp ?? 0);
    expect(Math.abs(ticks)).toBeLessThan(1600);
  },
);

test.skipIf(isMissing)('a key that is absorbed keeps its direction with the relay', async () => {
  const stage = closeAfterTest(new KernelStage('h'));
  await stage.carry({ mode: 'absorb', detect: true });
  await stage.peers.caller.ask({ type: 'press', code: 9 });
  await stage.until('key', ({ digits }) => digits === '9');
  await stage.carried(1);
  await sleep(2500);
  expect((await stage.view()).carried).toBe(1);
  const { heard } = await stage.report('callee');
  expect(heard.filter(({ eventCode }) => eventCode !== undefined)).toEqual([]);
  expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
});

test.skipIf(isMissing)(
  'a stream whose keys are translated stays with the relay where asked',
  async () => {
    const stage = closeAfterTest(new KernelStage('i', ['--reach', 'untranslated']));
    await stage.talk({ mode: 'absorb', detect: true });
    await sleep(3000);
    expect((await stage.view()).carried).toBe(0);
    await stage.update({});
    await stage.carried(2);
  },
);

test.skipIf(isMissing)(
  'another SSRC and another codec pass, and then go by the kernel',
  async () => {
    const stage = closeAfterTest(new KernelStage('j'));
    await stage.carry();
    const { caller } = stage.peers;
    for (const change of [{ ssrc: NEW_SSRC }, { payloadType: 8 }]) {
      await stage.carriedAgain(1, () => caller.ask({ type: 'change', change }));
    }
    await sleep(300);
    const { heard } = (await stage.pause()).callee;
    expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
    expect(numberProblems(heard, NEW_SSRC)).toEqual([]);
    expect(heard.at(-1)?.payloadType).toBe(8);
  },
);
