/**
 * engine: drachtio: the SBC connects to a server instead of starting one. The server here is the embedded engine in the
 * role of a drachtio-server, with one admin port for both interfaces or one for each.
 *
 *   alice ── server [access + core] ── bob
 *                  | admin
 *                 SBC
 */
import { expect, test } from 'vitest';
import { startEngine } from '../../src/engine/engine.ts';
import {
  aliceCallsBob,
  bobCallsAlice,
  callRecords,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';

const SECRET = 'server-secret';
const EMBEDDED = 'sip: { engine: embedded }';

checkLeaksAfterEach();

test.each([
  ['one server for both interfaces', shareOne],
  ['a server for each interface', oneForEach],
])('calls cross both ways with %s', async (_name, edit) => {
  const stage = await openCallStage({ edit });

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

async function shareOne(yaml: string): Promise<string> {
  const port = await startServer(portsIn(yaml).flat());
  const server = `{ host: 127.0.0.1, port: ${port}, secret: ${SECRET} }`;
  return yaml.replace(EMBEDDED, `sip: { engine: drachtio, drachtio: ${server} }`);
}

async function oneForEach(yaml: string): Promise<string> {
  let text = yaml.replace(EMBEDDED, 'sip: { engine: drachtio }');
  const lines = yaml.split('\n').filter((line) => line.includes('sip-ports:'));
  for (const line of lines) {
    const port = await startServer(pointsOf(line));
    const server = `    drachtio: { host: 127.0.0.1, port: ${port}, secret: ${SECRET} }`;
    text = text.replace(line, `${line}\n${server}`);
  }
  return text;
}

interface Point {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

async function startServer(listen: readonly Point[]): Promise<number> {
  const admin = { host: '127.0.0.1', port: 0 };
  const engine = closeAfterTest(await startEngine({ listen, admin, secret: SECRET }));
  return engine.adminPort;
}

function portsIn(yaml: string): Point[][] {
  return yaml
    .split('\n')
    .filter((line) => line.includes('sip-ports:'))
    .map((line) => pointsOf(line));
}

function pointsOf(line: string): Point[] {
  return [...line.matchAll(/(udp|tcp)\/([\d.]+):(\d+)/g)].map(([, protocol, address, port]) => ({
    protocol: protocol === 'tcp' ? 'tcp' : 'udp',
    address: address ?? '',
    port: Number(port),
  }));
}
