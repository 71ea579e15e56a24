import { describe, expect, test } from 'vitest';
import { UasInvite } from '../../../../src/engine/dialog/uas-invite.ts';
import type { UasInviteOutput } from '../../../../src/engine/dialog/uas-invite.ts';

const TIMERS = { t1Ms: 500, t2Ms: 4000 };

/** Lets time pass from deadline to deadline and notes what came when. */
function play(machine: UasInvite, untilMs: number): [number, UasInviteOutput['type']][] {
  const events: [number, UasInviteOutput['type']][] = [];
  for (;;) {
    const atMs = machine.expiresAtMs;
    if (atMs === undefined || atMs > untilMs) return events;
    for (const output of machine.expire(atMs)) events.push([atMs, output.type]);
  }
}

describe('the 2xx of a UAS', () => {
  test('is repeated at T1, doubling up to T2, and given up after 64*T1', () => {
    const machine = new UasInvite(TIMERS, 1);
    machine.answer(0);
    const resends = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    expect(play(machine, 60_000)).toEqual([
      ...resends.map((atMs) => [atMs, 'resendAnswer']),
      [32_000, 'answerUnconfirmed'],
    ]);
    expect(machine.state).toBe('ended');
  });

  test('stops with the first ACK; later ones are not the first', () => {
    const machine = new UasInvite(TIMERS, 1);
    machine.answer(0);
    expect(play(machine, 600)).toEqual([[500, 'resendAnswer']]);
    expect(machine.ack()).toBe(true);
    expect(machine.ack()).toBe(false);
    expect(machine.expiresAtMs).toBeUndefined();
    expect(machine.state).toBe('confirmed');
  });

  test('an ACK after the timeout changes nothing', () => {
    const machine = new UasInvite(TIMERS, 1);
    machine.answer(0);
    play(machine, 60_000);
    expect(machine.ack()).toBe(false);
  });

  test('one copy at most when the clock jumps', () => {
    const machine = new UasInvite(TIMERS, 1);
    machine.answer(0);
    expect(machine.expire(20_000)).toEqual([{ type: 'resendAnswer' }]);
  });

  test('nothing is due before its time', () => {
    const machine = new UasInvite(TIMERS, 1);
    machine.answer(0);
    expect(machine.expire(499)).toEqual([]);
  });
});

describe('a reliable 1xx', () => {
  test('is repeated without the cap of T2 and given up after 64*T1', () => {
    const machine = new UasInvite(TIMERS, 7);
    expect(machine.sendReliable(0)).toBe(7);
    const resends = [500, 1500, 3500, 7500, 15_500, 31_500];
    expect(play(machine, 60_000)).toEqual([
      ...resends.map((atMs) => [atMs, 'resendProvisional']),
      [32_000, 'provisionalUnconfirmed'],
    ]);
  });

  test('ends with its PRACK; the next one has the next RSeq', () => {
    const machine = new UasInvite(TIMERS, 7);
    machine.sendReliable(0);
    expect(machine.canSendReliable).toBe(false);
    expect(machine.prack(8)).toBe(false);
    expect(machine.prack(7)).toBe(true);
    expect(machine.canSendReliable).toBe(true);
    expect(machine.expiresAtMs).toBeUndefined();
    expect(machine.sendReliable(1000)).toBe(8);
  });

  test('a PRACK counts once', () => {
    const machine = new UasInvite(TIMERS, 7);
    machine.sendReliable(0);
    expect(machine.prack(7)).toBe(true);
    expect(machine.prack(7)).toBe(false);
  });

  test('its PRACK may cross the answer', () => {
    const machine = new UasInvite(TIMERS, 7);
    machine.sendReliable(0);
    machine.answer(100);
    expect(machine.prack(7)).toBe(true);
    expect(machine.state).toBe('answered');
  });
});

test('after the end nothing is due', () => {
  const machine = new UasInvite(TIMERS, 1);
  machine.answer(0);
  machine.end();
  expect(machine.expiresAtMs).toBeUndefined();
  expect(machine.expire(100_000)).toEqual([]);
});
