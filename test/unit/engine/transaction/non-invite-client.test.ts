import { describe, expect, test } from 'vitest';
import { NonInviteClient } from '../../../../src/engine/transaction/non-invite-client.ts';
import { DEFAULT_TIMERS } from '../../../../src/engine/transaction/timer-values.ts';
import { sampleResponse } from './sample-messages.ts';

const UDP = { timers: DEFAULT_TIMERS, isReliable: false };
const TCP = { timers: DEFAULT_TIMERS, isReliable: true };

function play(client: NonInviteClient, untilMs: number): [atMs: number, what: string][] {
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
  test('UDP: timer E doubles up to T2, timer F ends it', () => {
    const client = new NonInviteClient(UDP);
    expect(client.start(0)).toEqual([{ type: 'sendRequest' }]);
    const rows = play(client, 100_000);
    expect(rows.map(([atMs]) => atMs)).toEqual([
      500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000,
    ]);
    expect(rows.at(-1)).toEqual([32_000, 'timeout']);
    expect(client.isEnded).toBe(true);
  });

  test('TCP: no repeats', () => {
    const client = new NonInviteClient(TCP);
    client.start(0);
    expect(play(client, 100_000)).toEqual([[32_000, 'timeout']]);
  });
});

test('after a 1xx it is repeated every T2 and still times out', () => {
  const client = new NonInviteClient(UDP);
  client.start(0);
  expect(client.receive(sampleResponse(182, 'INFO'), 100).map(({ type }) => type)).toEqual([
    'deliver',
  ]);
  const rows = play(client, 100_000);
  expect(rows.slice(0, 3).map(([atMs]) => atMs)).toEqual([500, 4500, 8500]);
  expect(rows.at(-1)).toEqual([32_000, 'timeout']);
});

test.each([
  ['UDP', UDP, 5100],
  ['TCP', TCP, undefined],
])('%s: the final response is delivered once, timer K', (_what, options, endsAtMs) => {
  const client = new NonInviteClient(options);
  const ok = sampleResponse(200, 'INFO');
  client.start(0);
  expect(client.receive(ok, 100)).toEqual([{ type: 'deliver', response: ok }]);
  expect(client.receive(ok, 200)).toEqual([]);
  expect(client.expiresAtMs).toBe(endsAtMs);
  expect(play(client, 100_000)).toEqual([]);
  expect(client.isEnded).toBe(true);
});

test('an early wake-up does nothing', () => {
  const client = new NonInviteClient(UDP);
  client.start(0);
  expect(client.expire(499)).toEqual([]);
});

test('a failed path counts until the peer has answered', () => {
  const silent = new NonInviteClient(UDP);
  silent.start(0);
  expect(silent.fail('refused')).toEqual([{ type: 'failed', reason: 'refused' }]);
  expect(silent.isEnded).toBe(true);
  const busy = new NonInviteClient(UDP);
  busy.start(0);
  busy.receive(sampleResponse(100, 'INFO'), 10);
  expect(busy.fail('refused')).toEqual([]);
});

describe('a peer with less patience than timer F', () => {
  const patience = { silenceMs: 4000, answerMs: 20_000 };

  test('silence ends it early', () => {
    const client = new NonInviteClient({ ...UDP, patience });
    client.start(0);
    expect(play(client, 100_000).at(-1)).toEqual([4000, 'timeout']);
    expect(client.isEnded).toBe(true);
  });

  test('after a 1xx the final response has the whole patience', () => {
    const client = new NonInviteClient({ ...UDP, patience });
    client.start(0);
    client.receive(sampleResponse(100, 'OPTIONS'), 3900);
    expect(play(client, 100_000).at(-1)).toEqual([20_000, 'timeout']);
  });
});
