/**
 *   stranger          SBC
 *     | garbage        |
 *     |--------------->|     400, 488 or silence; the running call hears nothing of it
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

const TORTURE = new URL('../fixtures/rfc4475/', import.meta.url);

test('50 INVITEs with broken SDP and a heap of malformed SIP leave a running call alone', async () => {
  const stage = await openCallStage();
  const { running } = stage;
  const stranger = closeAfterTest(await SipPeer.open({ address: '127.0.0.9' }));
  const call = await aliceCallsBob(stage);

  const offer = plainOffer(stranger);
  const broken = Array.from({ length: 50 }, (_, index) => breakAt(offer, index));
  await sendAll(await malformed(running.access.port), running.access);
  const finals = await Promise.all(
    broken.map((body) => stranger.invite({ to: '1', via: running.access, body }).finished()),
  );
  const probe = await stranger.request('OPTIONS', { user: 'x', via: running.access });
  await audioBothWays(call);
  await finish(call);

  expect(new Set(finals.map((final) => statusOf(final)))).toEqual(new Set([488]));
  expect(statusOf(probe)).toBe(200);
  // All ends live in this process: how regular the clocks ran says nothing about the SBC.
  const problems = [...call.alice.audioProblems(), ...call.bob.audioProblems()];
  expect(problems.filter((problem) => !problem.includes('strays'))).toEqual([]);
  expect(running.errors).toEqual([]);
});

/** Sends datagrams from a socket that does not care for answers. */
async function sendAll(texts: readonly string[], to: SipTarget): Promise<void> {
  const socket = createSocket('udp4');
  for (const text of texts) {
    await new Promise((resolve) => {
      socket.send(Buffer.from(text, 'latin1'), to.port, to.address, resolve);
    });
  }
  socket.close();
  await once(socket, 'close');
}

/** The offer with its m-line spoilt, each time in another way. */
function breakAt(offer: string, index: number): string {
  const spoilt = ['m=audio x', 'm=audio -1', 'm=', 'm=audio', 'm=audio 99999 RTP/AVP'][index % 5];
  return offer.replace(/^m=audio \d+.*$/m, `${spoilt ?? 'm='}${' '.repeat(index % 7)}`);
}

/** Messages that no stack should choke on, those of RFC 4475 among them where the project has them. */
async function malformed(port: number): Promise<string[]> {
  const base = `INVITE sip:x@127.0.0.1:${port} SIP/2.0\r\n`;
  const own = [
    '\r\n\r\n',
    '\u0000\u0001\u0002',
    'INVITE',
    base,
    `${base}\r\n`,
    `${base}Via: nonsense\r\n\r\n`,
    `${base}Content-Length: -5\r\n\r\n`,
    `${base}${'X: y\r\n'.repeat(2000)}\r\n`,
    `SIP/2.0 200 OK\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n\r\n`,
    'A'.repeat(60_000),
  ];
  const names = await readdir(TORTURE).catch(() => []);
  const files = names.filter((name) => name.endsWith('.dat'));
  const torture = await Promise.all(
    files.map((name) => readFile(new URL(name, TORTURE), 'latin1')),
  );
  return [...own, ...torture];
}
