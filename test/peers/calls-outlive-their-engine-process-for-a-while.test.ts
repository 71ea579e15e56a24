/**
 *   alice ══ audio ══ SBC ══ audio ══ bob
 *     |                X server           the process that speaks SIP is killed: the audio goes on
 *     |           server |               it is back, on the same ports, and knows nothing of the call
 *     | BYE           |           BYE |
 *     |<--------------|-------------->|   both ends are released, a record says why, the next call succeeds
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  audioBothWays,
  callRecords,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import type { CallStage, PlainCall } from '../support/call-stage.ts';
import { loseEngine, loseEngineInTraffic } from '../support/engine-loss.ts';
import { EngineProcess } from '../support/engine-process.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { TcpGate } from '../support/tcp-gate.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** What the SBC says of its readiness: 200 or 503. */
async function readiness({ running }: CallStage): Promise<number> {
  const { address, port } = running.api;
  const response = await fetch(`http://${address}:${port}/readyz`);
  await response.body?.cancel();
  return response.status;
}

async function becomes(stage: CallStage, status: number): Promise<void> {
  await expect.poll(() => readiness(stage), { timeout: 20_000 }).toBe(status);
}

/** Waits until both ends are released; gives how the calls ended, in the order of their records. */
async function released({ running }: CallStage, call: PlainCall): Promise<string[]> {
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  const records = await callRecords(running, 1);
  return records.map(({ release }) => `${release.side} ${release.internalCode}`);
}

async function nextCallSucceeds(stage: CallStage): Promise<void> {
  const call = await aliceCallsBob(stage);
  await finish(call);
  expect(await callRecords(stage.running, 2)).toHaveLength(2);
}

async function openWithProcess(more = ''): Promise<{ stage: CallStage; engine: EngineProcess }> {
  const started = Promise.withResolvers<EngineProcess>();
  const stage = await openCallStage({
    logsErrors: true,
    edit: async (yaml) => {
      const engine = closeAfterTest(await EngineProcess.for(yaml));
      started.resolve(engine);
      return engine.configure(yaml, more);
    },
  });
  return { stage, engine: await started.promise };
}

test('an engine process is killed: the audio goes on until it is back, then the call ends', async () => {
  const { stage, engine } = await openWithProcess();
  const call = await aliceCallsBob(stage);

  await engine.kill();
  await becomes(stage, 503);
  await audioBothWays(call, 20);
  expect(stage.running.sbc.calls.size).toBe(1);
  expect([call.alice.dialog.isEnded, call.bob.dialog.isEnded]).toEqual([false, false]);

  await engine.start();
  expect(await released(stage, call)).toEqual(['sbc engine-lost']);
  await becomes(stage, 200);
  await nextCallSucceeds(stage);
});

test('an engine process stays away: the call ends after the hold, its peers hear of it later', async () => {
  const { stage, engine } = await openWithProcess(', reconnect-hold: 300ms');
  const call = await aliceCallsBob(stage);

  await engine.kill();
  await waitFor('end of the call', () => stage.running.sbc.calls.size === 0);
  await callRecords(stage.running, 1);
  expect([call.alice.dialog.isEnded, call.bob.dialog.isEnded]).toEqual([false, false]);

  await engine.start();
  expect(await released(stage, call)).toEqual(['sbc engine-lost']);
});

test('an end that hangs up while the engine process is away is not waited for', async () => {
  const { stage, engine } = await openWithProcess();
  const call = await aliceCallsBob(stage);

  await engine.kill();
  await becomes(stage, 503);
  const hangUp = call.alice.hangUp();
  await audioAt(call.alice, 3);
  await engine.start();
  await hangUp.catch(() => undefined);
  expect(await released(stage, call)).toEqual(['sbc engine-lost']);
});

test('only the connection to the engine process is lost: the call ends, since no server gives it back', async () => {
  const started = Promise.withResolvers<TcpGate>();
  const stage = await openCallStage({
    logsErrors: true,
    edit: async (yaml) => {
      const engine = closeAfterTest(await EngineProcess.for(yaml));
      const gate = closeAfterTest(await TcpGate.open(engine.adminPort));
      started.resolve(gate);
      return engine.configure(yaml).replace(`port: ${engine.adminPort}`, `port: ${gate.port}`);
    },
  });
  const gate = await started.promise;
  const call = await aliceCallsBob(stage);

  gate.cut();
  expect(await released(stage, call)).toEqual(['sbc engine-lost']);
  await becomes(stage, 200);
  await nextCallSucceeds(stage);
});

test('fifty calls are lost with their engine: each has its record, no leg and no port is left', async () => {
  const { report, recoveredMs } = await loseEngine({ engine: 'process', calls: 50 });
  expect(report.problems).toEqual([]);
  expect(report.causes.get('sbc engine-lost 200')).toBe(50);
  expect(recoveredMs).toBeLessThan(20_000);
});

test(
  'an engine that crashes again and again amid traffic leaves nothing in the SBC',
  { timeout: 180_000 },
  async () => {
    const report = await loseEngineInTraffic({ engine: 'thread', calls: 150 });
    expect(report.problems).toEqual([]);
    expect([...report.causes.keys()].join(' ')).toContain('engine-lost');
  },
);
