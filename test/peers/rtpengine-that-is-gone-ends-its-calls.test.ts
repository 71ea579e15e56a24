/**
 * What becomes of calls when the rtpengine that carries them is killed, started anew, or not there at all: each has an
 * outcome with a name, and nobody waits for ever.
 */

import { describe, expect, test } from 'vitest';
import { moreAudio, openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import { freePortRange, type PortRange } from '../support/free-ports.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { openBed, openCall, openStream, talk, tryStream } from '../support/rtpengine-bed.ts';
import { canRunRtpengine } from '../support/rtpengine-daemon.ts';
import { rtpengineStage } from '../support/rtpengine-stage.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** Five deadlines of the control protocol, and the grace behind them. */
const NOTICED_MS = 30_000;
const POLL_MS = 50;

describe.skipIf(!canRunRtpengine)('rtpengine', () => {
  test('killed in a call: both ends are hung up on, and the record names the cause', async () => {
    const { daemons, edit } = await rtpengineStage();
    const stage = await openStage({ edit, logsErrors: true });
    const call = await phoneCallsTrunk(stage);
    await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
    await daemons[0]?.kill();
    await waitFor('end of the call', () => stage.running.sbc.calls.size === 0, {
      timeoutMs: NOTICED_MS,
    });
    await Promise.all([call.phone.waitForEnd(), call.trunk.waitForEnd()]);
    const [record] = await waitForRecord(stage.running);
    expect(record).toMatchObject({ release: { internalCode: 'media-engine-lost' } });
    const refused = stage.phone.call({ to: '5551000', via: stage.running.access });
    await expect(refused).rejects.toThrow(/503/);
  });

  test('killed while another one lives: both legs are offered its ports, and the call goes on', async () => {
    const { daemons, edit } = await rtpengineStage({ daemons: 2 });
    const stage = await openStage({ edit, logsErrors: true });
    const call = await phoneCallsTrunk(stage);
    await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
    await call.phone.listen();
    const portBefore = call.trunk.remote.rtpPort;
    const carrier = daemons.find(({ mediaRange }) => isWithin(portBefore, mediaRange));
    const spare = daemons.find((daemon) => daemon !== carrier);
    await carrier?.kill();
    await waitFor('new port', () => call.trunk.remote.rtpPort !== portBefore, {
      timeoutMs: NOTICED_MS,
    });
    expect(isWithin(call.trunk.remote.rtpPort, spare?.mediaRange)).toBe(true);
    await waitFor('new port', () => isWithin(call.phone.remote.rtpPort, spare?.mediaRange));
    await Promise.all([moreAudio(call.phone, 20), moreAudio(call.trunk, 20)]);
    await Promise.all([call.phone.press('12', 170), call.trunk.press('34')]);
    await Promise.all([call.trunk.waitForDigits(2), call.phone.listener.waitForDigits(2)]);
    expect([call.trunk.digits, call.phone.listener.digits]).toEqual(['12', '34']);
    await call.finish();
    const [record] = await waitForRecord(stage.running);
    expect(record).toMatchObject({ release: { internalCode: 'hang-up' } });
  });

  test('killed and started anew: the stream is given up at the next look', async () => {
    const { engine, daemons } = await openBed({ inactivityTimeoutMs: 4000 });
    const call = await openCall(engine);
    await talk(call);
    call.stream.playDigit('callee', { digitId: 'one', eventCode: 1, durationMs: 5000 });
    call.stream.playDigit('callee', { digitId: 'two', eventCode: 2, durationMs: 100 });
    await daemons[0]?.startAgain();
    await waitFor('loss', () => call.listener.lostFor.length === 1);
    expect(call.listener.lostFor).toEqual(['engine-lost']);
    await waitFor('drops', () => call.listener.dropped.length === 2);
    const counters = await call.stream.close();
    expect(counters.caller.receivedPackets).toBeGreaterThanOrEqual(0);
    call.stream.playDigit('callee', { digitId: 'late', eventCode: 3, durationMs: 100 });
    expect(call.listener.dropped.at(-1)?.reason).toBe('stream-closed');
    // It answers, so it gets new calls.
    const next = await openStream(engine);
    expect(next.local.caller.rtpPort).toBeGreaterThan(0);
  });

  test('killed and started anew just before an update: the same ports are not the same call', async () => {
    const mediaRange = await freePortRange(4);
    const { engine, daemons } = await openBed({ daemonOptions: { mediaRange } });
    const call = await openCall(engine);
    await talk(call);
    await daemons[0]?.startAgain();
    call.stream.update({ ...call.update });
    await waitFor('loss', () => call.listener.lostFor.length === 1);
    expect(call.listener.lostFor).toEqual(['engine-lost']);
  });

  test('killed while the other one lives: new streams go there', async () => {
    const { engine, daemons } = await openBed({ daemons: 2 });
    await daemons[0]?.kill();
    for (let count = 0; count < 3; count += 1) {
      const { local } = await openStream(engine);
      const range = daemons[1]?.mediaRange;
      expect(local.caller.rtpPort).toBeGreaterThanOrEqual(range?.first ?? 0);
      expect(local.callee.rtpPort).toBeLessThanOrEqual(range?.last ?? 0);
    }
  });

  test('with no ports left: the stream is refused for that', async () => {
    const mediaRange = await freePortRange(12);
    const { engine } = await openBed({ daemonOptions: { mediaRange } });
    const opened: string[] = [];
    let failed: string | undefined;
    while (failed === undefined && opened.length < mediaRange.last) {
      const stream = await tryStream(engine);
      if (stream.type === 'failure') failed = stream.reason;
      else opened.push(stream.streamId);
    }
    expect(failed).toBe('no-ports');
    expect(opened.length).toBeGreaterThan(0);
  });

  test('silent on both legs: the silence is reported once', async () => {
    const { engine } = await openBed({ inactivityTimeoutMs: 1200 });
    const call = await openCall(engine);
    await talk(call);
    call.caller.stopAudio();
    call.callee.stopAudio();
    await waitFor('silence', () => call.listener.quietMs.length > 0);
    expect(call.listener.quietMs[0]).toBeGreaterThanOrEqual(1200);
  });
});

function isWithin(port: number, range: PortRange | undefined): boolean {
  return range !== undefined && port >= range.first && port <= range.last;
}

async function waitForRecord(running: { cdrs(): Promise<unknown[]> }): Promise<unknown[]> {
  for (;;) {
    const records = await running.cdrs();
    if (records.length > 0) return records;
    await sleep(POLL_MS);
  }
}
