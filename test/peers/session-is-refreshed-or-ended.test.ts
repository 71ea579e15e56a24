/**
 *   bob                         SBC                        alice
 *     | 200, Session-Expires: 30 |                            |
 *     |------------------------->|                            |
 *     |  15 s later       UPDATE |                            |   or a re-INVITE with the description sent last
 *     |<-------------------------|                            |
 *     | 200                      |                            |
 *     |------------------------->|                            |
 *     |  20 s without a refresh  |                            |
 *     |<------------------- BYE -|- BYE --------------------->|
 *
 * The calls run at the same time, so that all of it takes as long as the longest.
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, type CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { methodOf, statusOf, type Header, type SipText } from '../support/sip-text.ts';
import {
  endTimedCall,
  methodsIn,
  timedCall,
  timerHeaders,
  type TimedCall,
  type TimedHeaders,
} from '../support/timed-call.ts';

checkLeaksAfterEach();

const TIMER: Header = ['Supported', 'timer'];
const UPDATE: Header = ['Allow', 'INVITE, ACK, BYE, UPDATE'];
const LONG_MS = 60_000;

function expires(value: string): Header {
  return ['Session-Expires', value];
}

type End = 'alice' | 'bob';

interface Course {
  /** Headers of the INVITE and the 200. */
  readonly headers: TimedHeaders;
  /** What is seen of the call, which is over then. */
  readonly run: (call: TimedCall, stage: CallStage) => Promise<unknown>;
  readonly sees: unknown;
}

const COURSES: Readonly<Record<string, Course>> = {
  'a callee that takes UPDATE is refreshed by UPDATE without offer': {
    headers: { bob: [UPDATE, expires('30;refresher=uac')] },
    run: async (call) => {
      const update = await call.bob.waitForRequest('UPDATE', 1, LONG_MS);
      await endTimedCall(call);
      return [update.body, timerHeaders(update)];
    },
    sees: ['', { Supported: 'timer', 'Session-Expires': '30;refresher=uac', 'Min-SE': '1' }],
  },
  'any other callee by re-INVITE with the offer that it had': {
    headers: { bob: [expires('30;refresher=uac')] },
    run: async (call) => {
      const reinvite = await call.bob.waitForRequest('INVITE', 1, LONG_MS);
      await call.bob.waitForAck(2, LONG_MS);
      await endTimedCall(call);
      return [reinvite.body === call.invite.body, methodsIn(call.alice)];
    },
    sees: [true, []],
  },
  'a caller that leaves it to us is refreshed by UPDATE': {
    headers: { alice: [TIMER, UPDATE, expires('30;refresher=uas')] },
    run: async (call) => {
      const update = await call.alice.waitForRequest('UPDATE', 1, LONG_MS);
      await endTimedCall(call);
      return [update.body, timerHeaders(update)['Session-Expires']];
    },
    sees: ['', '30;refresher=uac'],
  },
  'or by re-INVITE with the answer that it had': {
    headers: { alice: [TIMER, expires('30;refresher=uas')] },
    run: async (call) => {
      const reinvite = await call.alice.waitForRequest('INVITE', 1, LONG_MS);
      await endTimedCall(call);
      return [reinvite.body === call.answer.body, methodsIn(call.bob).includes('INVITE')];
    },
    sees: [true, false],
  },
  'a call on hold stays on hold': {
    headers: { bob: [expires('30;refresher=uac')] },
    run: async (call, stage) => {
      await hold(call, stage, 'bob');
      const { body } = await call.bob.waitForRequest('INVITE', 1, LONG_MS);
      await endTimedCall(call);
      return [/^a=(\w+only)/m.exec(body)?.[1], methodsIn(call.alice)];
    },
    sees: ['recvonly', ['INVITE']],
  },
  'while we refresh by re-INVITE nobody else may offer': {
    headers: { bob: [expires('30;refresher=uac')] },
    run: async (call, stage) => {
      const statuses: (number | undefined)[] = [];
      const offer = async (end: End): Promise<void> => {
        const body = plainOffer(stage[end].sip);
        statuses.push(statusOf(await call[end].request('INVITE', { body })));
      };
      call.bob.handle('INVITE', async () => {
        await offer('bob');
        await offer('alice');
        return { status: 200, body: plainOffer(stage.bob.sip) };
      });
      await call.bob.waitForAck(2, LONG_MS);
      await endTimedCall(call);
      return statuses;
    },
    sees: [491, 491],
  },
  'a refresh that meets one of the peer is tried again': {
    headers: { alice: [TIMER, UPDATE, expires('36;refresher=uas')] },
    run: async (call) => {
      let answers = 0;
      call.alice.handle('UPDATE', () => ({ status: (answers += 1) === 1 ? 491 : 200 }));
      await call.alice.waitForRequest('UPDATE', 2, LONG_MS);
      await endTimedCall(call);
      return methodsIn(call.alice);
    },
    sees: ['UPDATE', 'UPDATE'],
  },
  'a refresh that is too short for the peer is made longer': {
    headers: { bob: [UPDATE, expires('30;refresher=uac')] },
    run: async (call) => {
      call.bob.handle('UPDATE', (request) =>
        timerHeaders(request)['Min-SE'] === '100'
          ? { status: 200, headers: [expires('100;refresher=uac')] }
          : { status: 422, headers: [['Min-SE', '100']] },
      );
      const update = await call.bob.waitForRequest('UPDATE', 2, LONG_MS);
      await endTimedCall(call);
      return timerHeaders(update)['Session-Expires'];
    },
    sees: '100;refresher=uac',
  },
  'a callee that has lost the dialog ends the call': {
    headers: { bob: [UPDATE, expires('30;refresher=uac')] },
    run: async (call) => {
      call.bob.handle('UPDATE', () => ({ status: 481 }));
      return untilItEnds(call);
    },
    sees: { alice: ['BYE'], bob: ['UPDATE', 'BYE'] },
  },
  'a callee that refuses every refresh ends the call with the session': {
    headers: { bob: [UPDATE, expires('30;refresher=uac')] },
    run: async (call) => {
      call.bob.handle('UPDATE', () => ({ status: 500 }));
      const { alice, bob } = await untilItEnds(call);
      return { alice, isTriedAgain: bob.length > 2, last: bob.at(-1) };
    },
    sees: { alice: ['BYE'], isTriedAgain: true, last: 'BYE' },
  },
  'a callee that takes the refreshing over and does not refresh ends the call': {
    headers: { bob: [UPDATE, expires('30;refresher=uac')] },
    run: async (call) => {
      call.bob.handle('UPDATE', () => ({ status: 200, headers: [expires('3;refresher=uas')] }));
      return untilItEnds(call);
    },
    sees: { alice: ['BYE'], bob: ['UPDATE', 'BYE'] },
  },
  'a caller that refreshes keeps the call': {
    headers: { alice: [TIMER, expires('15;refresher=uac')] },
    run: async (call) => {
      const answers: SipText[] = [];
      for (let refresh = 0; refresh < 4; refresh += 1) {
        await new Promise((resolve) => {
          setTimeout(resolve, 3000);
        });
        const headers = [TIMER, expires('15;refresher=uac')];
        answers.push(await call.alice.request('UPDATE', { headers }));
      }
      await endTimedCall(call);
      return [answers.map((answer) => statusOf(answer)), methodsIn(call.alice)];
    },
    sees: [[200, 200, 200, 200], []],
  },
  'a callee without session timer is asked whether it is there': {
    headers: {},
    run: async (call) => {
      let answers = 0;
      call.bob.handle('OPTIONS', () => ({ status: (answers += 1) < 3 ? 200 : 481 }));
      return untilItEnds(call);
    },
    sees: { alice: ['BYE'], bob: ['OPTIONS', 'OPTIONS', 'OPTIONS', 'BYE'] },
  },
};

test('calls with session timers', { timeout: 2 * LONG_MS }, async () => {
  const stage = await openCallStage({
    access: { 'min-se': '1', 'kpml-interworking': 'disabled' },
    core: { 'min-se': '1', 'dialog-ping': '2' },
  });
  const running: (readonly [string, Promise<unknown>])[] = [];
  for (const [name, { headers, run }] of Object.entries(COURSES)) {
    const call = await timedCall(stage, headers);
    running.push([name, run(call, stage)]);
  }
  const seen = await Promise.all(running.map(async ([name, outcome]) => [name, await outcome]));
  const records = await callRecords(stage.running, running.length);

  const expected = Object.entries(COURSES).map(([name, { sees }]) => [name, sees]);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
  const causes = records.map(({ release }) => `${release.internalCode} ${release.side}`);
  expect(causes.filter((cause) => !cause.startsWith('hang-up')).toSorted()).toEqual([
    'dialog-lost callee',
    'dialog-lost callee',
    'session-expired callee',
    'session-expired callee',
  ]);
});

/** Puts the call on hold: `end` sends music, the other one only listens. */
async function hold(call: TimedCall, stage: CallStage, end: End): Promise<void> {
  const other = end === 'alice' ? 'bob' : 'alice';
  const description = (of: End, direction: 'sendonly' | 'recvonly'): string =>
    buildSdp({ address: stage[of].sip.address, rtpPort: 40_000, direction, version: 2 });
  call[other].handle('INVITE', () => ({ status: 200, body: description(other, 'recvonly') }));
  call[end].handle('INVITE', () => ({ status: 200, body: description(end, 'sendonly') }));
  await call[end].request('INVITE', {
    headers: [expires('30;refresher=uas')],
    body: description(end, 'sendonly'),
  });
}

/** The requests that either end has received when both have heard of the end. */
async function untilItEnds({ alice, bob }: TimedCall): Promise<Record<End, string[]>> {
  await Promise.all([alice.waitForEnd(LONG_MS), bob.waitForEnd(LONG_MS)]);
  return { alice: alice.received.map(methodOf), bob: bob.received.map(methodOf) };
}
