/**
 *   operator           SBC
 *     | reload          |
 *     |---------------->|  every socket of the new file is bound first ── one cannot be ──► refused: the old ones, untouched
 *     |                 |            '── all are ──► taken over in one turn
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import type { ReloadView } from '../../src/api/backend.ts';
import { aliceCallsBob, finish, openCallStage } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { freePorts, isTcpFree, isUdpFree } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';
import { tlsPath } from '../support/tls-files.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const HOST = '127.0.0.1';

/** The text of the stage with other sip-ports for the interface `access`. */
function withPorts({ running }: CallStage, ports: readonly string[]): string {
  const list = ports.map((port) => `"${port}"`).join(', ');
  return running.yaml.replace(/sip-ports: \[[^\]]*\]/, `sip-ports: [ ${list} ]`);
}

function portsOf({ running }: CallStage, more: readonly number[]): string[] {
  const all = [running.access.port, ...more];
  return all.flatMap((port) => [`udp/${HOST}:${port}`, `tcp/${HOST}:${port}`]);
}

async function occupyUdp(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, HOST);
  await once(socket, 'listening');
  closeAfterTest({
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  });
  return socket;
}

/** What an OPTIONS of alice is answered, once or never. */
async function optionsStatus({ alice }: CallStage, via: SipTarget): Promise<number | undefined> {
  return statusOf(await alice.sip.request('OPTIONS', { user: 'sbc', via }));
}

function problems(view: ReloadView): readonly string[] {
  return view.type === 'refused'
    ? view.problems.map(({ line, path, message }) => `${line} ${path} ${message}`)
    : [];
}

test('a port that is added takes calls, and the one that stays never closes', async () => {
  const stage = await openCallStage();
  const [added = 0] = await freePorts(1);
  const call = await aliceCallsBob(stage);

  const view = await stage.running.reload(withPorts(stage, portsOf(stage, [added])));
  const second = await aliceCallsBob({
    ...stage,
    running: { ...stage.running, access: { address: HOST, port: added } },
  });
  await finish(second);
  await finish(call);

  expect(view).toMatchObject({ type: 'applied', isChanged: true });
});

test('a port in use refuses the file whole, with the line of that sip-port', async () => {
  const stage = await openCallStage();
  const [taken = 0, free = 0] = await freePorts(2);
  await occupyUdp(taken);
  const text = withPorts(stage, [...portsOf(stage, [free]), `udp/${HOST}:${taken}`]);

  const view = await stage.running.reload(text.replace('to: "*"', 'to: "9"'));
  const call = await aliceCallsBob(stage);
  await finish(call);

  const line = 1 + text.split('\n').findIndex((each) => each.includes(`${taken}`));
  expect(problems(view)).toEqual([
    expect.stringMatching(`^${line} sip-interfaces\\[0\\]\\.sip-ports\\[4\\] .*EADDRINUSE`),
  ]);
  expect([await isUdpFree(free, HOST), await isTcpFree(free, HOST)]).toEqual([true, true]);
});

test('an address of another machine refuses the file', async () => {
  const stage = await openCallStage();
  const view = await stage.running.reload(
    withPorts(stage, [...portsOf(stage, []), 'udp/192.0.2.1:5060']),
  );
  expect(problems(view)).toEqual([expect.stringContaining('EADDRNOTAVAIL')]);
});

test('a removed port without calls is closed, and the interface goes on', async () => {
  const stage = await openCallStage();
  const [added = 0] = await freePorts(1);
  await stage.running.reload(withPorts(stage, portsOf(stage, [added])));

  await stage.running.reload(stage.running.yaml);
  await waitFor('the port to be closed', () => isClosed(added));
  const call = await aliceCallsBob(stage);
  await finish(call);

  expect(await isTcpFree(added, HOST)).toBe(true);
});

test('a certificate whose file has changed is shown to who connects next', async () => {
  const stage = await openCallStage();
  const [port = 0] = await freePorts(1);
  const files = await writtenCertificate('sbc');
  const tls = `    tls: { certificate: "${files.certificate}", key: "${files.key}" }`;
  const text = withPorts(stage, [...portsOf(stage, []), `tls/${HOST}:${port}`]).replace(
    'admit: anyone',
    `admit: anyone\n${tls}`,
  );
  await stage.running.reload(text);
  const before = await certificateAt(port);

  await overwrite(files, 'carrier');
  const changed = await stage.running.reload(text);
  const after = await certificateAt(port);
  await writeFile(files.key, 'no key');
  const broken = await stage.running.reload(text);

  expect(changed).toMatchObject({ type: 'applied', isChanged: true });
  expect(after).not.toBe(before);
  expect(await certificateAt(port)).toBe(after);
  expect(problems(broken)).toEqual([expect.stringContaining('sip-interfaces[0].tls')]);
});

test('a new interface is served at once, for its agents too', async () => {
  const stage = await openCallStage();
  const [port = 0] = await freePorts(1);
  const added = [
    '  - name: extra',
    '    realm: access',
    `    sip-ports: [ "udp/${HOST}:${port}" ]`,
    '    admit: agents',
  ];
  const text = stage.running.yaml.replace(
    'session-agents:',
    `${added.join('\n')}\nsession-agents:`,
  );

  const view = await stage.running.reload(text);
  const extra = { address: HOST, port };
  const status = await optionsStatus(stage, extra);
  const back = await stage.running.reload(stage.running.yaml);

  expect([view.type, back.type]).toEqual(['applied', 'applied']);
  expect(status).toBe(200);
  await waitFor('the port to be closed', () => isClosed(port));
  await finish(await aliceCallsBob(stage));
});

/** Polled: whether the port is free is only known by binding it. */
const closedPorts = new Set<number>();
function isClosed(port: number): boolean {
  void isUdpFree(port, HOST).then((isFree) => isFree && closedPorts.add(port));
  return closedPorts.has(port);
}

interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

async function writtenCertificate(owner: string): Promise<CertificateFiles> {
  const name = `sbc-reload-${process.pid}-${Date.now()}`;
  const files = { certificate: join(tmpdir(), `${name}.pem`), key: join(tmpdir(), `${name}.key`) };
  await overwrite(files, owner);
  return files;
}

async function overwrite({ certificate, key }: CertificateFiles, owner: string): Promise<void> {
  await writeFile(certificate, await readFile(tlsPath(`${owner}.pem`)));
  await writeFile(key, await readFile(tlsPath(`${owner}.key`)));
}

/** Fingerprint of the certificate that is shown on the port. */
async function certificateAt(port: number): Promise<string> {
  const socket = connect({ host: HOST, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  await once(socket, 'close');
  return fingerprint256;
}
