/**
 *   phone ──SIP── access [SBC] core ──SIP── trunk
 *                          |
 *                          '── HEP 3 over UDP ──> capture server
 *
 * Every message of both legs, the decision and each key arrive there under the id of the call.
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, finish, openCallStage } from '../support/call-stage.ts';
import { openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import type { HepDatagram } from '../support/hep-decoder.ts';
import { HepServer } from '../support/hep-server.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const SIP = 1;
const JSON_LOG = 100;

function hepTo(server: HepServer, host: string, more = ''): (yaml: string) => string {
  return (yaml) => `${yaml}hep: { server: "${host}:${server.port}"${more} }\n`;
}

function wayOf({ source, sourcePort, destination, destinationPort }: HepDatagram): string {
  return `${source}:${sourcePort} > ${destination}:${destinationPort}`;
}

function wayBetween(from: SipTarget, to: SipTarget): string {
  return `${from.address}:${from.port} > ${to.address}:${to.port}`;
}

/** Method and status of each message on `way`, in order: `INVITE`, `200 INVITE`. */
function messagesOn(received: readonly HepDatagram[], way: string): string[] {
  return received
    .filter((packet) => packet.payloadType === SIP && wayOf(packet) === way)
    .map(({ payload }) => {
      const status = /^SIP\/2\.0 (\d+)/.exec(payload)?.[1];
      const method = /^CSeq: *\d+ +(\w+)/im.exec(payload)?.[1] ?? '';
      return status === undefined ? method : `${status} ${method}`;
    });
}

function recordsOf(received: readonly HepDatagram[], type: string): Record<string, unknown>[] {
  return received
    .filter(({ payloadType }) => payloadType === JSON_LOG)
    .map(({ payload }): Record<string, unknown> => JSON.parse(payload))
    .filter((record) => record['type'] === type);
}

test('messages of both legs, decisions and keys come under one id, marked as configured', async () => {
  const server = await HepServer.open('::1');
  const more = ', capture-id: 77, node-name: sbc-1, password: s3cret';
  const { running, ...ends } = await openStage({ edit: hepTo(server, '[::1]', more) });
  const call = await phoneCallsTrunk({ running, ...ends });
  const [id = ''] = running.sbc.calls.list().map((item) => item.id);
  await call.phone.press('5');
  await call.trunk.waitForDigits(1);
  await call.finish();
  const { received } = server;
  const isOver = (way: string): boolean => messagesOn(received, way).some((m) => m.endsWith('BYE'));
  const toTrunk = wayBetween(running.core, ends.trunk.sip);
  const fromTrunk = wayBetween(ends.trunk.sip, running.core);
  const fromPhone = wayBetween(ends.phone.sip, running.access);
  const toPhone = wayBetween(running.access, ends.phone.sip);
  await waitFor('all of it', () => [toTrunk, fromTrunk, fromPhone, toPhone].every(isOver));

  expect(new Set(received.map(({ correlationId }) => correlationId))).toEqual(new Set([id]));
  const marks = received.map(({ captureId, nodeName, password }) => [
    captureId,
    nodeName,
    password,
  ]);
  expect(new Set(marks.map(String))).toEqual(new Set(['77,sbc-1,s3cret']));
  expect(messagesOn(received, fromPhone)).toEqual(
    expect.arrayContaining(['INVITE', 'ACK', '200 SUBSCRIBE', 'NOTIFY', 'BYE']),
  );
  expect(messagesOn(received, toPhone)).toEqual(
    expect.arrayContaining(['200 INVITE', 'SUBSCRIBE', '200 NOTIFY', '200 BYE']),
  );
  expect(messagesOn(received, toTrunk)).toEqual(expect.arrayContaining(['INVITE', 'ACK', 'BYE']));
  expect(messagesOn(received, fromTrunk)).toEqual(
    expect.arrayContaining(['200 INVITE', '200 BYE']),
  );
  expect(received.filter(({ payloadType }) => payloadType === SIP).map(wayOf)).toHaveLength(
    [fromPhone, toPhone, fromTrunk, toTrunk].flatMap((way) => messagesOn(received, way)).length,
  );
  expect(recordsOf(received, 'decision').length).toBeGreaterThan(0);
  expect(recordsOf(received, 'digit')).toEqual([
    expect.objectContaining({
      callId: id,
      direction: 'caller-to-callee',
      source: expect.objectContaining({ type: 'notify' }),
      outputs: [expect.objectContaining({ type: 'rtp' })],
    }),
  ]);
  const clock = received.map(({ seconds }) => Math.abs(seconds - Date.now() / 1000));
  expect(Math.max(...clock)).toBeLessThan(600);
});

test('a leg over IPv6 is captured with its IPv6 addresses, the other with its own', async () => {
  const server = await HepServer.open();
  const stage = await openCallStage({
    host: '::1',
    coreHost: '127.0.0.4',
    alice: { address: '::1' },
    edit: hepTo(server, '127.0.0.1', ', decisions: false, digits: false'),
  });
  const call = await aliceCallsBob(stage);
  await finish(call);
  await waitFor(
    'the end',
    () => server.received.filter((p) => p.payload.startsWith('BYE')).length > 1,
  );
  const { received } = server;
  const full = '0000:0000:0000:0000:0000:0000:0000:0001';
  const families = new Map(received.map((packet) => [packet.family, new Set<string>()]));
  for (const packet of received) families.get(packet.family)?.add(packet.source);
  expect(families).toEqual(
    new Map([
      [10, new Set([full])],
      [2, new Set(['127.0.0.4', '127.0.0.3'])],
    ]),
  );
  expect(new Set(received.map(({ payloadType }) => payloadType))).toEqual(new Set([SIP]));
});

test('a capture server that is not there disturbs no call, and says so in the metrics', async () => {
  const server = await HepServer.open();
  const edit = hepTo(server, '127.0.0.1');
  await server.close();
  const stage = await openCallStage({ edit });
  await finish(await aliceCallsBob(stage));
  const text = await (await fetch(`http://127.0.0.1:${stage.running.api.port}/metrics`)).text();
  const counts = text.match(/^sbc_hep_packets_total\{type="sip",.*\} [1-9]\d*$/gm);
  expect(counts?.length).toBeGreaterThan(0);
});
