import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  bobCallsAlice,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage, CallStageOptions } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { PATIENCE_MS, sleep, waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

async function textAt({ running }: CallStage, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${running.api.port}${path}`)).text();
}

/** Status, Retry-After and cause of a call that alice tries. */
async function refusalOf(stage: CallStage): Promise<readonly unknown[]> {
  const { alice, running } = stage;
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const final = await outgoing.finished();
  return [statusOf(final), headerValue(final, 'Retry-After')];
}

function withAdmission(text: string): (yaml: string) => string {
  return (yaml) => yaml.replace(/^admission: .*$/m, `admission: ${text}`);
}

test.each<[string, CallStageOptions, string, string]>([
  [
    'the whole SBC',
    { edit: withAdmission('{ constraints: { max-sessions: 1 } }') },
    'max-sessions of the SBC',
    'sbc_admission_rejections_total{reason="total-constraint"} 1',
  ],
  [
    'the interface',
    { access: { constraints: '{ max-inbound-sessions: 1 }' } },
    'max-inbound-sessions of sip-interface access',
    'sbc_admission_rejections_total{reason="interface-constraint"} 1',
  ],
  [
    'the calling agent',
    { phoneLeg: { constraints: '{ max-sessions: 1 }' } },
    'max-sessions of session agent phone',
    'sbc_agent_constraint_rejections_total{agent="phone",constraint="max-sessions"} 1',
  ],
  [
    'the interface of the callee',
    { core: { 'rfc2833-mode': 'transparent', constraints: '{ max-outbound-sessions: 1 }' } },
    'max-outbound-sessions of sip-interface core',
    'sbc_admission_rejections_total{reason="interface-constraint"} 1',
  ],
])('%s takes one call and refuses the second', async (_, options, text, metric) => {
  const stage = await openCallStage(options);
  const call = await aliceCallsBob(stage);
  const refused = await refusalOf(stage);
  await finish(call);
  const metrics = await textAt(stage, '/metrics');
  const records = await callRecords(stage.running, 2);

  expect(refused).toEqual([503, '10']);
  expect(records.map(({ release }) => [release.internalCode, release.text])).toContainEqual([
    'limit-reached',
    text,
  ]);
  expect(metrics).toContain(metric);
});

test('room is free again before the caller can know that its call is over', async () => {
  const stage = await openCallStage({
    edit: withAdmission('{ constraints: { max-sessions: 1 } }'),
    carrierLeg: { constraints: '{ max-sessions: 1 }' },
  });
  const { alice, bob, running } = stage;
  const statuses = [];
  for (let round = 0; round < 20; round += 1) {
    const before = bob.sip.incoming.length;
    const body = plainOffer(alice.sip);
    const calling = alice.sip.invite({ to: '1', via: running.access, body });
    const isThere = (): boolean => bob.sip.incoming.length > before || calling.final !== undefined;
    await waitFor('INVITE or refusal', isThere);
    bob.sip.incoming[before]?.reject(486);
    statuses.push(statusOf(await calling.finished()));
  }

  expect(new Set(statuses)).toEqual(new Set([486]));
});

test('what is refused in one direction may pass in the other', async () => {
  const stage = await openCallStage({
    access: { constraints: '{ max-inbound-sessions: 1 }' },
  });
  const first = await aliceCallsBob(stage);
  const second = await bobCallsAlice(stage);
  await second.bob.hangUp();
  await second.alice.waitForEnd();
  await finish(first);
  const records = await callRecords(stage.running, 2);
  expect(records.map(({ release }) => release.internalCode)).toEqual(['hang-up', 'hang-up']);
});

test('a denied network is refused although anyone may call', async () => {
  const stage = await openCallStage({
    edit: (yaml) =>
      yaml.replace('    admit: anyone\n', '    admit: anyone\n    deny: [ 127.0.0.2 ]\n'),
  });
  const refused = await refusalOf(stage);
  const { alice, running } = stage;
  const options = await alice.sip.request('OPTIONS', { user: 'x', via: running.access });
  const metrics = await textAt(stage, '/metrics');

  expect(refused).toEqual([403, undefined]);
  expect(statusOf(options)).toBe(403);
  expect(metrics).toContain('sbc_acl_denied_total{rule="denied"} 2');
  expect(metrics).toContain('sbc_acl_denied_total{rule="unknown-source"} 0');
  const [record] = await callRecords(running, 1);
  expect(record?.release.internalCode).toBe('not-admitted');
});

/** Much longer than a busy machine holds up an event loop every now and then, as is what counts as late here. */
const BLOCK_MS = 600;

/** Keeps the event loop late until it is told to stop. */
function blockEventLoop(): () => void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let timer: NodeJS.Timeout | undefined;
  const block = (): void => {
    Atomics.wait(cell, 0, 0, BLOCK_MS);
    timer = setTimeout(block, 1);
  };
  block();
  return () => clearTimeout(timer);
}

test('a late event loop refuses new calls, keeps old ones, and recovers', async () => {
  const overload = '{ lag-high: 450ms, lag-low: 440ms, cpu-high: 0, hold: 100ms }';
  const stage = await openCallStage({
    edit: withAdmission(`{ overload: ${overload} }`),
  });
  const call = await aliceCallsBob(stage);
  const until = async (path: string, part: string): Promise<string> => {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = await textAt(stage, path);
      if (text.includes(part)) return text;
      if (performance.now() > deadlineMs) throw new Error(`no ${part} in ${text}`);
      await sleep(20);
    }
  };

  const stop = blockEventLoop();
  let refused: readonly unknown[] = [];
  let reasons = '';
  try {
    reasons = await until('/readyz', 'overloaded');
    // Calls go on at a pace below the one before: with the first call in the last sample that is not none yet.
    await until('/metrics', 'sbc_overload_calls_per_second 0\n');
    refused = await refusalOf(stage);
  } finally {
    stop();
  }
  await until('/metrics', 'sbc_overloaded 0');
  const later = await aliceCallsBob(stage);
  await finish(later);
  await finish(call);
  const metrics = await textAt(stage, '/metrics');

  expect(JSON.parse(reasons)).toMatchObject({
    isReady: false,
    reasons: ['overloaded (event-loop-lag): not all new calls are taken'],
  });
  expect(refused).toEqual([503, '10']);
  expect(metrics).toContain('sbc_admission_rejections_total{reason="overload"} 1');
  const records = await callRecords(stage.running, 3);
  expect(records.map(({ release }) => release.internalCode).toSorted()).toEqual([
    'hang-up',
    'hang-up',
    'overloaded',
  ]);
});
