import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ApiClient } from '../../../src/cli/api-client.ts';
import { drainAndWait } from '../../../src/cli/drain.ts';
import { STATUS } from '../api/fake-backend.ts';

const open: Server[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

/** An API whose calls end one by one: `counts` at the drain and at each question after it; `undefined` for no answer. */
async function apiWith(counts: readonly (number | undefined)[]): Promise<ApiClient> {
  const left = [...counts];
  const server = createServer((request, response) => {
    const activeCalls = left.length > 1 ? left.shift() : left[0];
    if (activeCalls === undefined) {
      request.socket.destroy();
      return;
    }
    const isDrain = request.method === 'POST';
    const body = isDrain ? { isDraining: true, activeCalls } : { ...STATUS, activeCalls };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  open.push(server);
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new ApiClient(`http://127.0.0.1:${address.port}`);
}

const FOR_EVER = Number.POSITIVE_INFINITY;

test('comes back when the last call has ended, and tells how many are left', async () => {
  const told: string[] = [];
  const client = await apiWith([3, 2, 1, 0]);
  const tell = (text: string): void => void told.push(text);
  const result = await drainAndWait(client, { timeoutMs: FOR_EVER, pollMs: 1, tell });
  expect(result).toMatchObject({
    exitCode: 0,
    text: 'drained, no call is left\n',
    json: { activeCalls: 0, isDrained: true },
  });
  expect(told).toEqual([
    'draining, 3 calls left',
    'draining, 2 calls left',
    'draining, 1 call left',
  ]);
});

test('gives up when the time is over', async () => {
  const result = await drainAndWait(await apiWith([2]), { timeoutMs: 20, pollMs: 5 });
  expect(result).toMatchObject({
    exitCode: 1,
    errorText: 'the time is over, 2 calls left\n',
    json: { activeCalls: 2, isDrained: false },
  });
});

test('an answer that stays away now and then is none of its business', async () => {
  const client = await apiWith([2, undefined, undefined, 1, undefined, 0]);
  expect(await drainAndWait(client, { timeoutMs: FOR_EVER, pollMs: 1 })).toMatchObject({
    exitCode: 0,
  });
});

test('an SBC that is gone ends it with 3', async () => {
  const client = await apiWith([2, undefined]);
  expect(await drainAndWait(client, { timeoutMs: FOR_EVER, pollMs: 1 })).toMatchObject({
    exitCode: 3,
    json: { error: 'not-connected' },
  });
});
