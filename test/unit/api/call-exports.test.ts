import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiBackend, CallFilter, DigitFilter } from '../../../src/api/backend.ts';
import { isWanted } from '../../../src/api/call-filter.ts';
import * as liveSchemas from '../../../src/api/live-schemas.ts';
import * as schemas from '../../../src/api/schemas.ts';
import { buildApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { readPcap } from '../../support/pcap-reader.ts';
import { AGENT, CALL, ENDED, fakeBackend } from './fake-backend.ts';

/** What the test at hand replaces. */
let changed: Partial<ApiBackend> = {};
const apps: FastifyInstance[] = [];

beforeAll(async () => {
  const backend = new Proxy(fakeBackend(), {
    get: (whole, name: keyof ApiBackend) => changed[name] ?? whole[name],
  });
  const listen = { address: '127.0.0.1', port: 0 };
  apps.push(await buildApi({ listen, token: '', backend, log: createLog('silent') }));
});

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
});

async function ask(request: InjectOptions, changes: Partial<ApiBackend> = {}) {
  const [app] = apps;
  if (app === undefined) throw new Error('no API');
  changed = changes;
  return await app.inject(request);
}

describe('the ladder in the forms that other programs read', () => {
  const url = '/api/v1/calls/c1/ladder';

  test.each([
    ['json', 'application/json; charset=utf-8', 'call-c1.json'],
    ['text', 'text/plain; charset=utf-8', 'call-c1.txt'],
    ['mermaid', 'text/vnd.mermaid; charset=utf-8', 'call-c1.mmd'],
    ['pcap', 'application/vnd.tcpdump.pcap', 'call-c1.pcap'],
  ])('%s', async (format, type, name) => {
    const shown = await ask({ url: `${url}?format=${format}` });
    expect([shown.statusCode, shown.headers['content-type']]).toEqual([200, type]);
    expect(shown.headers['content-disposition']).toBeUndefined();
    for (const download of ['1', 'true']) {
      const file = await ask({ url: `${url}?format=${format}&download=${download}` });
      expect(file.headers['content-disposition']).toBe(`attachment; filename="${name}"`);
      expect(file.rawPayload).toEqual(shown.rawPayload);
    }
  });

  test('a format that is asked for goes before Accept', async () => {
    const headers = { accept: 'text/plain' };
    const answer = await ask({ url: `${url}?format=json`, headers });
    expect(schemas.ladderSchema.safeParse(answer.json()).success).toBe(true);
  });

  test('pcap holds the messages between the ends of the leg', async () => {
    const [message, ...others] = readPcap((await ask({ url: `${url}?format=pcap` })).rawPayload);
    expect(others).toEqual([]);
    expect(message).toMatchObject({ from: '127.0.0.1', fromPort: 5070, toPort: 5060 });
    expect(message?.payload.toString()).toBe('x');
  });

  test.each(['format=xml', 'download=perhaps'])('%s is refused', async (query) => {
    expect((await ask({ url: `${url}?${query}` })).statusCode).toBe(400);
  });

  test.each(['text', 'mermaid', 'pcap'])('%s of an unknown call', async (format) => {
    const answer = await ask({ url: `/api/v1/calls/unknown/ladder?format=${format}` });
    expect([answer.statusCode, answer.json().error]).toEqual([404, 'not-found']);
  });
});

describe('lists', () => {
  test.each<[string, CallFilter]>([
    ['', {}],
    ['?state=ended', { state: 'ended' }],
    [
      '?state=all&agent=carrier&number=555&limit=3',
      { state: 'all', agent: 'carrier', number: '555', limit: 3 },
    ],
  ])('calls%s', async (query, expected) => {
    const asked: unknown[] = [];
    const listCalls: ApiBackend['listCalls'] = (filter) => {
      asked.push({ ...filter });
      return [CALL, ENDED];
    };
    const answer = await ask({ url: `/api/v1/calls${query}` }, { listCalls });
    expect([answer.statusCode, answer.json()]).toEqual([200, [CALL, ENDED]]);
    expect(asked).toEqual([expected]);
  });

  test.each<[string, DigitFilter]>([
    ['', {}],
    ['?call=c1', { callId: 'c1' }],
    ['?limit=5&dropped=true', { limit: 5, isDropped: true }],
  ])('digits%s', async (query, expected) => {
    const asked: unknown[] = [];
    const listDigits: ApiBackend['listDigits'] = (filter) => {
      asked.push(filter);
      return [];
    };
    expect((await ask({ url: `/api/v1/digits${query}` }, { listDigits })).json()).toEqual([]);
    expect(asked).toEqual([expected]);
  });

  test.each(['/api/v1/calls?state=gone', '/api/v1/calls?limit=0', '/api/v1/digits?limit=x'])(
    '%s is refused',
    async (url) => {
      expect((await ask({ url })).statusCode).toBe(400);
    },
  );

  test.each<[CallFilter, boolean]>([
    [{}, true],
    [{ agent: 'carrier' }, true],
    [{ agent: 'carrie' }, false],
    [{ number: '5551' }, true],
    [{ number: '30111' }, true],
    [{ number: '999' }, false],
    [{ agent: 'carrier', number: '999' }, false],
    [{ agent: 'other', number: '555' }, false],
  ])('%j: %s', (filter, expected) => {
    expect(isWanted(CALL, filter)).toBe(expected);
  });
});

describe('the process', () => {
  test('its state', async () => {
    const answer = await ask({ url: '/api/v1/status' });
    expect(liveSchemas.processSchema.safeParse(answer.json())).toMatchObject({ success: true });
  });

  test.each([
    ['', 900],
    ['?window=60', 60],
  ])('its last hour%s', async (query, expected) => {
    const asked: number[] = [];
    const series: ApiBackend['series'] = (windowSeconds) => {
      asked.push(windowSeconds);
      return fakeBackend().series(windowSeconds);
    };
    const answer = await ask({ url: `/api/v1/series${query}` }, { series });
    expect(liveSchemas.seriesSchema.safeParse(answer.json())).toMatchObject({ success: true });
    expect(asked).toEqual([expected]);
  });

  test.each(['0', '3601', 'x'])('a window of %s is refused', async (window) => {
    expect((await ask({ url: `/api/v1/series?window=${window}` })).statusCode).toBe(400);
  });
});

async function patch(url: string, payload: string) {
  const headers = { 'content-type': 'application/json' };
  return await ask({ method: 'PATCH', url, payload, headers });
}

describe('an agent is locked and unlocked', () => {
  test.each([
    ['{"locked":true}', 'locked'],
    ['{"locked":false}', AGENT.state],
  ])('%s', async (payload, state) => {
    const answer = await patch('/api/v1/agents/carrier', payload);
    expect([answer.statusCode, answer.json().state]).toEqual([200, state]);
  });

  test.each(['', '{', '[]', '{}', '{"locked":"yes"}', '{"locked":true,"x":1}'])(
    '%j is refused',
    async (payload) => {
      const answer = await patch('/api/v1/agents/carrier', payload);
      expect([answer.statusCode, answer.json().error]).toEqual([400, 'bad-request']);
    },
  );

  test('one that there is not', async () => {
    const answer = await patch('/api/v1/agents/nobody', '{"locked":true}');
    expect(answer.statusCode).toBe(404);
  });
});
