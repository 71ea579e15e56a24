/** The engine in its thread tells of the requests that it answers by itself, so that the metrics can count them. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startEngineThread } from '../../src/engine/engine-thread.ts';
import type { OwnAnswer } from '../../src/engine/transaction/own-answers.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { countOwnAnswers } from '../../src/sip-limits.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** `changes`: what differs from a request that an application would get. */
function request(method: string, name: string, changes: Record<string, string> = {}): string {
  const fields: Record<string, string> = {
    Via: `SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${name};rport`,
    From: '<sip:a@127.0.0.1>;tag=a',
    To: '<sip:nobody@127.0.0.1>',
    'Call-ID': name,
    CSeq: `1 ${method}`,
    'Content-Length': '0',
    ...changes,
  };
  const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}\r\n`);
  return `${method} sip:nobody@127.0.0.1 SIP/2.0\r\n${lines.join('')}\r\n`;
}

function series(method: string, code: number): string {
  return `sbc_sip_requests_total{direction="inbound",method="${method}",code="${code}"}`;
}

const REQUESTS = [
  request('INVITE', 'without-contact'),
  request('INVITE', 'huge', { 'X-Note': 'x'.repeat(40_000) }),
  request('INFO', 'unknown-dialog', { To: '<sip:nobody@127.0.0.1>;tag=unknown' }),
  request('OPTIONS', 'bad-number', { CSeq: 'x OPTIONS' }),
  request('CANCEL', 'nothing-to-cancel'),
  request('WINK', 'first-unknown-method'),
  request('NOD', 'second-unknown-method'),
];

test('what no application hears of is counted by method and status', async () => {
  const heard: OwnAnswer[] = [];
  const thread = await startEngineThread(
    [
      {
        name: 'access',
        listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
        admin: { host: '127.0.0.1', port: 0 },
        secret: 'cymru',
      },
    ],
    { onAnswered: (answers) => heard.push(...answers) },
  );
  closeAfterTest(thread);
  const port = thread.engines[0]?.listenPoints[0]?.port ?? 0;
  const peer = createSocket('udp4');
  closeAfterTest({
    close: async () => {
      peer.close();
      await once(peer, 'close');
    },
  });
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  for (const text of REQUESTS) peer.send(text, port, '127.0.0.1');
  const sum = (): number => heard.reduce((total, { count }) => total + count, 0);
  await waitFor('the report of all', () => sum() === REQUESTS.length);
  const metrics = new Metrics();
  countOwnAnswers(metrics, heard);
  const text = await metrics.text();
  const counted = text.split('\n').filter((line) => line.startsWith('sbc_sip_requests_total'));
  expect(counted.toSorted()).toEqual(
    [
      `${series('CANCEL', 481)} 1`,
      `${series('INFO', 481)} 1`,
      `${series('INVITE', 400)} 1`,
      `${series('INVITE', 513)} 1`,
      `${series('OPTIONS', 400)} 1`,
      `${series('other', 501)} 2`,
    ].toSorted(),
  );
});
