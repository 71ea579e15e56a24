/**
 * engine: drachtio: the SBC connects to a server instead of starting one. The server here is the embedded engine in the
 * role of a drachtio-server, with one admin port for both interfaces or one for each.
 *
 *   alice ── server [access + core] ── bob
 *                  | admin
 *                 SBC
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  bobCallsAlice,
  callRecords,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { SipServers } from '../support/sip-servers.ts';

checkLeaksAfterEach();

test.each([
  ['one server for both interfaces', 'shareOne'],
  ['a server for each interface', 'oneForEach'],
] as const)('calls cross both ways with %s', async (_name, share) => {
  const servers = new SipServers();
  const stage = await openCallStage({ edit: (yaml) => servers[share](yaml) });

  const out = await aliceCallsBob(stage);
  await finish(out);
  const back = await bobCallsAlice(stage);
  await finish(back);

  const records = await callRecords(stage.running, 2);
  expect(records).toMatchObject([
    { ingress: { interface: 'access' }, egress: { interface: 'core' } },
    { ingress: { interface: 'core' }, egress: { interface: 'access' } },
  ]);
});
