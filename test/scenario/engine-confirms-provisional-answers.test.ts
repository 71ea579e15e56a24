import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import { signal } from '../support/engine-app.ts';
import type { EnginePeer, PeerCall } from '../support/engine-peer.ts';
import {
  arrive,
  contactOf,
  cseqOf,
  dial,
  idOf,
  openEngineStage,
  progress,
  requestWith,
  sendInDialog,
  tagIn,
} from '../support/engine-stage.ts';
import type { EngineStage } from '../support/engine-stage.ts';

const RELIABLE = { headers: { Require: '100rel' } };

let stage: EngineStage;
let alice: EnginePeer;
let bob: EnginePeer;
let call: PeerCall;

beforeEach(async () => {
  stage = await openEngineStage();
  ({ alice, bob, call } = stage);
});

afterEach(async () => {
  await stage.bench.close();
});

describe('a reliable provisional response', () => {
  const PRACKED = ['Supported: 100rel'];

  test('is repeated until its own PRACK; any other PRACK gets 481', async () => {
    const { response } = await arrive(stage, PRACKED);
    await progress(response, 183, RELIABLE);
    const first = await alice.response(183);
    call.follow(first);
    const rseq = Number(getHeader(first, 'RSeq'));
    const inviteCSeq = call.cseq;
    for (const wrong of [`${rseq + 1} ${inviteCSeq} INVITE`, `${rseq} 77 INVITE`, 'x']) {
      call.request('PRACK', [`RAck: ${wrong}`]);
      await alice.response(481, 'PRACK');
    }
    expect(getHeader(await alice.response(183), 'RSeq')).toBe(String(rseq));

    call.request('PRACK', [`RAck: ${rseq} ${inviteCSeq} INVITE`]);
    await alice.response(200, 'PRACK');
    call.request('PRACK', [`RAck: ${rseq} ${inviteCSeq} INVITE`]);
    await alice.response(481, 'PRACK');
    response.send(486);
    await alice.response(486, 'INVITE');
    call.ackRefusal();
  });

  test('waits for the PRACK to the one before and has the next number', async () => {
    const { response } = await arrive(stage, PRACKED);
    await progress(response, 180, RELIABLE);
    const second = progress(response, 183, RELIABLE);
    const first = await alice.response(180);
    call.follow(first);
    const rseq = Number(getHeader(first, 'RSeq'));
    await alice.response(180);
    expect(alice.heard.some((each) => each.type === 'response' && each.status === 183)).toBe(false);

    call.request('PRACK', [`RAck: ${rseq} 1 INVITE`]);
    expect(getHeader(await alice.response(183), 'RSeq')).toBe(String(rseq + 1));
    await second;
    response.send(486);
    await alice.response(486, 'INVITE');
    call.ackRefusal();
  });

  test('without PRACK for 64*T1 ends the INVITE with 504, and the application sees a CANCEL', async () => {
    const { request, response } = await arrive(stage, PRACKED);
    const cancelled = signal<unknown>();
    request.on('cancel', cancelled.resolve);
    await progress(response, 183, RELIABLE);
    await alice.response(504, 'INVITE');
    call.ackRefusal();
    await cancelled.promise;
    expect(await sendInDialog(stage, idOf(call), 'INFO')).toBeUndefined();
  });

  test('of the callee is confirmed in order; one that overtook another waits for it to come again', async () => {
    const { invite } = await dial(stage);
    const reliable = (rseq: number): void => {
      const extra = [contactOf(bob), 'Require: 100rel', `RSeq: ${rseq}`];
      bob.answerAs('one', invite, { status: '183 Progress', extra });
    };
    const confirmed = async (rseq: number): Promise<void> => {
      const rack = `${rseq} ${cseqOf(invite)} INVITE`;
      bob.answer(await requestWith(bob, 'PRACK', ['RAck', rack]), '200 OK');
    };
    reliable(5);
    await confirmed(5);
    reliable(7);
    reliable(6);
    await confirmed(6);
    const heard = bob.heard.map((each) => getHeader(each, 'RAck') ?? '');
    expect(heard.filter((rack) => rack.startsWith('7'))).toEqual([]);
    reliable(7);
    await confirmed(7);

    bob.answer(invite, '486 Busy Here');
    await bob.request('ACK');
  });

  test('of two branches with the same number is confirmed in both', async () => {
    const { invite } = await dial(stage);
    const extra = [contactOf(bob), 'Require: 100rel', 'RSeq: 1'];
    bob.answerAs('one', invite, { status: '183 Progress', extra });
    bob.answerAs('two', invite, { status: '183 Progress', extra });
    const tags = new Set<string>();
    while (tags.size < 2) {
      const prack = await bob.request('PRACK');
      tags.add(tagIn(getHeader(prack, 'To')));
      bob.answer(prack, '200 OK');
    }
    expect([...tags].toSorted()).toEqual(['one', 'two']);
    bob.answer(invite, '486 Busy Here');
    await bob.request('ACK');
  });
});
