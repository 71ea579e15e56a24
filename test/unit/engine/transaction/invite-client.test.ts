import { describe, expect, test } from 'vitest';
import { InviteClient } from '../../../../src/engine/transaction/invite-client.ts';
import { DEFAULT_TIMERS } from '../../../../src/engine/transaction/timer-values.ts';
import { sampleResponse } from './sample-messages.ts';

const UDP = { timers: DEFAULT_TIMERS, isReliable: false };
const TCP = { timers: DEFAULT_TIMERS, isReliable: true };

/** Lets time pass up to `untilMs` and notes when what came out. */
function play(client: InviteClient, untilMs: number): [atMs: number, what: string][] {
  const rows: [number, string][] = [];
  for (
    let atMs = client.expiresAtMs;
    atMs !== undefined && atMs <= untilMs;
    atMs = client.expiresAtMs
  ) {
    for (const output of client.expire(atMs)) rows.push([atMs, output.type]);
  }
  return rows;
}

describe('without answer', () => {
  test('UDP: timer A doubles, timer B ends it', () => {
    const client = new InviteClient(UDP);
    const first = client.start(1000);
    const rows = play(client, 100_000);
    expect(first).toEqual([{ type: 'sendRequest' }]);
    expect(rows.map(([atMs, what]) => `${atMs - 1000} ${what}`)).toEqual([
      '500 sendRequest',
      '1500 sendRequest',
      '3500 sendRequest',
      '7500 sendRequest',
      '15500 sendRequest',
      '31500 sendRequest',
      '32000 timeout',
    ]);
    expect(client.isEnded).toBe(true);
  });

  test('TCP: no repeats', () => {
    const client = new InviteClient(TCP);
    client.start(0);
    expect(play(client, 100_000)).toEqual([[32_000, 'timeout']]);
  });

  test('an early wake-up does nothing', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    expect(client.expire(499)).toEqual([]);
    expect(client.expiresAtMs).toBe(500);
  });
});

describe('after a 1xx', () => {
  test('nothing is repeated and nothing times out', () => {
    const client = new InviteClient(UDP);
    const ringing = sampleResponse(180);
    client.start(0);
    expect(client.receive(ringing, 100)).toEqual([{ type: 'deliver', response: ringing }]);
    expect(client.receive(ringing, 200)).toEqual([{ type: 'deliver', response: ringing }]);
    expect(client.expiresAtMs).toBeUndefined();
    expect(client.expire(1_000_000)).toEqual([]);
  });

  test('a broken path is no failure', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    client.receive(sampleResponse(100), 10);
    expect(client.fail('port unreachable')).toEqual([]);
    expect(client.isEnded).toBe(false);
  });
});

describe('final responses', () => {
  test.each([
    ['UDP', UDP, 32_100],
    ['TCP', TCP, undefined],
  ])('300-699 over %s: ACK and delivery once, timer D', (_what, options, endsAtMs) => {
    const client = new InviteClient(options);
    const busy = sampleResponse(486);
    client.start(0);
    const outputs = client.receive(busy, 100);
    expect(outputs.map(({ type }) => type)).toEqual(['sendAck', 'deliver']);
    expect(client.expiresAtMs).toBe(endsAtMs);
    expect(client.receive(busy, 200).map(({ type }) => type)).toEqual(
      endsAtMs === undefined ? [] : ['sendAck'],
    );
    // A fork that answered all the same: it has to be acknowledged and hung up.
    expect(client.receive(sampleResponse(200), 200).map(({ type }) => type)).toEqual(
      endsAtMs === undefined ? [] : ['deliver'],
    );
    expect(client.receive(sampleResponse(180), 200)).toEqual([]);
    play(client, 40_000);
    expect(client.isEnded).toBe(true);
  });

  test.each([
    ['UDP', UDP],
    ['TCP', TCP],
  ])('2xx over %s: accepted for 64*T1, each 2xx is delivered', (_what, options) => {
    const client = new InviteClient(options);
    client.start(0);
    client.receive(sampleResponse(180), 50);
    expect(client.receive(sampleResponse(200), 100).map(({ type }) => type)).toEqual(['deliver']);
    expect(
      client.receive(sampleResponse(200, 'INVITE', 'fork2'), 200).map(({ type }) => type),
    ).toEqual(['deliver']);
    expect(client.receive(sampleResponse(180), 200)).toEqual([]);
    expect(client.receive(sampleResponse(486), 200)).toEqual([]);
    expect(client.fail('gone')).toEqual([]);
    expect(client.expiresAtMs).toBe(32_100);
    expect(play(client, 40_000)).toEqual([]);
    expect(client.isEnded).toBe(true);
    expect(client.receive(sampleResponse(200), 40_000)).toEqual([]);
  });
});

describe('CANCEL', () => {
  test('before any 1xx it waits and goes out with the first one', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    expect(client.cancel(100)).toEqual({ result: 'waiting', outputs: [] });
    expect(client.cancel(200)).toEqual({ result: 'waiting', outputs: [] });
    const outputs = client.receive(sampleResponse(100), 1000);
    expect(outputs.map(({ type }) => type)).toEqual(['sendCancel', 'deliver']);
    expect(client.cancel(1100)).toEqual({ result: 'sent', outputs: [] });
    expect(play(client, 100_000)).toEqual([[33_000, 'timeout']]);
  });

  test('while waiting the INVITE is still repeated and timer B still ends it', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    client.cancel(100);
    const rows = play(client, 100_000);
    expect(rows).toHaveLength(7);
    expect(rows.at(-1)).toEqual([32_000, 'timeout']);
  });

  test('after a 1xx it goes out at once; more 1xx change nothing', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    client.receive(sampleResponse(180), 100);
    expect(client.cancel(200)).toEqual({ result: 'sent', outputs: [{ type: 'sendCancel' }] });
    expect(client.receive(sampleResponse(180), 300).map(({ type }) => type)).toEqual(['deliver']);
    expect(client.receive(sampleResponse(487), 400).map(({ type }) => type)).toEqual([
      'sendAck',
      'deliver',
    ]);
  });

  test('a 2xx may win the race', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    client.receive(sampleResponse(180), 100);
    client.cancel(200);
    expect(client.receive(sampleResponse(200), 210).map(({ type }) => type)).toEqual(['deliver']);
    expect(client.cancel(220)).toEqual({ result: 'too-late', outputs: [] });
  });

  test('a final response overtakes one that waits', () => {
    const client = new InviteClient(UDP);
    client.start(0);
    client.cancel(10);
    expect(client.receive(sampleResponse(486), 20).map(({ type }) => type)).toEqual([
      'sendAck',
      'deliver',
    ]);
  });
});

test('a request that could not be sent ends it with the reason', () => {
  const client = new InviteClient(TCP);
  client.start(0);
  expect(client.fail('refused')).toEqual([{ type: 'failed', reason: 'refused' }]);
  expect(client.isEnded).toBe(true);
  expect(client.fail('again')).toEqual([]);
  expect(client.expire(100_000)).toEqual([]);
});

describe('a peer with less patience than timer B', () => {
  const patience = { silenceMs: 4000, answerMs: 32_000 };

  function abandoned(isReliable = false): InviteClient {
    const client = new InviteClient({ timers: DEFAULT_TIMERS, isReliable, patience });
    client.start(1000);
    return client;
  }

  test('silence: four datagrams, the timeout, and nothing more until 64*T1', () => {
    const client = abandoned();
    const rows = play(client, 5000).map(([atMs, what]) => `${atMs - 1000} ${what}`);
    expect(rows).toEqual([
      '500 sendRequest',
      '1500 sendRequest',
      '3500 sendRequest',
      '4000 timeout',
    ]);
    expect(client.isEnded).toBe(false);
    expect(client.cancel(5000).result).toBe('too-late');
    expect(client.fail('gone')).toEqual([]);
    expect(client.expiresAtMs).toBe(33_000);
    expect(client.expire(33_000)).toEqual([]);
    expect(client.isEnded).toBe(true);
  });

  test('a 1xx in time: timer B is over', () => {
    const client = abandoned();
    client.receive(sampleResponse(100), 4900);
    expect(client.expiresAtMs).toBeUndefined();
  });

  test.each([
    [
      [180, 183],
      [['sendCancel'], []],
    ],
    [
      [180, 487],
      [['sendCancel'], ['sendAck']],
    ],
    [
      [486, 486],
      [['sendAck'], ['sendAck']],
    ],
    [
      [200, 200],
      [['deliver'], ['deliver']],
    ],
  ])('late %j: %j', (statuses, expected) => {
    const client = abandoned();
    play(client, 5000);
    const outputs = statuses.map((status) => client.receive(sampleResponse(status), 6000));
    expect(outputs.map((list) => list.map(({ type }) => type))).toEqual(expected);
  });

  test('on TCP a late refusal ends it', () => {
    const client = abandoned(true);
    play(client, 5000);
    expect(client.receive(sampleResponse(486), 6000)).toMatchObject([{ type: 'sendAck' }]);
    expect(client.isEnded).toBe(true);
  });
});
