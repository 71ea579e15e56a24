/**
 *   alice            SBC                        bob
 *     | ==== call on port P, interface access ==== |
 *     |                | reload: P is removed, moved or its interface is gone
 *     | INVITE to P    |
 *     |--------------->|  503, or what its new interface says
 *     | BYE, re-INVITE |                           |
 *     |--------------->|-------------------------->|
 *     |                |  last call on P over: P closes
 */
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  aliceCallsBob,
  bobCallsAlice,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage, PlainCall } from '../support/call-stage.ts';
import { withEngineThread } from '../support/engine-loss.ts';
import { freePorts, isTcpFree, isUdpFree } from '../support/free-ports.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const HOST = '127.0.0.1';

function withPort({ running }: CallStage, port: number): string {
  return running.yaml.replace(
    /sip-ports: \[[^\]]*\]/,
    `sip-ports: [ "udp/${HOST}:${port}", "tcp/${HOST}:${port}" ]`,
  );
}

/** The interface `access` under another name, on `port`. */
function renamed(stage: CallStage, port: number): string {
  return withPort(stage, port).replace('- name: access\n', '- name: phones\n');
}

/** How a new call of alice to the port is answered; 0 for silence. */
async function newCallStatus({ alice }: CallStage, port: number): Promise<number> {
  const via = { address: HOST, port };
  const invite = alice.sip.invite({ to: '1', via, body: plainOffer(alice.sip) });
  return statusOf(await invite.finished()) ?? 0;
}

async function inDialogStatuses(call: PlainCall): Promise<readonly (number | undefined)[]> {
  const byAlice = statusOf(await call.alice.reinvite('sendrecv'));
  const byBob = statusOf(await call.bob.reinvite('sendrecv'));
  return [byAlice, byBob];
}

async function closes(port: number): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!(await isUdpFree(port, HOST)) || !(await isTcpFree(port, HOST))) {
    if (performance.now() > deadlineMs) throw new Error(`port ${port} is still open`);
    await sleep(100);
  }
}

describe.each(['udp', 'tcp'] as const)('a call over %s', (transport) => {
  test('goes on and ends on a port that its interface has no more', async () => {
    const stage = await openCallStage({ transport });
    const { port } = stage.running.access;
    const [other = 0] = await freePorts(1);
    const call = await aliceCallsBob(stage);

    const view = await stage.running.reload(withPort(stage, other));
    const refused = await newCallStatus(stage, port);
    const inside = await inDialogStatuses(call);
    await finish(call);
    await closes(port);

    expect(view.type).toBe('applied');
    expect(refused).toBe(503);
    expect(inside).toEqual([200, 200]);
  });

  test('goes on and ends when its interface is gone, hung up by the far end', async () => {
    const stage = await openCallStage({ transport });
    const { port } = stage.running.access;
    const [other = 0] = await freePorts(1);
    const call = await aliceCallsBob(stage);

    await stage.running.reload(renamed(stage, other));
    const refused = await newCallStatus(stage, port);
    const inside = await inDialogStatuses(call);
    await call.bob.hangUp();
    await call.alice.waitForEnd();
    await closes(port);
    const next = await aliceCallsBob({
      ...stage,
      running: { ...stage.running, access: { address: HOST, port: other } },
    });
    await finish(next);

    expect(refused).toBe(503);
    expect(inside).toEqual([200, 200]);
  });

  test('goes on while its port belongs to another interface, which takes the new calls', async () => {
    const stage = await openCallStage({ transport });
    const { port } = stage.running.access;
    const call = await aliceCallsBob(stage);

    await stage.running.reload(renamed(stage, port));
    const second = await aliceCallsBob(stage);
    const third = await bobCallsAlice(stage);
    const inside = [...(await inDialogStatuses(call)), ...(await inDialogStatuses(second))];
    for (const each of [call, second, third]) await finish(each);
    const fourth = await aliceCallsBob(stage);
    await finish(fourth);

    expect(inside).toEqual([200, 200, 200, 200]);
  });

  test('goes on when its port comes back before it is over', async () => {
    const stage = await openCallStage({ transport });
    const [other = 0] = await freePorts(1);
    const call = await aliceCallsBob(stage);

    await stage.running.reload(renamed(stage, other));
    await stage.running.reload(stage.running.yaml);
    const second = await aliceCallsBob(stage);
    const inside = await inDialogStatuses(call);
    await finish(call);
    await closes(other);
    await finish(second);
    await finish(await aliceCallsBob(stage));

    expect(inside).toEqual([200, 200]);
  });
});

test('an engine that crashes behind a reload comes back with the interfaces and ports of that reload', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  const { port } = stage.running.access;
  const [other = 0] = await freePorts(1);
  const call = await aliceCallsBob(stage);
  await stage.running.reload(renamed(stage, other));
  const { sbc } = stage.running;

  const restarted = once(process, 'worker');
  await thread.terminate();
  await restarted;
  await waitFor('the end of the call', () => sbc.calls.size === 0);
  await waitFor('the engine', () => sbc.stack.isUp);
  const next = await aliceCallsBob({
    ...stage,
    running: { ...stage.running, access: { address: HOST, port: other } },
  });
  await finish(next);

  expect(await isUdpFree(port, HOST)).toBe(true);
  await call.bob.waitForEnd();
});
