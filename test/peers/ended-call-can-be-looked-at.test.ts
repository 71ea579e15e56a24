/**
 * A call that has ended, as operators find it: list, ladder, explanation, digits, exports, events, and the series.
 *
 *   phone --KPML--> SBC --telephone-event--> trunk        the console reads HTTP all the while
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { CallView } from '../../src/api/backend.ts';
import { ApiClient } from '../../src/cli/api-client.ts';
import { trace, TracePrinter } from '../../src/cli/trace.ts';
import { liveEventSchemas, processSchema, seriesSchema } from '../../src/api/live-schemas.ts';
import {
  agentSchema,
  callSchema,
  digitSchema,
  explanationSchema,
  ladderSchema,
} from '../../src/api/schemas.ts';
import { type DigitCall, openStage, phoneCallsTrunk, type Stage } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { readPcap } from '../support/pcap-reader.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';
import { SseReader } from '../support/sse-reader.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

type Ladder = z.infer<typeof ladderSchema>;

const LONG_MS = 30_000;
// On a developer's machine the program may be missing; in CI that is a failure.
const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0;
const isMissing = !hasTcpdump && env['CI'] === undefined;

function apiOf({ running }: Stage): string {
  const { address, port } = running.api;
  return `http://${address}:${port}/api/v1`;
}

async function read(stage: Stage, path: string): Promise<Response> {
  return await fetch(apiOf(stage) + path, { headers: { connection: 'close' } });
}

async function get<T>(stage: Stage, path: string, schema: z.ZodType<T>): Promise<T> {
  const answer = await read(stage, path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return schema.parse(await answer.json());
}

/** Presses keys both ways and hangs up; the id of the call. */
async function playCall(stage: Stage, call: DigitCall): Promise<string> {
  await call.phone.listen();
  await call.phone.press('12', 170);
  await call.trunk.press('7');
  await Promise.all([call.trunk.waitForDigits(2), call.phone.listener.waitForDigits(1)]);
  const [{ id } = { id: '' }] = await get(stage, '/calls', z.array(callSchema));
  expect(await call.finish()).toEqual([]);
  return id;
}

test('everything about a call is there when it is over', { timeout: 3 * LONG_MS }, async () => {
  const stage = await openStage();
  const events = await SseReader.open(`${apiOf(stage)}/events?topics=calls,digits,series,agents`);
  closeAfterTest({ close: async () => events.close() });
  const callId = await playCall(stage, await phoneCallsTrunk(stage));

  const [listed, ...others] = await get(stage, '/calls?state=ended', z.array(callSchema));
  expect(others).toEqual([]);
  expect(listed).toMatchObject({
    id: callId,
    state: 'ended',
    from: 'phone',
    to: '5551000',
    end: { side: 'caller', sipCode: 200, q850: 16, code: 'hang-up' },
    digits: { presses: 3, delivered: 3, dropped: 0 },
    legs: {
      caller: {
        codec: 'PCMU/8000',
        sdpSummary: expect.stringMatching(/^audio 127\.0\.0\.1:\d+ PCMU sendrecv$/),
      },
      callee: { sdpSummary: expect.stringMatching(/PCMU telephone-event\/101 sendrecv$/) },
    },
  });
  expect(await get(stage, '/calls', z.array(callSchema))).toEqual([]);
  expect(await get(stage, '/calls?state=all&number=5551', z.array(callSchema))).toEqual([listed]);
  expect(await get(stage, '/calls?state=all&number=999', z.array(callSchema))).toEqual([]);
  const one = await get(stage, `/calls/${callId}`, callSchema);
  expect(one.media?.caller.receivedPackets).toBeGreaterThan(0);
  expect(one.media?.callee.eventPackets).toBeGreaterThan(0);

  const explanation = await get(stage, `/calls/${callId}/explanation`, explanationSchema);
  expect(explanation).toMatchObject({
    plan: { callerToCallee: { translator: 'kpml-to-2833' } },
    settings: { callee: { rfc2833Mode: { value: 'preferred' } } },
  });
  expect(await get(stage, `/digits?call=${callId}`, z.array(digitSchema))).toHaveLength(3);
  expect(await get(stage, `/digits?call=${callId}&limit=1`, z.array(digitSchema))).toHaveLength(1);
  expect(await get(stage, '/digits?dropped=true', z.array(digitSchema))).toEqual([]);
  expect((await read(stage, '/calls/none')).status).toBe(404);

  await expectEvents(events, callId);
});

/** What the stream has told of the call, of its keys and of the process. */
async function expectEvents(events: SseReader, callId: string): Promise<void> {
  const dataOf = <T>(name: string, schema: z.ZodType<T>): T[] =>
    events.events.flatMap((event) => (event.name === name ? [schema.parse(event.data)] : []));
  const calls = () => dataOf('calls', liveEventSchemas.calls);
  const digits = () => dataOf('digits', liveEventSchemas.digits);
  await waitFor('the end of the call', () => calls().some(({ ended }) => ended.includes(callId)));
  const states = calls().flatMap(({ changed }) => changed.map(({ state }) => state));
  expect(states).toContain('answered');
  await waitFor('the keys', () =>
    digits().some(({ records }) => records.some(({ outputs }) => outputs.length > 0)),
  );
  const sumOf = (): { started: number; packets: number; digits: number } => {
    const points = dataOf('point', liveEventSchemas.point);
    const sum = (pick: (point: (typeof points)[number]) => number): number =>
      points.reduce((total, point) => total + pick(point), 0);
    return {
      started: sum((point) => point.startedCalls),
      packets: sum((point) => point.rtpPackets),
      digits: sum((point) => point.deliveredDigits),
    };
  };
  await waitFor('the points of the call', () => sumOf().digits === 3, { timeoutMs: LONG_MS });
  await waitFor('its packets', () => sumOf().packets > 10, { timeoutMs: LONG_MS });
  expect(sumOf().started).toBe(1);
}

/** Both legs have closed their stream, and every request has its final answer: no row is added any more. */
function isWhole({ rows }: Ladder): boolean {
  const count = (part: RegExp): number => rows.filter(({ summary }) => part.test(summary)).length;
  const requests = count(/^(?:INVITE|BYE|SUBSCRIBE|NOTIFY) /);
  return count(/^stream 0 closed/) === 2 && count(/^SIP\/2\.0 [2-6]/) === requests;
}

async function wholeLadder(stage: Stage, callId: string): Promise<Ladder> {
  const path = `/calls/${callId}/ladder`;
  let ladder = await get(stage, path, ladderSchema);
  while (!isWhole(ladder)) {
    await sleep(20);
    ladder = await get(stage, path, ladderSchema);
  }
  return ladder;
}

test('the ladder of an ended call is exported as every reader wants it', async () => {
  const stage = await openStage();
  const callId = await playCall(stage, await phoneCallsTrunk(stage));
  const path = `/calls/${callId}/ladder`;

  const { rows, ends } = await wholeLadder(stage, callId);
  const kinds = rows.map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(['sip', 'media', 'dtmf', 'decision']));
  const said = rows.flatMap(({ kind, summary }) => (kind === 'media' ? [summary] : []));
  for (const part of [/^stream 0 opened/, /peer at/, /^first packet from/, /^stream 0 closed/]) {
    expect(said.some((summary) => part.test(summary))).toBe(true);
  }
  expect(rows.findIndex(({ summary }) => summary.startsWith('stream 0 opened'))).toBeGreaterThan(0);
  expect(ends.map(({ leg }) => leg)).toEqual(['caller', 'callee']);

  const mermaid = await (await read(stage, `${path}?format=mermaid`)).text();
  expect(mermaid).toMatch(/^sequenceDiagram\n {2}participant caller as/);
  expect(mermaid.split('\n')).toHaveLength(rows.length + 5);
  const text = await (await read(stage, `${path}?format=text`)).text();
  expect(text).toMatch(/caller +sbc +callee\n/);

  const pcap = Buffer.from(await (await read(stage, `${path}?format=pcap`)).arrayBuffer());
  const datagrams = readPcap(pcap);
  const invites = datagrams.filter(({ payload }) => payload.toString().startsWith('INVITE '));
  const { phone, trunk } = stage;
  expect(invites.map(({ fromPort, toPort }) => [fromPort, toPort])).toEqual([
    [phone.sip.port, stage.running.access.port],
    [stage.running.core.port, trunk.sip.port],
  ]);
});

/** What tcpdump makes of the file: one line per packet, none of which it calls bad. */
async function tcpdump(pcap: Buffer): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pcap-'));
  try {
    const file = join(folder, 'call.pcap');
    await writeFile(file, pcap);
    const { stdout } = await promisify(execFile)('tcpdump', ['-nn', '-vv', '-r', file]);
    expect(stdout).not.toMatch(/bad |truncated|invalid|\[\|/);
    expect(stdout).toContain('udp sum ok');
    return stdout.split('\n').filter((line) => / IP6? /.test(line));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.skipIf(isMissing)('tcpdump reads every message of the export', async () => {
  const stage = await openStage();
  const callId = await playCall(stage, await phoneCallsTrunk(stage));
  const answer = await read(stage, `/calls/${callId}/ladder?format=pcap`);
  const pcap = Buffer.from(await answer.arrayBuffer());
  expect(await tcpdump(pcap)).toHaveLength(readPcap(pcap).length);
});

test('trace draws a call to a number while it goes on, from its first message to its last', async () => {
  const stage = await openStage();
  const { address, port } = stage.running.api;
  const stop = new AbortController();
  let drawn = '';
  const done = trace(new ApiClient(`http://${address}:${port}`), '5551', {
    print: new TracePrinter({ width: 120 }).print,
    write: (text) => {
      drawn += text;
    },
    signal: stop.signal,
  });
  const callId = await playCall(stage, await phoneCallsTrunk(stage));
  const { rows } = await wholeLadder(stage, callId);
  const times = (): string[] => drawn.match(/^ +\+\d+\.\d{3} /gm) ?? [];
  await waitFor('the end of the drawing', () => times().length >= rows.length, {
    timeoutMs: LONG_MS,
    details: () => drawn,
  });
  stop.abort();
  expect(await done).toBeUndefined();
  expect(drawn.startsWith(`call ${callId}\n`)).toBe(true);
  expect(times()).toHaveLength(rows.length);
});

test('a call that was refused tells why', async () => {
  const stage = await openStage({
    edit: (yaml) => yaml.replace('from-realm: access, to: "*"', 'from-realm: access, to: "1"'),
  });
  const { phone, running } = stage;
  const body = buildSdp({ address: phone.sip.address, rtpPort: 40_000 });
  const outgoing = phone.sip.invite({ to: '234', via: running.access, body });
  expect(statusOf(await outgoing.finished())).toBe(404);

  const [refused, ...others] = await get(stage, '/calls?state=ended', z.array(callSchema));
  expect(others).toEqual([]);
  expect(refused).toMatchObject({
    to: '234',
    end: { side: 'sbc', sipCode: 404, code: 'no-route' },
    legs: { caller: { agent: 'phone' } },
  });
  const path = `/calls/${refused?.id}`;
  expect(await get(stage, path, callSchema)).toEqual(refused);
  expect(await get(stage, `${path}/explanation`, explanationSchema)).toMatchObject({
    settings: { caller: { kpmlInterworking: { value: true } } },
  });
  const { rows } = await get(stage, `${path}/ladder`, ladderSchema);
  expect(rows.map(({ summary }) => summary.slice(0, 15))).toEqual([
    'INVITE sip:234@',
    'refused: no-rou',
    'SIP/2.0 404 Not',
  ]);
});

test('an agent that is locked says so to those who listen', async () => {
  const stage = await openStage();
  const events = await SseReader.open(`${apiOf(stage)}/events?topics=agents`);
  closeAfterTest({ close: async () => events.close() });
  const lock = async (locked: boolean): Promise<void> => {
    const answer = await fetch(`${apiOf(stage)}/agents/carrier`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ locked }),
    });
    expect(answer.status).toBe(200);
  };
  await lock(true);
  const seen = await events.waitFor('agent');
  expect(agentSchema.parse(seen.data)).toMatchObject({ name: 'carrier', state: 'locked' });
  await lock(false);
  const agents = await get(stage, '/agents', z.array(agentSchema));
  const carrier = agents.find(({ name }) => name === 'carrier');
  expect(carrier?.history.map(({ from, to }) => `${from} > ${to}`)).toEqual([
    'in-service > locked',
    'locked > in-service',
  ]);
});

test('the state of the process counts the legs of a call where they are', async () => {
  const stage = await openStage();
  const call = await phoneCallsTrunk(stage);
  await call.phone.keypad.waitForSubscription();
  const found = async (query: string): Promise<number> =>
    (await get(stage, `/calls?${query}`, z.array(callSchema))).length;
  expect(await found('agent=carrier&number=5551')).toBe(1);
  expect([await found('agent=other'), await found('number=999')]).toEqual([0, 0]);
  const during = await get(stage, '/status', processSchema);
  expect(during).toMatchObject({
    isReady: true,
    activeCalls: 1,
    engine: { type: 'embedded', isUp: true },
    interfaces: [
      { name: 'access', calls: 1 },
      { name: 'core', calls: 1 },
    ],
  });
  for (const { free, total } of during.media.ports) expect(free).toBe(total - 1);
  expect(await call.finish()).toEqual([]);
  const after = await get(stage, '/status', processSchema);
  expect(after.activeCalls).toBe(0);
  const { points, intervalMs } = await get(stage, '/series?window=60', seriesSchema);
  expect(intervalMs).toBe(2_000);
  expect(points.every(({ loopLagMs }) => loopLagMs >= 0)).toBe(true);
  const ended: CallView[] = await get(stage, '/calls?state=ended&limit=5', z.array(callSchema));
  expect(ended).toHaveLength(1);
});
