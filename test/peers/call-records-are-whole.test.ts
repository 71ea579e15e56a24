/**
 * Each way a call can end has one record, and this file shows all of it. Times, ids and ports are words.
 *
 *   alice ── access [SBC] core ── bob       numbers with 5 lead to bob, others nowhere
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage, CallStageOptions } from '../support/call-stage.ts';
import { normalised } from '../support/cdr-golden.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { SipServers } from '../support/sip-servers.ts';

checkLeaksAfterEach();

const ACCESS = 0;
const NUMBER = '5551000';

const INGRESS = {
  agent: 'phone',
  realm: 'access',
  interface: 'access',
  remote: '127.0.0.2:ALICE',
  sipCallId: 'CALL-ID',
  from: '<sip:alice@127.0.0.2:ALICE>;tag=TAG',
  to: '<sip:5551000@127.0.0.1:ACCESS>',
  ruri: 'sip:5551000@127.0.0.1:ACCESS',
  transport: 'udp',
  srtp: false,
};
const EGRESS = {
  agent: 'carrier',
  realm: 'core',
  interface: 'core',
  remote: '127.0.0.3:BOB',
  sipCallId: 'CALL-ID',
  from: '<sip:alice@127.0.0.4:CORE>;tag=TAG',
  to: '<sip:5551000@127.0.0.3:BOB>',
  ruri: 'sip:5551000@127.0.0.3:BOB',
  transport: 'udp',
  srtp: false,
};
const CODEC = { codec: 'PCMU/8000' };
const ATTEMPT = {
  agent: 'carrier',
  nextHop: 'sip:127.0.0.3:BOB;transport=udp',
  transport: 'udp',
  code: 200,
  reason: 'OK',
  start: 'TIME',
  end: 'TIME',
};
const MEDIA = {
  packets: 'SOME',
  octets: 'SOME',
  lost: 0,
  jitterMs: 'MS',
  srcLearned: false,
  inactive: false,
};
const SILENCE = { ...MEDIA, packets: 0, octets: 0 };
const NO_DTMF = {
  ingressMethod: 'none',
  egressMethod: 'none',
  decision: '',
  digitsIn: 0,
  digitsOut: 0,
  dropped: 0,
};
const POLICY = {
  name: 'from-realm access, to 5, next-hop carrier',
  rule: 'from-realm access, to 5, next-hop carrier',
};
const SET_UP = { invite: 'TIME', trying: 'TIME', firstProgress: 'TIME', ringing: 'TIME' };

/** An answered call that alice ended. */
const ANSWERED = {
  version: 1,
  cdrId: 'ID',
  callId: 'ID',
  config: { hash: 'HASH' },
  node: 'NODE',
  ingress: { ...INGRESS, ...CODEC },
  egress: { ...EGRESS, ...CODEC },
  attempts: [ATTEMPT],
  numbers: { calledIn: NUMBER, callerIn: 'alice', calledOut: NUMBER, callerOut: 'alice' },
  timestamps: { ...SET_UP, answer: 'TIME', end: 'TIME' },
  durations: { pdd: 'SECONDS', ring: 'SECONDS', bill: 'SOME' },
  release: { side: 'caller', sipCode: 200, q850: 16, internalCode: 'hang-up', text: 'hung up' },
  media: { perLeg: { ingress: MEDIA, egress: MEDIA } },
  dtmf: { ...NO_DTMF, ingressMethod: '2833', egressMethod: '2833', decision: 'DECISION' },
  policy: POLICY,
};
/** A call that bob refused before it rang. */
const REFUSED = {
  ...ANSWERED,
  ingress: INGRESS,
  egress: EGRESS,
  attempts: [{ ...ATTEMPT, code: 486, reason: 'Busy Here' }],
  timestamps: { invite: 'TIME', trying: 'TIME', end: 'TIME' },
  durations: { bill: 0 },
  release: {
    side: 'callee',
    sipCode: 486,
    q850: 17,
    internalCode: 'callee-refused',
    text: 'Busy Here',
  },
  media: { perLeg: { ingress: SILENCE, egress: SILENCE } },
  dtmf: NO_DTMF,
};
/** A call that was refused before anybody was asked. */
const {
  egress: _egress,
  policy: _policy,
  ...NOBODY_ASKED
} = {
  ...REFUSED,
  attempts: [],
  numbers: { calledIn: NUMBER, callerIn: 'alice' },
  timestamps: { invite: 'TIME', end: 'TIME' },
  media: { perLeg: {} },
};

function bySbc(...[sipCode, q850, internalCode, text]: [number, number, string, string]): unknown {
  return { side: 'sbc', sipCode, q850, internalCode, text };
}

function open(options: CallStageOptions = {}): Promise<CallStage> {
  return openCallStage({
    ...options,
    edit: async (yaml) => {
      const edited = yaml.replace('to: "*", next-hop: carrier', 'to: "5", next-hop: carrier');
      return (await options.edit?.(edited)) ?? edited;
    },
  });
}

/** What the only record of the stage says. */
async function recordOf({ running, alice, bob }: CallStage): Promise<unknown> {
  const records = await callRecords(running, 1);
  expect(records).toHaveLength(1);
  const [record] = records;
  if (record === undefined) throw new Error('no record');
  return normalised(record, {
    [String(alice.sip.port)]: 'ALICE',
    [String(bob.sip.port)]: 'BOB',
    [String(running.access.port)]: 'ACCESS',
    [String(running.core.port)]: 'CORE',
    [record.dtmf.decision === '' ? '\0' : record.dtmf.decision]: 'DECISION',
  });
}

async function dial({
  alice,
  bob,
  running,
}: CallStage): Promise<{ outgoing: OutgoingCall; incoming: IncomingCall }> {
  const body = plainOffer(alice.sip);
  const outgoing = alice.sip.invite({ to: NUMBER, via: running.access, body });
  return { outgoing, incoming: await bob.sip.nextCall() };
}

test('answered, and ended by the caller', async () => {
  const stage = await open();
  const call = await aliceCallsBob(stage);
  await finish(call);
  expect(await recordOf(stage)).toEqual(ANSWERED);
});

test('answered, and ended by the callee', async () => {
  const stage = await open();
  const call = await aliceCallsBob(stage);
  await call.bob.hangUp();
  await call.alice.waitForEnd();
  expect(await recordOf(stage)).toEqual({
    ...ANSWERED,
    release: { ...ANSWERED.release, side: 'callee' },
  });
});

test('cancelled while it rang', async () => {
  const stage = await open();
  const { outgoing, incoming } = await dial(stage);
  incoming.ring();
  await outgoing.provisional(180);
  await outgoing.cancel();
  await outgoing.finished();
  expect(await recordOf(stage)).toEqual({
    ...REFUSED,
    attempts: [{ ...ATTEMPT, code: 487, reason: 'cancelled by the caller' }],
    timestamps: { ...SET_UP, end: 'TIME' },
    durations: { pdd: 'SECONDS', ring: 'SECONDS', bill: 0 },
    release: {
      side: 'caller',
      sipCode: 487,
      q850: 16,
      internalCode: 'caller-cancelled',
      text: 'cancelled by the caller',
    },
  });
});

test('refused by the callee', async () => {
  const stage = await open();
  const { outgoing, incoming } = await dial(stage);
  incoming.reject(486);
  await outgoing.finished();
  expect(await recordOf(stage)).toEqual(REFUSED);
});

test('answered by the second agent', async () => {
  const busy = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const agent = `  - { name: busy, realm: core, address: "127.0.0.3:${busy.port}" }\n`;
  const group = 'session-groups: [ { name: all, strategy: hunt, members: [ busy, carrier ] } ]\n';
  const stage = await open({
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n${agent}`)
        .replace('local-policies:\n', `${group}local-policies:\n`)
        .replace('next-hop: carrier', 'next-hop: all'),
  });
  void busy.nextCall().then((incoming) => incoming.reject(503, { reason: 'Full' }));
  await finish(await aliceCallsBob(stage));
  expect(await recordOf(stage)).toEqual({
    ...ANSWERED,
    attempts: [
      {
        ...ATTEMPT,
        agent: 'busy',
        nextHop: `sip:127.0.0.3:${busy.port}`,
        code: 503,
        reason: 'Full',
      },
      ATTEMPT,
    ],
    policy: {
      name: 'from-realm access, to 5, next-hop all',
      rule: 'from-realm access, to 5, next-hop all',
    },
  });
});

test('no room for it', async () => {
  const stage = await open({ phoneLeg: { constraints: '{ max-inbound-sessions: 1 }' } });
  const { outgoing, incoming } = await dial(stage);
  const second = stage.alice.sip.invite({
    to: NUMBER,
    via: stage.running.access,
    body: plainOffer(stage.alice.sip),
  });
  await second.finished();
  const record = await recordOf(stage);
  incoming.reject(486);
  await outgoing.finished();
  expect(record).toEqual({
    ...NOBODY_ASKED,
    release: bySbc(503, 42, 'limit-reached', 'max-inbound-sessions of session agent phone'),
    policy: POLICY,
  });
});

test('no route', async () => {
  const stage = await open();
  const body = plainOffer(stage.alice.sip);
  await stage.alice.sip.invite({ to: '9', via: stage.running.access, body }).finished();
  expect(await recordOf(stage)).toEqual({
    ...NOBODY_ASKED,
    ingress: { ...INGRESS, to: '<sip:9@127.0.0.1:ACCESS>', ruri: 'sip:9@127.0.0.1:ACCESS' },
    numbers: { calledIn: '9', callerIn: 'alice' },
    release: bySbc(404, 3, 'no-route', 'no-route'),
  });
});

test('ended because its media stopped', async () => {
  const stage = await open({
    edit: (yaml) => yaml.replace('workers: 1,', 'workers: 1, inactivity-timeout: 1s,'),
  });
  const call = await aliceCallsBob(stage);
  call.alice.rtp.stopAudio();
  call.bob.rtp.stopAudio();
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  const leg = { ...MEDIA, inactive: true };
  expect(await recordOf(stage)).toEqual({
    ...ANSWERED,
    release: bySbc(200, 102, 'media-timeout', 'media timeout'),
    media: { perLeg: { ingress: leg, egress: leg } },
  });
});

test('ended because the SIP engine was lost', async () => {
  const servers = new SipServers();
  const stage = await open({
    edit: async (yaml) =>
      (await servers.oneForEach(yaml)).replace(
        'engine: drachtio',
        'engine: drachtio, reconnect-hold: 0s',
      ),
    logsErrors: true,
  });
  const call = await aliceCallsBob(stage);
  await servers.lose(ACCESS);
  await call.bob.waitForEnd();
  await call.alice.rtp.close();
  expect(await recordOf(stage)).toEqual({
    ...ANSWERED,
    release: bySbc(200, 41, 'engine-lost', 'SIP engine lost'),
  });
});
