/**
 * The control of a real rtpengine: what it answers, what it refuses, and what happens when it stops answering.
 *
 *   NgNode --ng over UDP--> rtpengine-daemon
 */
import { env } from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DEADLINE_MS } from '../../src/media/rtpengine/ng-exchange.ts';
import { NgNode } from '../../src/media/rtpengine/ng-node.ts';
import { RtpengineNodes } from '../../src/media/rtpengine/rtpengine-nodes.ts';
import { freePortRange } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import {
  hasRtpengine,
  RtpengineDaemon,
  type RtpengineOptions,
} from '../support/rtpengine-daemon.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

// On a developer's machine the program may be missing; in CI that is a failure.
const isMissing = !hasRtpengine && env['CI'] === undefined;

const DEADLINES_TO_DOWN = 5;
/** More than those. */
const CALLS_AT_ONCE = 12;
const NOTICED_MS = 30_000;
const ATTEMPTS = 10;
/** Longer than any deadline. */
const BUSY_MS = 1700;

function sdp(port: number): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  lines.push(`m=audio ${port} RTP/AVP 0 101`, 'a=rtpmap:101 telephone-event/8000', '');
  return lines.join('\r\n');
}

function offer(callId: string): { 'call-id': string; 'from-tag': string; sdp: string } {
  return { 'call-id': callId, 'from-tag': 'a', sdp: sdp(4000) };
}

async function start(
  options: RtpengineOptions = {},
): Promise<{ daemon: RtpengineDaemon; node: NgNode }> {
  const daemon = closeAfterTest(await RtpengineDaemon.start(options));
  const node = closeAfterTest(await NgNode.open({ host: daemon.host, port: daemon.port }));
  return { daemon, node };
}

/** The port of the audio in an answer. */
function portIn(result: { readonly type: string; readonly sdp?: string }): number {
  return Number(/^m=audio (\d+) /m.exec(result.sdp ?? '')?.[1] ?? 0);
}

describe.skipIf(isMissing)('a real rtpengine', () => {
  test('anchors a call and lets it go', async () => {
    const { daemon, node } = await start();
    expect(node.isUp).toBe(true);
    const offered = await node.offer({ ...offer('one'), flags: ['inject DTMF'] });
    const answered = await node.answer({ ...offer('one'), 'to-tag': 'b', sdp: sdp(4002) });
    expect([offered.type, answered.type]).toEqual(['ok', 'ok']);
    const { first, last } = daemon.mediaRange;
    for (const port of [portIn(offered), portIn(answered)]) {
      expect(port).toBeGreaterThanOrEqual(first);
      expect(port).toBeLessThanOrEqual(last);
    }
    expect(await node.query({ 'call-id': 'one' })).toMatchObject({
      type: 'ok',
      answer: { tags: { a: { tag: 'a' }, b: { tag: 'b' } } },
    });
    expect(await node.delete({ 'call-id': 'one' })).toMatchObject({ type: 'ok' });
    expect(await node.query({ 'call-id': 'one' })).toEqual({
      type: 'failed',
      reason: 'engine-error',
      detail: 'Unknown call-id',
    });
    const again = await node.delete({ 'call-id': 'one' });
    expect(again.type === 'ok' && again.warning).toMatch(/not found/);
  });

  test('refuses each thing for a reason with a name', async () => {
    const { node } = await start({ mediaRange: await freePortRange(4) });
    expect(await node.offer({ ...offer('bad'), sdp: 'hello' })).toMatchObject({
      reason: 'engine-error',
    });
    const key = { 'call-id': 'one', 'from-tag': 'a', code: '5' };
    expect(await node.playDtmf(key)).toMatchObject({ reason: 'engine-error' });
    expect((await node.offer(offer('one'))).type).toBe('ok');
    const early = await node.playDtmf(key);
    expect(early).toMatchObject({ reason: 'engine-error', detail: expect.stringMatching(/SSRC/) });
    expect(await node.offer(offer('two'))).toMatchObject({ reason: 'no-ports' });
    expect(node.isUp).toBe(true);
  });

  test('takes no more calls than it is allowed to', async () => {
    const { node } = await start({ options: ['--max-sessions=1'] });
    expect((await node.offer(offer('one'))).type).toBe('ok');
    expect(await node.offer(offer('two'))).toMatchObject({ reason: 'overload' });
    expect((await node.delete({ 'call-id': 'one' })).type).toBe('ok');
    expect((await node.offer(offer('two'))).type).toBe('ok');
  });

  test('carries out once what was asked for again', async () => {
    const { daemon, node } = await start();
    const isRepeated = (): boolean => /duplicate/i.test(daemon.log);
    // Where we are held up ourselves, the answer is there before anything is asked for again.
    for (let attempt = 1; !isRepeated() && attempt <= ATTEMPTS; attempt += 1) {
      daemon.pause();
      const offered = node.offer(offer(`call ${attempt}`));
      await sleep(600);
      daemon.resume();
      expect(portIn(await offered)).toBeGreaterThan(0);
      await node.ping();
    }
    expect(isRepeated()).toBe(true);
  });

  test('has answered in time even when we were too busy to look', async () => {
    const { node } = await start();
    // From there the event loop comes to its timers before it comes to its sockets.
    await setImmediate();
    const offered = node.offer(offer('one'));
    // It has left then, and no answer can have been read.
    await new Promise<void>((sent) => {
      process.nextTick(() => process.nextTick(sent));
    });
    const untilMs = performance.now() + BUSY_MS;
    while (performance.now() < untilMs);
    expect((await offered).type).toBe('ok');
  });

  test('is known to be down after five deadlines, and to be back after its next answer', async () => {
    const { daemon, node } = await start();
    const changes: boolean[] = [];
    node.onChange((isUp) => changes.push(isUp));
    expect((await node.offer(offer('one'))).type).toBe('ok');
    await daemon.kill();
    const killedAtMs = performance.now();
    const lost = await Promise.all(
      Array.from({ length: CALLS_AT_ONCE }, () => node.query({ 'call-id': 'one' })),
    );
    for (const result of lost) expect(result).toMatchObject({ reason: 'timeout' });
    // However many ask at once, it is one deadline.
    expect(node.isUp).toBe(true);
    await waitFor('the node to be down', () => !node.isUp, { timeoutMs: NOTICED_MS });
    expect(performance.now() - killedAtMs).toBeGreaterThan((DEADLINES_TO_DOWN - 1) * DEADLINE_MS);
    expect(await node.offer(offer('two'))).toMatchObject({ reason: 'node-down' });
    await daemon.startAgain();
    await waitFor('the node to be up', () => node.isUp);
    expect(changes).toEqual([false, true]);
    expect(await node.query({ 'call-id': 'one' })).toMatchObject({ reason: 'engine-error' });
    expect((await node.offer(offer('two'))).type).toBe('ok');
  });

  test('that is killed leaves new calls to the other one', async () => {
    const [one, two] = [await RtpengineDaemon.start(), await RtpengineDaemon.start()];
    closeAfterTest(one);
    closeAfterTest(two);
    const nodes = closeAfterTest(await RtpengineNodes.open([one, two]));
    const first = nodes.assign('1');
    expect(first?.name).toBe(`${one.host}:${one.port}`);
    await one.kill();
    await waitFor('the killed one to be down', () => first?.isUp === false, {
      timeoutMs: NOTICED_MS,
    });
    const second = nodes.move('1');
    expect(second?.name).toBe(`${two.host}:${two.port}`);
    expect((await second?.offer(offer('1')))?.type).toBe('ok');
    expect(nodes.assign('2')).toBe(second);
    await one.startAgain();
    await waitFor('the killed one to be up', () => first?.isUp);
    expect(nodes.assign('3')).toBe(first);
    expect(nodes.assign('1')).toBe(second);
  });
});
