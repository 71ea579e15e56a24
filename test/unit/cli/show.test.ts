import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startApi } from '../../../src/api/server.ts';
import type { Api } from '../../../src/api/server.ts';
import type { ApiBackend } from '../../../src/api/backend.ts';
import { ApiClient, apiUrl, clientFor } from '../../../src/cli/api-client.ts';
import { addAgentsCommand } from '../../../src/cli/agents.ts';
import { addControlCommands, reload } from '../../../src/cli/control.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { addShowCommand, showAgents, showCall, showCalls } from '../../../src/cli/show.ts';
import { createLog } from '../../../src/observe/log.ts';
import { CALL, fakeBackend } from '../api/fake-backend.ts';

const START_MS = Date.parse(CALL.startedAt);

const api: { running: Api | undefined } = { running: undefined };
const changes: Partial<ApiBackend> = {};
let printed = '';

beforeAll(async () => {
  // Looked up at each request, so that a test can replace a single answer.
  const backend = new Proxy(fakeBackend(), {
    get: (whole, name: keyof ApiBackend) => changes[name] ?? whole[name],
  });
  const listen = { address: '127.0.0.1', port: 0 };
  api.running = await startApi({ listen, token: '', backend, log: createLog('silent') });
});

afterAll(async () => {
  await api.running?.close();
});

beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  for (const name of Object.keys(changes)) Reflect.deleteProperty(changes, name);
});

function url(): string {
  return apiUrl(api.running ?? { address: '127.0.0.1', port: 9 });
}

function program(): Command {
  const built = new Command('tonebridge')
    .option('-c, --config <file>')
    .option('--json')
    .exitOverride();
  addShowCommand(built);
  addControlCommands(built);
  addAgentsCommand(built);
  return built;
}

/** Runs a command line against the test API. */
async function tonebridge(...words: string[]) {
  await runProgram([...words, '--api', url()], program());
  return { exitCode: process.exitCode, printed };
}

describe('tables', () => {
  test('of calls', async () => {
    const { exitCode, text } = await showCalls(new ApiClient(url()), START_MS + 127_000);
    expect(exitCode).toBe(0);
    expect(text).toBe(
      'CALL  STATE     AGE   CALLER          CALLEE   TO CALLEE     TO CALLER     DIGITS\n' +
        'c1    answered  2:07  127.0.0.1:5070  carrier  2833-to-kpml  2833-to-kpml  1/2\n',
    );
  });

  test('of a call without callee and plan', async () => {
    const { plan: _plan, ...rest } = CALL;
    changes.listCalls = () => [{ ...rest, legs: { caller: CALL.legs.caller } }];
    const { text } = await showCalls(new ApiClient(url()), START_MS - 5_000);
    expect(text.split('\n')[1]).toBe(
      'c1    answered  0:00  127.0.0.1:5070  -       -          -          1/2',
    );
  });

  test('of one call', async () => {
    const { text } = await showCall(new ApiClient(url()), 'c1');
    expect(text).toBe(`\
call c1: answered, started 2026-01-01T00:00:00.000Z
from 4930111 to 5551000

            CALLER          CALLEE
agent       -               carrier
interface   access          access
realm       access          access
remote      127.0.0.1:5070  127.0.0.1:5070
Call-ID     a@host          a@host
local tag   l1              l1
remote tag  r1              r1
codec       -               PCMA
SDP         -               audio
session     1800s by us     -
received    10              10
sent        11              11
lost        0               0

caller to callee: 2833-to-kpml (K5)
    reason
callee to caller: 2833-to-kpml (K5)
    reason

digits: 2 pressed, 1 delivered, 1 dropped, 0 pending
`);
  });

  test('of digits', async () => {
    expect(await tonebridge('show', 'digits')).toEqual({
      exitCode: 0,
      printed: `\
TIME                      CALL  DIRECTION         DIGIT  FROM      TO                            SENT MS  ANSWERED MS  DROPPED
1970-01-01T00:00:00.003Z  c1    caller-to-callee  *      rtp 2     notify 4 (200), relay, rtp 5  2.0      1003.5       -
1970-01-01T00:00:00.004Z  c2    callee-to-caller  *      notify 9  -                             -        -            no-translator
`,
    });
  });

  test('of the digits of one call', async () => {
    const { printed: text } = await tonebridge('show', 'digits', '--call', 'c2');
    expect(text).not.toContain('c1');
    expect(text).toContain('c2');
  });

  test('of agents', async () => {
    expect((await tonebridge('show', 'agents')).printed).toBe(
      'AGENT    REALM  ADDRESS         TRANSPORT  STATE       REASON   SINCE                     OPTIONS  RTT MS  SESSIONS\n' +
        'carrier  core   127.0.0.1:5080  udp        in-service  answers  2026-01-01T00:00:00.000Z  200      1.3     1\n',
    );
  });

  test('of subscriptions', async () => {
    expect((await tonebridge('show', 'subscriptions')).printed).toBe(
      'CALL  LEG     ROLE      KIND       EVENT ID  STATE   EXPIRES\n' +
        'c1    caller  notifier  in-dialog  -         active  7200s\n',
    );
  });

  test('the ladder is drawn', async () => {
    const { printed: text, exitCode } = await tonebridge('show', 'ladder', 'c1');
    expect(text).toMatch(/caller +sbc +callee\n.* INVITE .*\n\(3 rows dropped here\)\n/);
    expect(exitCode).toBe(0);
  });

  test.each(['calls', 'digits', 'agents', 'subscriptions'])('no %s', async (what) => {
    Object.assign(changes, {
      listCalls: () => [],
      listDigits: () => [],
      listAgents: () => [],
      listSubscriptions: () => [],
    });
    expect((await tonebridge('show', what)).printed).toBe(`no ${what}\n`);
  });

  test('as JSON', async () => {
    const { printed: text } = await tonebridge('--json', 'show', 'calls');
    expect(JSON.parse(text)).toEqual([CALL]);
  });
});

describe('control', () => {
  test.each([
    [true, 'configuration 0123456789ab applied\n'],
    [false, 'configuration 0123456789ab is already in use\n'],
  ])('reload, changed: %s', async (isChanged, text) => {
    changes.reload = async () => ({ type: 'applied', hash: '0123456789abcdef', isChanged });
    expect(await tonebridge('reload')).toEqual({ exitCode: 0, printed: text });
  });

  test('a refused reload shows the problems and is a finding', async () => {
    const problems = [{ line: 3, column: 5, path: 'sip', message: 'unknown', suggestion: 'spi' }];
    changes.reload = async () => ({ type: 'refused', problems });
    expect(await tonebridge('reload')).toEqual({
      exitCode: 1,
      printed: 'configuration:3:5: sip: unknown (spi)\nrefused, the old configuration stays\n',
    });
  });

  test.each([
    [1, 'draining, 1 call left\n'],
    [2, 'draining, 2 calls left\n'],
  ])('drain with %i', async (activeCalls, text) => {
    changes.drain = async () => ({ isDraining: true, activeCalls });
    expect(await tonebridge('drain')).toEqual({ exitCode: 0, printed: text });
  });
});

describe('agents', () => {
  test.each([
    ['lock', 0, 'carrier: locked (operator), 1 call up\n'],
    ['unlock', 0, 'carrier: in-service (answers), 1 call up\n'],
  ])('%s', async (change, exitCode, text) => {
    expect(await tonebridge('agents', change, 'carrier')).toEqual({ exitCode, printed: text });
  });

  test('lock of an agent that is not there is a finding', async () => {
    expect(await tonebridge('agents', 'lock', 'nobody')).toEqual({
      exitCode: 1,
      printed: 'there is no such session agent\n',
    });
  });
});

describe('failures', () => {
  test('an unknown call is a finding', async () => {
    expect(await tonebridge('show', 'calls', 'nobody')).toEqual({
      exitCode: 1,
      printed: 'there is no such call\n',
    });
  });

  test('nobody listening: exit 3', async () => {
    const closed = await withServer(
      () => undefined,
      async (base) => base,
    );
    await runProgram(['show', 'calls', '--api', closed], program());
    expect(process.exitCode).toBe(3);
    expect(printed).toBe(`cannot connect to ${closed}: ECONNREFUSED\n`);
  });

  test('as JSON, too', async () => {
    const closed = await withServer(
      () => undefined,
      async (base) => base,
    );
    await runProgram(['--json', 'drain', '--api', closed], program());
    expect(JSON.parse(printed)).toMatchObject({ error: 'not-connected' });
    expect(process.exitCode).toBe(3);
  });

  test.each<[string, RequestListener, number, RegExp]>([
    [
      'a server of another kind',
      (_request, response) => response.end('<html>'),
      3,
      /not a Tonebridge API/,
    ],
    ['other JSON', (_request, response) => response.end('{"a":1}'), 3, /not a Tonebridge API/],
    [
      'an error of another kind',
      (_request, response) => response.writeHead(502).end('<html>'),
      1,
      /the SBC answered 502/,
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      3,
      /cannot connect/,
    ],
    ['a connection that breaks', (request) => request.socket.destroy(), 3, /cannot connect/],
  ])('%s', async (_name, listener, exitCode, text) => {
    const result = await withServer(listener, async (base) => showAgents(new ApiClient(base)));
    expect(result.exitCode).toBe(exitCode);
    expect(result.errorText).toMatch(text);
  });

  test.each(['nonsense', 'ftp://127.0.0.1', 'http://'])(
    '--api %s is a usage error',
    async (wrong) => {
      await runProgram(['show', 'calls', '--api', wrong], program());
      expect(process.exitCode).toBe(2);
      expect(printed).toContain('is no http URL');
    },
  );
});

describe('which SBC and which token', () => {
  test.each([
    ['127.0.0.1', 'http://127.0.0.1:8080'],
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://[::1]:8080'],
    ['2001:db8::1', 'http://[2001:db8::1]:8080'],
  ])('an API on %s is reached at %s', (address, expected) => {
    expect(apiUrl({ address, port: 8080 })).toBe(expected);
  });

  test('the token is sent as Bearer and never in the address', async () => {
    const seen: unknown[] = [];
    const listener: RequestListener = (request, response) => {
      seen.push([request.method, request.url, request.headers.authorization]);
      response.end(JSON.stringify({ type: 'applied', hash: 'x', isChanged: true }));
    };
    await withServer(listener, async (base) => {
      await reload(new ApiClient(`${base}/`, 's3cret'));
      await reload(new ApiClient(base));
    });
    expect(seen).toEqual([
      ['POST', '/api/v1/config/reload', 'Bearer s3cret'],
      ['POST', '/api/v1/config/reload', undefined],
    ]);
  });

  test('a configuration named by hand must be good', async () => {
    await runProgram(['--config', '/does/not/exist.yaml', 'show', 'calls'], program());
    expect(process.exitCode).toBe(1);
    expect(printed).toContain('/does/not/exist.yaml:1:1: cannot be read');
  });

  test('a bad default configuration falls back to the default address', () => {
    const client = clientFor(program(), { SBC_CONFIG_BODY: 'nonsense: true' });
    expect(client).toBeInstanceOf(ApiClient);
  });
});

async function withServer<T>(
  listener: RequestListener,
  use: (base: string) => Promise<T>,
): Promise<T> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  try {
    return await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
