/**
 *   SBC                      first          bob
 *    |--- OPTIONS ------------>|              |
 *    |<-- 200 -----------------|              |
 *    |--- OPTIONS ------------>x              |
 *    |--- OPTIONS ------------>x              |     out of service: calls go to bob
 *    |--- INVITE ---------------------------->|
 *    |--- OPTIONS ------------>| back          |
 *    |--- OPTIONS ------------>|              |     in service
 */
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const ADDRESS = '127.0.0.3';
const PING = '{ interval: 150ms, timeout: 100ms, down-after: 2, up-after: 2 }';

/** Alice calls into a group of `first` and then bob. */
function openGroup(port: number, first: string, group = ''): Promise<CallStage> {
  const agent = `  - { name: first, realm: core, address: "${ADDRESS}:${port}", transport: udp${first} }\n`;
  return openCallStage({
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n${agent}`)
        .replace(
          'local-policies:\n',
          `session-groups:\n  - { name: all, members: [ first, carrier ]${group} }\nlocal-policies:\n`,
        )
        .replace('to: "*", next-hop: carrier }', 'to: "*", next-hop: all }'),
  });
}

interface ShownAgent {
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly lastPing?: { readonly status?: number; readonly rttMs?: number };
}

function apiOf({ running }: CallStage): string {
  return `http://127.0.0.1:${running.api.port}`;
}

async function shown(stage: CallStage, name: string): Promise<ShownAgent | undefined> {
  const answer = await fetch(`${apiOf(stage)}/api/v1/agents`);
  const agents: readonly ShownAgent[] = JSON.parse(await answer.text());
  return agents.find((agent) => agent.name === name);
}

async function untilShown(stage: CallStage, state: string, reason?: string): Promise<ShownAgent> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const agent = await shown(stage, 'first');
    const isThere = agent?.state === state && (reason === undefined || agent.reason === reason);
    if (isThere) return agent;
    if (performance.now() > deadlineMs) throw new Error(`still ${JSON.stringify(agent)}`);
    await sleep(20);
  }
}

async function metricsOf(stage: CallStage): Promise<string> {
  return (await fetch(`${apiOf(stage)}/metrics`)).text();
}

/** Of the one call that is up. */
async function explanationOf(stage: CallStage): Promise<unknown> {
  const [call] = stage.running.sbc.calls.list();
  const answer = await fetch(`${apiOf(stage)}/api/v1/calls/${call?.id}/explanation`);
  return answer.json();
}

/** A port that takes everything and says nothing. */
async function openSilent(port: number): Promise<{ close(): Promise<void> }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(port, ADDRESS, resolve);
  });
  return { close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

test('an agent that falls silent gets no calls until it has answered again', async () => {
  const [port = 0] = await freePorts(1, ADDRESS);
  const before = await SipPeer.open({ address: ADDRESS, port });
  before.onStray = () => ({ status: 405 });
  const stage = await openGroup(port, `, options-ping: ${PING}`);
  const healthy = await untilShown(stage, 'in-service', 'answers');
  await before.close();
  const silent = await openSilent(port);
  const gone = await untilShown(stage, 'out-of-service');

  const call = await aliceCallsBob(stage);
  const explanation = await explanationOf(stage);
  await finish(call);
  const metrics = await metricsOf(stage);
  await silent.close();
  const after = closeAfterTest(await SipPeer.open({ address: ADDRESS, port }));
  await untilShown(stage, 'in-service', 'answers');
  const { alice, running } = stage;
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  (await after.nextCall()).reject(486);
  const final = await outgoing.finished();

  expect(healthy.lastPing?.status).toBe(405);
  expect(gone).toMatchObject({ reason: 'no-answer' });
  expect(gone.lastPing?.status).toBeUndefined();
  const [record, last] = await callRecords(running, 2);
  expect(record?.attempts.map(({ agent }) => agent)).toEqual(['carrier']);
  const skipped = [{ agent: 'first', reason: 'out-of-service (no-answer)' }];
  expect(record?.policy).toMatchObject({ skipped });
  expect(explanation).toMatchObject({ skipped });
  expect(last?.policy).not.toHaveProperty('skipped');
  expect(metrics).toContain('sbc_agent_up{agent="first"} 0');
  expect(metrics).toContain('sbc_agent_up{agent="carrier"} 1');
  expect(metrics).toContain('sbc_agent_state{agent="first",state="out-of-service"} 1');
  expect(metrics).toContain('sbc_agent_state{agent="first",state="in-service"} 0');
  expect(metrics).toMatch(/sbc_agent_options_rtt_seconds_count\{agent="first"\} [1-9]/);
  expect(statusOf(final)).toBe(486);
});

test('calls that get 503 take an agent out as OPTIONS do', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: ADDRESS }));
  const stage = await openGroup(first.port, ', options-ping: { interval: 60s, down-after: 2 }');
  let calls = 0;
  // One OPTIONS with its 200 may come in between and begin the count anew.
  while (calls < 4 && (await shown(stage, 'first'))?.state === 'in-service') {
    void first.nextCall().then((incoming) => incoming.reject(503));
    await finish(await aliceCallsBob(stage));
    calls += 1;
  }
  await finish(await aliceCallsBob(stage));

  expect(await shown(stage, 'first')).toMatchObject({
    state: 'out-of-service',
    reason: 'failure-code',
  });
  const records = await callRecords(stage.running, calls + 1);
  const agents = records.map(({ attempts }) => attempts.map(({ agent }) => agent).join(' '));
  expect(agents).toEqual([...Array<string>(calls).fill('first carrier'), 'carrier']);
});

test('a locked agent gets no calls; with nobody left callers get 503', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: ADDRESS }));
  const stage = await openGroup(first.port, '');
  const { alice, running } = stage;
  const change = async (agent: string, what: string): Promise<unknown> => {
    const path = `/api/v1/agents/${agent}/${what}`;
    const answer = await fetch(`${apiOf(stage)}${path}`, { method: 'POST' });
    const view: ShownAgent = JSON.parse(await answer.text());
    return [answer.status, view.state];
  };
  const call = async (): Promise<{
    status: number | undefined;
    retryAfter: string | undefined;
  }> => {
    const body = plainOffer(alice.sip);
    const final = await alice.sip.invite({ to: '1', via: running.access, body }).finished();
    return { status: statusOf(final), retryAfter: headerValue(final, 'Retry-After') };
  };

  const changes = [await change('first', 'lock')];
  await finish(await aliceCallsBob(stage));
  changes.push(await change('carrier', 'lock'));
  const refused = await call();
  changes.push(await change('first', 'unlock'));
  void first.nextCall().then((incoming) => incoming.reject(486));
  const taken = await call();

  expect(changes).toEqual([
    [200, 'locked'],
    [200, 'locked'],
    [200, 'in-service'],
  ]);
  expect(await change('nobody', 'lock')).toEqual([404, undefined]);
  expect(refused).toEqual({ status: 503, retryAfter: '10' });
  expect(taken.status).toBe(486);
  const records = await callRecords(running, 3);
  expect(records.map(({ release }) => release.internalCode)).toEqual([
    'hang-up',
    'no-agent-available',
    'callee-refused',
  ]);
  expect(records[1]?.release.text).toBe(
    'no-agent-available, first locked (operator), carrier locked (operator)',
  );
  expect(records[1]?.policy?.skipped).toEqual([
    { agent: 'first', reason: 'locked (operator)' },
    { agent: 'carrier', reason: 'locked (operator)' },
  ]);
});

test('a failover code of the group leads to the next member', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: ADDRESS }));
  const stage = await openGroup(first.port, '', ', failover-codes: [ 404 ]');
  void first.nextCall().then((incoming) => incoming.reject(404));
  await finish(await aliceCallsBob(stage));
  const [record] = await callRecords(stage.running, 1);
  expect(record?.attempts.map(({ agent, code }) => [agent, code])).toEqual([
    ['first', 404],
    ['carrier', 200],
  ]);
});

test('a draining SBC answers OPTIONS with 503 and asks no agents any more', async () => {
  const first = closeAfterTest(await SipPeer.open({ address: ADDRESS }));
  const stage = await openGroup(first.port, `, options-ping: ${PING}`);
  const { alice, running } = stage;
  const ask = () => alice.sip.request('OPTIONS', { user: 'x', via: running.access });
  const open = await ask();
  await waitFor('pings', () => first.strays.length >= 2);
  await fetch(`${apiOf(stage)}/api/v1/drain`, { method: 'POST' });
  const draining = await ask();
  // One may have been on its way.
  await sleep(100);
  const count = first.strays.length;
  await sleep(500);

  expect([statusOf(open), statusOf(draining)]).toEqual([200, 503]);
  expect(first.strays).toHaveLength(count);
  expect(headerValue(draining, 'Retry-After')).toBe('60');
});
