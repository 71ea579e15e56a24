/** Rows 62 and 72 on virtual time: what becomes of the leg that a call leaves behind. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AccountTreatment, CallFeatures } from '../../../src/call/forward/call-features.ts';
import { Registrations } from '../../../src/call/outside/registrations.ts';
import { CallRegistry } from '../../../src/call/registry.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { CdrRecord } from '../../../src/observe/cdr.ts';
import { CdrWriter } from '../../../src/observe/cdr-writer.ts';
import { DigitLedger } from '../../../src/observe/digit-ledger.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import { createLog } from '../../../src/observe/log.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { IncomingInvite } from '../../../src/sip/incoming-invite.ts';
import { OutgoingInvite } from '../../../src/sip/outgoing-invite.ts';
import { CallAdmission } from '../../../src/trunk/admission.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';
import { FakeMediaEngine } from '../../support/fake-media-engine.ts';
import {
  FakeReceivedRequest,
  FakeSipConnection,
  type SentFake,
} from '../../support/fake-sip-connection.ts';
import { buildSdp } from '../../support/sdp-text.ts';
import { table } from '../sip/invite-fixtures.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
session-agents:
  - { name: phone, realm: core, address: 10.0.0.1 }
  - { name: spare, realm: core, address: 10.0.0.2 }
  - { name: target, realm: core, address: 10.0.0.3 }
session-groups:
  - { name: phones, members: [ phone, spare ] }
local-policies:
  - { from-realm: access, to: "*", next-hop: phones }
  - { from-realm: core, to: "*", next-hop: target }
`;

const AFTER_MS = 10_000;
const SDP = { 'Content-Type': 'application/sdp' };
const CONTACT = { Contact: '<sip:peer@10.0.0.1>' };

class KeptRecords extends CdrWriter {
  readonly records: CdrRecord[] = [];

  constructor() {
    super({ file: '/dev/null', onFailure: () => undefined });
  }

  override write(record: CdrRecord): void {
    this.records.push(record);
  }
}

function featuresThat(treatment: AccountTreatment): CallFeatures {
  return {
    settings: { send181: true, diversionHeaders: 'both', maxDiversions: 5 },
    accountAt: (uri) => (uri.includes('@t.example') ? undefined : 'sip:2001@pbx.example'),
    actOn: () => true,
    decide: () => Promise.resolve({ treatment, withheld: [] }),
  };
}

const NO_ANSWER = {
  feature: 'CallForwardingNoAnswer',
  reason: 'no-answer',
  target: 'sip:later@t.example',
} as const;
const BUSY = {
  feature: 'CallForwardingBusy',
  reason: 'user-busy',
  target: 'sip:busy@t.example',
} as const;

const RINGS: AccountTreatment = {
  type: 'ring',
  busy: BUSY,
  noAnswer: { forward: NO_ANSWER, afterMs: AFTER_MS, isForUnreachable: true },
};

function unused(): never {
  throw new Error('not used here');
}

/** A call to the account whose INVITE is on its way. */
async function calling(treatment: AccountTreatment = RINGS, locked: readonly string[] = []) {
  const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const connection = new FakeSipConnection();
  const { addDialog } = table(connection);
  const agents = new AgentRegistry(config);
  for (const name of locked) agents.setLocked(name, true);
  const cdr = new KeptRecords();
  const media = new FakeMediaEngine();
  const errors: string[] = [];
  const registry = new CallRegistry(
    {
      config,
      stack: {
        isUp: true,
        dialogCount: 0,
        invite: ({ uri, headers, body }, handler, dialogHandler) => {
          const invite = new OutgoingInvite(handler, dialogHandler, addDialog);
          const given = { ...headers, ...SDP };
          invite.send(connection, { method: 'INVITE', uri, headers: given, body: body ?? '' });
          return invite;
        },
        subscribe: unused,
        request: unused,
        ping: unused,
        close: unused,
      },
      media,
      ledger: new DigitLedger(),
      ladder: new LadderRecorder(),
      metrics: new Metrics(),
      cdr,
      log: createLog('error', { write: (line: string) => errors.push(line) }),
      features: featuresThat(treatment),
      nowMs: () => Date.now(),
    },
    { agents, admission: new CallAdmission(config, agents), registrations: new Registrations() },
  );
  const headers = {
    'Call-ID': 'a',
    From: '<sip:alice@t.example>;tag=1',
    To: '<sip:us@sbc>',
    Contact: '<sip:alice@127.0.0.2>',
    ...SDP,
  };
  const body = buildSdp({ address: '127.0.0.2', rtpPort: 40_000 });
  const received = new FakeReceivedRequest('INVITE', headers, { body });
  registry.admit(new IncomingInvite('access', received, { addDialog, onSettled: () => undefined }));
  await vi.advanceTimersByTimeAsync(1);
  return { registry, connection, received, records: cdr.records, media, errors };
}

type Calling = Awaited<ReturnType<typeof calling>>;

function invitesOf({ connection }: Calling): SentFake[] {
  return connection.sent.filter(({ options }) => options.method === 'INVITE');
}

/** The user parts that were called, in order. */
function called(call: Calling): string[] {
  return invitesOf(call).map(({ options }) => /^sip:(.*)@/.exec(options.uri ?? '')?.[1] ?? 'us');
}

function nth(call: Calling, at: number): SentFake {
  const sent = invitesOf(call)[at];
  if (sent === undefined) throw new Error(`no INVITE number ${at}`);
  return sent;
}

function answerBody(): string {
  return buildSdp({ address: '10.0.0.1', rtpPort: 30_000 });
}

function statusesOf({ received }: Calling): number[] {
  return received.answers.map(({ status }) => status);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a phone that gives no sign of life', () => {
  test('is left after 4 s and the rings, and a late 200 of it is hung up', async () => {
    const call = await calling();
    nth(call, 0).goOut();
    await vi.advanceTimersByTimeAsync(4000 + AFTER_MS - 10);
    expect(called(call)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(called(call).at(-1)).toBe('later');
    expect(statusesOf(call)).toEqual([181]);

    nth(call, 1).goOut();
    nth(call, 0).answer(200, { To: '<sip:us@sbc>;tag=late', ...CONTACT }, answerBody());
    await vi.advanceTimersByTimeAsync(10);
    expect(nth(call, 0).acknowledgements).toHaveLength(1);
    expect(call.connection.sent.map(({ options }) => options.method)).toContain('BYE');
    expect(call.registry.size).toBe(1);

    nth(call, 1).answer(486, { To: '<sip:later@t>;tag=t' });
    await vi.advanceTimersByTimeAsync(10);
    expect(statusesOf(call)).toEqual([181, 486]);
    expect(call.records[0]).toMatchObject({
      attempts: [{ code: 408 }, { code: 486 }],
      forwarding: { steps: [{ feature: 'CallForwardingNoAnswer', to: 'sip:later@t.example' }] },
    });
    expect(call.errors).toEqual([]);
  });
});

/** A call whose phone has sent 180 at once, and whose CANCEL has left. */
async function rungOut(): Promise<Calling> {
  const call = await calling();
  nth(call, 0).goOut();
  nth(call, 0).answer(180, { To: '<sip:us@sbc>;tag=p' });
  await vi.advanceTimersByTimeAsync(AFTER_MS + 5);
  const { cancels } = nth(call, 0);
  if (cancels.length !== 1 || invitesOf(call).length !== 1) throw new Error('not just cancelled');
  return call;
}

describe('a phone that has rung long enough', () => {
  test.each<[string, number, string[], number[]]>([
    ['agrees', 487, ['later'], [180, 181]],
    ['is busy in that moment', 486, ['busy'], [180, 181]],
    ['is refused by its user in that moment', 603, [], [180, 603]],
  ])('%s: %i', async (_, status, others, told) => {
    const call = await rungOut();
    nth(call, 0).answer(status, { To: '<sip:us@sbc>;tag=p' });
    await vi.advanceTimersByTimeAsync(10);

    expect(called(call).slice(1)).toEqual(others);
    expect(statusesOf(call)).toEqual(told);
    if (others.length > 0) call.received.cancel();
  });

  test('answers before the CANCEL reaches it: the call is its own', async () => {
    const call = await rungOut();
    nth(call, 0).answer(200, { To: '<sip:us@sbc>;tag=p', ...CONTACT }, answerBody());
    await vi.advanceTimersByTimeAsync(60_000);

    expect(called(call)).toHaveLength(1);
    expect(statusesOf(call)).toEqual([180, 200]);
    await call.registry.endAll({ name: 'operator', by: 'sbc' });
  });

  test('and does not answer the CANCEL: the call goes on without it', async () => {
    const call = await rungOut();
    await vi.advanceTimersByTimeAsync(2100);
    expect(called(call).slice(1)).toEqual(['later']);
    nth(call, 0).answer(487, { To: '<sip:us@sbc>;tag=p' });
    nth(call, 0).answer(180, { To: '<sip:us@sbc>;tag=p' });
    await vi.advanceTimersByTimeAsync(10);

    expect(statusesOf(call)).toEqual([180, 181]);
    call.received.cancel();
  });

  test('and a caller who gives up then: nobody else is called', async () => {
    const call = await rungOut();
    call.received.cancel();
    nth(call, 0).answer(487, { To: '<sip:us@sbc>;tag=p' });
    await vi.advanceTimersByTimeAsync(60_000);

    expect(called(call)).toHaveLength(1);
    expect(call.registry.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    // Even though the 487 is there before the record is written.
    expect(call.records[0]?.attempts).toMatchObject([
      { code: 487, reason: 'cancelled by the caller' },
    ]);
  });
});

test('the media of the leg that is left is silent until the next answer', async () => {
  const call = await calling();
  nth(call, 0).goOut();
  nth(call, 0).answer(183, { To: '<sip:us@sbc>;tag=p', ...SDP }, answerBody());
  const remoteOf = (): unknown => call.media.opened[0]?.updates.at(-1)?.legs.callee.remote;
  expect(remoteOf()).toMatchObject({ rtpPort: 30_000 });
  nth(call, 0).answer(486, { To: '<sip:us@sbc>;tag=p' });
  await vi.advanceTimersByTimeAsync(10);

  expect(called(call).at(-1)).toBe('busy');
  expect(remoteOf()).toBeUndefined();
  call.received.cancel();
});

test('the other hops of the account are tried before it is left, in the time of the same rings', async () => {
  const call = await calling();
  nth(call, 0).goOut();
  nth(call, 0).answer(180, { To: '<sip:us@sbc>;tag=p' });
  await vi.advanceTimersByTimeAsync(AFTER_MS / 2);
  nth(call, 0).answer(503, { To: '<sip:us@sbc>;tag=p' });
  await vi.advanceTimersByTimeAsync(10);
  nth(call, 1).goOut();
  nth(call, 1).answer(180, { To: '<sip:us@sbc>;tag=q' });
  await vi.advanceTimersByTimeAsync(AFTER_MS / 2);
  nth(call, 1).answer(487, { To: '<sip:us@sbc>;tag=q' });
  await vi.advanceTimersByTimeAsync(10);

  expect(invitesOf(call)).toHaveLength(3);
  expect(called(call).at(-1)).toBe('later');
  call.received.cancel();
});

describe('nobody is there to ring', () => {
  test('no agent takes calls: the call goes on at once, by the dial plan of the account', async () => {
    const call = await calling(RINGS, ['phone', 'spare']);

    expect(called(call)).toEqual(['later']);
    expect(statusesOf(call)).toEqual([181]);
    call.received.cancel();
  });

  test('no hop can be reached: the call goes on after the last one', async () => {
    const call = await calling();
    nth(call, 0).makeUp(503);
    await vi.advanceTimersByTimeAsync(10);
    expect(statusesOf(call)).toEqual([]);
    nth(call, 1).makeUp(503);
    await vi.advanceTimersByTimeAsync(10);

    expect(called(call).slice(2)).toEqual(['later']);
    call.received.cancel();
  });

  test('and that counts as no answer only if it is to', async () => {
    const noAnswer = { forward: NO_ANSWER, afterMs: AFTER_MS, isForUnreachable: false };
    const call = await calling({ type: 'ring', noAnswer }, ['phone', 'spare']);

    expect(called(call)).toEqual([]);
    expect(statusesOf(call)).toEqual([503]);
  });
});
