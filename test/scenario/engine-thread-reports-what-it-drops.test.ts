/** The engine in its thread tells what a flood has lost, and learns which peers are known while it runs. */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startEngineThread } from '../../src/engine/engine-thread.ts';
import type { DropReport } from '../../src/engine/transport/drop-journal.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** Nobody gets more than the burst while the test runs. */
const STRANGER = { perSecond: 1e-6, burst: 2 };
const UNLIMITED = { perSecond: 0, burst: 0 };

let count = 0;

function options(): string {
  count += 1;
  return [
    'OPTIONS sip:nobody@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKdrop${count};rport`,
    'From: <sip:a@127.0.0.1>;tag=a',
    'To: <sip:nobody@127.0.0.1>',
    `Call-ID: drop${count}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function sumOf(reports: readonly [name: string, report: DropReport][]): number {
  return reports.reduce((sum, [, { counts }]) => sum + (counts['source-rate'] ?? 0), 0);
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closeAfterTest({
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  });
  return socket;
}

test('drops are reported by reason and source, and a peer that is named is heard again', async () => {
  const reports: [name: string, report: DropReport][] = [];
  const thread = await startEngineThread(
    [
      {
        name: 'access',
        listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
        admin: { host: '127.0.0.1', port: 0 },
        secret: 'cymru',
        limits: { rates: { stranger: STRANGER, agent: UNLIMITED, strangers: UNLIMITED } },
      },
    ],
    { onDropped: (name, report) => reports.push([name, report]) },
  );
  closeAfterTest(thread);
  const port = thread.engines[0]?.listenPoints[0]?.port ?? 0;
  const peer = await openSocket();
  const answers: string[] = [];
  peer.on('message', (bytes) => answers.push(bytes.toString()));
  for (let index = 0; index < 5; index += 1) peer.send(options(), port, '127.0.0.1');
  await waitFor('the report of all three', () => sumOf(reports) === 3);
  expect(reports[0]?.[0]).toBe('access');
  const named = reports.flatMap(([, { sources }]) => sources.map(({ source }) => source));
  expect(named).toEqual(['127.0.0.1']);
  await waitFor('the first answers', () => answers.length === 2);
  thread.setKnownPeers('access', ['127.0.0.0/8']);
  // The word travels on another way than the datagrams: ask until it has arrived.
  await waitFor('an answer', () => {
    peer.send(options(), port, '127.0.0.1');
    return answers.length > 2;
  });
});
