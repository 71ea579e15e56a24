/**
 *   HTTP API, phone of 2001                SBC, dial plan: 2… only
 *     | forward to 2424  --------------------> | applied
 *     | forward to 4711  --------------------> | refused, as no call would get there
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiReply, type FeatureSbc, startFeatureSbc } from '../support/feature-sbc.ts';

const servers: FeatureSbc[] = [];

/** The accounts are behind the carrier, which may call those of its own kind only. */
function edit(yaml: string): string {
  const own = '  - { from-realm: core, to: "2", next-hop: carrier }\n';
  return yaml.replace('local-policies:\n', `$&${own}`);
}

beforeAll(async () => {
  const section = { 'apply-to-calls': '[ 2001@pbx.example ]' };
  servers.push(await startFeatureSbc({ section, edit }));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

function sbc(): FeatureSbc {
  const [server] = servers;
  if (server === undefined) throw new Error('there is no SBC');
  return server;
}

function forward(user: string, forwardTo: string): Promise<ApiReply> {
  const path = `/features/${user}@pbx.example/CallForwardingAlways`;
  return sbc().ask('PUT', path, { status: true, forwardTo });
}

const NO_WAY = { code: 'target-forbidden', reason: 'the dial plan has no way to this target' };

test('a target that no call would reach is refused to API and phone, with the reason', async () => {
  expect(await forward('2001', '2424')).toMatchObject({ status: 200 });
  const refused = await forward('2001', '4711');
  const phone = await sbc().phone();
  const answer = await phone.subscribe({
    body: '<SetForwarding><forwardingType>forwardBusy</forwardingType><activateForward>true</activateForward><forwardDN>4711</forwardDN></SetForwarding>',
  });
  await phone.nextNotify();

  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.body)).toContain(NO_WAY.code);
  expect(JSON.stringify(refused.body)).toContain(NO_WAY.reason);
  expect([answer.status, answer.warning]).toEqual([200, expect.stringContaining(NO_WAY.code)]);
});

test('where the features do not act on calls, any target may be kept', async () => {
  expect(await forward('2002', '4711')).toMatchObject({ status: 200 });
});
