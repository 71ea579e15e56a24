/** Offers inside a call whose answers go astray; the legs are dialogs on fake connections. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CallLeg } from '../../../src/call/call-leg.ts';
import type { NegotiatedSession } from '../../../src/call/call-session.ts';
import { EarlyExchange } from '../../../src/call/setup/early-exchange.ts';
import { MidCallRelay } from '../../../src/call/mid-call/mid-call-relay.ts';
import { Renegotiation } from '../../../src/call/mid-call/renegotiation.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import { otherSide, type Side } from '../../../src/wire/side.ts';
import {
  FakeReceivedRequest,
  FakeSipConnection,
  type SentFake,
} from '../../support/fake-sip-connection.ts';
import { LOCAL, sdpOf, sipInterface, TestCall } from './offer-answer-fixtures.ts';

const OFFER = sdpOf('caller', '0', 'a=sendrecv');
const ANSWER = sdpOf('callee', '0', 'a=sendrecv');
const HOLD = sdpOf('caller', '0', 'a=sendonly');
const HELD = sdpOf('callee', '0', 'a=recvonly');

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a 200 that has not left leaves its sender with the old session: the other leg gets that again', async () => {
  const scene = new Scene();
  const invite = scene.receive('caller', HOLD);
  await scene.answer('callee', 200, HELD, () => {
    invite.outcome = 'failed';
  });

  expect(scene.offersTo('callee').map(directionOf)).toEqual(['sendonly', 'sendrecv']);
  await scene.answer('callee', 200, ANSWER);
  expect(scene.session.negotiation.agreedDescription('caller')).toContain('a=sendrecv');
  expect(scene.sent('callee').map(({ acknowledgements }) => acknowledgements)).toEqual([
    [undefined],
    [undefined],
  ]);
});

test('a 200 with an offer that has not left: the old description answers the offer', async () => {
  const scene = new Scene();
  const invite = scene.receive('caller', '');
  await scene.answer('callee', 200, ANSWER, () => {
    invite.outcome = 'failed';
  });

  expect(scene.sent('callee')).toHaveLength(1);
  expect(scene.sent('callee')[0]?.acknowledgements[0]).toContain('a=sendrecv');
});

test('one that is cancelled before the legs are joined never reaches the other leg', async () => {
  const scene = new Scene({ isJoined: false });
  const invite = scene.receive('caller', HOLD);
  await scene.flush();
  invite.cancel();
  scene.renegotiation.joined();
  await scene.flush();

  expect(scene.sent('callee')).toEqual([]);
  expect(await scene.renegotiation.exclusively('INVITE', () => Promise.resolve(1))).toBe(1);
});

test('an exchange of our own keeps offers of both ends out, and is kept out by them', async () => {
  const scene = new Scene();
  const { promise, resolve } = Promise.withResolvers<string>();
  const own = scene.renegotiation.exclusively('INVITE', () => promise);
  const refused = [scene.receive('caller', HOLD), scene.receive('callee', HELD)];
  await scene.flush();
  resolve('done');

  expect(refused.map(({ answers }) => answers[0]?.status)).toEqual([491, 491]);
  expect(await own).toBe('done');
  scene.receive('caller', HOLD);
  expect(await scene.renegotiation.exclusively('UPDATE', () => promise)).toBeUndefined();
});

test('a restoring offer that meets 491 waits, and not at all when the call is over', async () => {
  const scene = new Scene();
  scene.receive('caller', HOLD);
  await scene.answer('callee', 200, 'unusable');
  await scene.answer('callee', 491, '');
  await vi.advanceTimersByTimeAsync(2000);
  const early = scene.sent('callee').length;
  await vi.advanceTimersByTimeAsync(2010);
  const second = scene.sent('callee').length;
  await scene.answer('callee', 491, '');
  scene.renegotiation.end();
  await vi.advanceTimersByTimeAsync(60_000);

  expect([early, second, scene.sent('callee').length]).toEqual([2, 3, 3]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a restoring offer gives way to a new one of the peers', async () => {
  const scene = new Scene();
  scene.receive('caller', HOLD);
  await scene.answer('callee', 200, 'unusable');
  await scene.answer('callee', 491, '');
  const theirs = scene.receive('callee', HELD);
  await scene.answer('caller', 200, HOLD);
  await vi.advanceTimersByTimeAsync(60_000);

  expect(theirs.answers[0]?.status).toBe(200);
  expect(scene.sent('callee')).toHaveLength(2);
});

test('new ports of ours are offered to both legs, whatever was under way when they changed', async () => {
  const scene = new Scene();
  const theirs = scene.receive('caller', HOLD);
  await scene.flush();
  const renewed = scene.renegotiation.renew();
  await scene.answer('callee', 200, HELD);
  expect(theirs.answers[0]?.status).toBe(200);
  await vi.advanceTimersByTimeAsync(4000);
  await scene.answer('callee', 200, HELD);
  await scene.answer('caller', 200, HOLD);

  expect(await renewed).toBe(true);
  expect(scene.offersTo('callee').map(directionOf)).toEqual(['sendonly', 'sendonly']);
  expect(scene.offersTo('caller').map(directionOf)).toEqual(['recvonly']);
});

test('an answer to a delayed offer that never comes ends the call, where nobody else does', async () => {
  const scene = new Scene();
  scene.receive('caller', '');
  await scene.answer('callee', 200, ANSWER);
  await vi.advanceTimersByTimeAsync(39_000);
  const before = [...scene.ended];
  await vi.advanceTimersByTimeAsync(2000);

  expect(before).toEqual([]);
  expect(scene.ended).toEqual(['ack-timeout']);
});

test('once the call is over nothing is offered, and an offer that comes late gets its ACK', async () => {
  const scene = new Scene();
  scene.receive('caller', '');
  await scene.flush();
  scene.renegotiation.end();
  await scene.answer('callee', 200, ANSWER);
  const late = scene.receive('callee', HELD);
  await scene.flush();

  expect(scene.sent('callee')[0]?.acknowledgements).toEqual([undefined]);
  expect(late.answers[0]?.status).toBe(491);
  const { renegotiation } = scene;
  expect(await renegotiation.exclusively('UPDATE', () => Promise.resolve(1))).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});

test('an ACK of another INVITE is no answer to a delayed offer', async () => {
  const scene = new Scene();
  scene.receive('caller', '');
  await scene.answer('callee', 200, ANSWER);
  scene.renegotiation.acknowledged('callee', OFFER, 7);
  scene.renegotiation.acknowledged('caller', '', 6);
  const before = [...(scene.sent('callee')[0]?.acknowledgements ?? [])];
  scene.renegotiation.acknowledged('caller', HOLD, 7);

  expect(before).toEqual([]);
  expect(scene.sent('callee')[0]?.acknowledgements[0]).toContain('a=sendonly');
});

/** A call with an agreed session. */
class Scene {
  readonly session: NegotiatedSession;
  readonly renegotiation: Renegotiation;
  readonly ended: string[] = [];
  readonly #connections = { caller: new FakeSipConnection(), callee: new FakeSipConnection() };
  readonly #dialogs: Readonly<Record<Side, SipDialog>>;

  constructor({ isJoined = true } = {}) {
    this.#dialogs = { caller: this.#openDialog('caller'), callee: this.#openDialog('callee') };
    const legs = {
      caller: legWith('caller', this.#dialogs),
      callee: legWith('callee', this.#dialogs),
    };
    this.session = sessionOf(legs);
    const host = {
      guarded: (action: () => void | Promise<void>): void => {
        void action();
      },
      end: ({ name }: { name: string }): void => {
        this.ended.push(name);
      },
    };
    this.renegotiation = new Renegotiation(
      this.session,
      host,
      new MidCallRelay(this.session, host),
    );
    if (isJoined) this.renegotiation.joined();
  }

  /** An INVITE of `side`, without SDP if `body` is empty. */
  receive(side: Side, body: string): FakeReceivedRequest {
    const request = new FakeReceivedRequest('INVITE', { CSeq: '7 INVITE' }, { body });
    void this.renegotiation.receive(side, this.#dialogs[side], request);
    return request;
  }

  /** The peer of `side` answers the last INVITE it got. */
  async answer(
    side: Side,
    status: number,
    body: string,
    before: () => void = () => {},
  ): Promise<void> {
    await this.flush();
    before();
    this.#connections[side].last.answer(status, {}, body);
    await this.flush();
  }

  sent(side: Side): readonly SentFake[] {
    return this.#connections[side].sent;
  }

  offersTo(side: Side): string[] {
    return this.sent(side).map(({ options }) => options.body ?? '');
  }

  /** Lets promises settle, and turns of the event loop pass, without moving time. */
  async flush(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(0);
  }

  #openDialog(side: Side): SipDialog {
    const identity = {
      role: side === 'caller' ? ('uas' as const) : ('uac' as const),
      dialogId: side,
      callId: `${side}@sbc`,
      localTag: `our-${side}`,
      remoteTag: `their-${side}`,
      localContact: '<sip:us@sbc>',
    };
    const handler = {
      onRequest: () => undefined,
      onAck: () => undefined,
      onEnd: () => undefined,
      onTrace: () => undefined,
    };
    const dialog = new SipDialog(identity, this.#connections[side], handler, () => undefined);
    if (side === 'caller') dialog.receive(new FakeReceivedRequest('ACK'));
    return dialog;
  }
}

function legWith(side: Side, dialogs: Readonly<Record<Side, SipDialog>>): CallLeg {
  const leg = new CallLeg({
    side,
    sipInterface: sipInterface({}),
    realm: {
      name: side,
      media: { address: '192.0.2.1', advertised: undefined, portMin: 20_000, portMax: 20_003 },
    },
    agent: undefined,
    remote: '10.1.1.1:5060',
    transport: 'udp',
  });
  leg.dialog = dialogs[side];
  return leg;
}

function sessionOf(legs: Readonly<Record<Side, CallLeg>>): NegotiatedSession {
  const { negotiation } = new TestCall();
  negotiation.receiveOffer('caller', OFFER, false);
  negotiation.forwardOffer(LOCAL.callee);
  negotiation.receiveAnswer('callee', ANSWER, false, true);
  negotiation.forwardAnswer(LOCAL.caller, true);
  return {
    legs,
    negotiation,
    early: new EarlyExchange(),
    forwardOffer: (from, message) => {
      negotiation.receiveOffer(from, textOf(message), false);
      const { sdp, allowEvents } = negotiation.forwardOffer(LOCAL[otherSide(from)]);
      return Promise.resolve({ type: 'forward', sdp, allowEvents });
    },
    completeExchange: (from, message) => {
      negotiation.receiveAnswer(from, textOf(message), false, true);
      const { sdp, allowEvents } = negotiation.forwardAnswer(LOCAL[otherSide(from)], true);
      return { type: 'forward', sdp, allowEvents };
    },
    abandonOffer: () => negotiation.abandonOffer(),
  };
}

function textOf({ body }: SipMessage): string | undefined {
  return body.length === 0 ? undefined : body.toString();
}

function directionOf(sdp: string): string | undefined {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(sdp)?.[1];
}
