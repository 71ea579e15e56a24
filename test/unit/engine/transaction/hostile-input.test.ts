import { existsSync, readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { Bench, closeAll, statusLine, tcpPeer, udpPeer } from './layer-bench.ts';
import type { UdpPeer } from './raw-peer.ts';
import { requestText } from './sample-messages.ts';

afterEach(closeAll);

/** A layer whose user answers every request with 200. */
async function openAnswering(protocol: 'udp' | 'tcp'): Promise<Bench> {
  const bench = await Bench.open(protocol, {
    user: {
      onRequest: (transaction, request) => {
        void transaction.send(buildResponse(request, 200, 'OK', 'us'));
      },
      onAck: () => undefined,
      onCancel: () => undefined,
      onStrayResponse: () => undefined,
    },
  });
  return bench;
}

const DATA = new URL('../../../../../shared/data/', import.meta.url);
const folders = ['rfc4475/', 'rfc5118/'].filter((folder) => existsSync(new URL(folder, DATA)));
const files = folders.flatMap((folder) =>
  readdirSync(new URL(folder, DATA))
    .filter((name) => name.endsWith('.dat'))
    .map((name) => folder + name),
);

/** What the layer with an agreeable user answers over TCP where that is not 200. */
const ANSWERS: Readonly<Record<string, string | undefined>> = {
  'rfc4475/badinv01.dat': '400',
  'rfc4475/badaspec.dat': '400',
  'rfc4475/baddn.dat': undefined, // no empty line: the stream waits for more
  'rfc4475/badvers.dat': '505',
  'rfc4475/bcast.dat': undefined, // responses are never answered
  'rfc4475/bigcode.dat': undefined,
  'rfc4475/noreason.dat': undefined,
  'rfc4475/scalarlg.dat': undefined,
  'rfc4475/unreason.dat': undefined,
  'rfc4475/clerr.dat': undefined, // the stream waits for the rest of the body
  'rfc4475/escruri.dat': '400',
  'rfc4475/insuf.dat': '400',
  'rfc4475/inv2543.dat': '400', // no length: fatal on a stream
  'rfc4475/ltgtruri.dat': '400',
  'rfc4475/lwsruri.dat': '400',
  'rfc4475/lwsstart.dat': '400',
  'rfc4475/mcl01.dat': '400',
  'rfc4475/mismatch01.dat': '400',
  'rfc4475/mismatch02.dat': '400',
  'rfc4475/multi01.dat': '400',
  'rfc4475/ncl.dat': '400',
  'rfc4475/novelsc.dat': '416',
  'rfc4475/quotbal.dat': '400',
  'rfc4475/regbadct.dat': '400',
  'rfc4475/scalar02.dat': '400',
  'rfc4475/trws.dat': '400',
  'rfc4475/unkscm.dat': '416',
  'rfc5118/ipv6-bad.dat': '400',
  'rfc5118/ipv6-bug-abnf-3-colons.dat': '400',
};

describe.skipIf(files.length === 0)('torture messages', () => {
  test.each(files)('%s over TCP', async (file) => {
    const bench = await openAnswering('tcp');
    const peer = await tcpPeer(bench.port);
    const expected = file in ANSWERS ? ANSWERS[file] : '200';
    peer.socket.write(readFileSync(new URL(file, DATA)));
    // An answer on another connection proves that the layer lives and has read the first one by now.
    const probe = await tcpPeer(bench.port);
    probe.socket.write(requestText({ method: 'OPTIONS', branch: 'z9hG4bKprobe', callId: 'probe' }));
    expect(statusLine(await probe.inbox.take())).toBe('SIP/2.0 200 OK');
    const answer = expected === undefined ? undefined : (await peer.inbox.take()).slice(8, 11);
    expect(answer).toBe(expected);
    expect(peer.inbox.size).toBe(0);
    expect(bench.layer.counters.bugs).toBe(0);
  });

  test('all of them over UDP, twice: the layer lives', async () => {
    const bench = await openAnswering('udp');
    const peer = await udpPeer();
    const texts = [...files, ...files].map((file) => {
      const text = readFileSync(new URL(file, DATA), 'latin1');
      // Without rport the answers would go to the default port of this machine.
      return Buffer.from(text.replaceAll(/^(v|via)( *:[^\r]*)/gim, '$1$2;rport'), 'latin1');
    });
    await sendAll(peer, texts, bench.port);
    expect(bench.layer.counters.bugs).toBe(0);
  });
});

/** Sends in small groups with a probe behind each, so that the socket never overflows and every probe is answered. */
async function sendAll(peer: UdpPeer, texts: (string | Buffer)[], port: number): Promise<void> {
  for (let at = 0; at < texts.length; at += 20) {
    const branch = `z9hG4bKprobe${at}.`;
    for (const text of texts.slice(at, at + 20)) peer.send(text, port);
    peer.send(requestText({ method: 'OPTIONS', callId: branch, branch }), port);
    let answer = await peer.inbox.take();
    while (!answer.includes(branch)) answer = await peer.inbox.take();
    if (statusLine(answer) !== 'SIP/2.0 200 OK') throw new Error(`probe answered ${answer}`);
  }
}

test('mutated requests: the layer lives and nothing throws', async () => {
  const bench = await openAnswering('udp');
  const peer = await udpPeer();
  const strings = [
    '',
    '\0',
    '%n',
    '"',
    '<',
    '\r\n',
    ',',
    ';',
    '-1',
    '4294967296',
    'é',
    ' '.repeat(200),
  ];
  const anomalies = fc.constantFrom(...strings, 'x'.repeat(2000));
  const methods = fc.constantFrom('INVITE', 'ACK', 'CANCEL', 'SUBSCRIBE', 'BYE');
  const cuts = fc.array(fc.tuple(fc.nat(400), fc.nat(20), anomalies), {
    minLength: 1,
    maxLength: 3,
  });
  const mutants = fc
    .sample(fc.tuple(methods, cuts, fc.nat(1e6)), 400)
    .map(([method, places, number]) => {
      let text = requestText({ method, callId: `c${number}`, branch: `z9hG4bK${number}` });
      for (const [at, length, anomaly] of places)
        text = text.slice(0, at) + anomaly + text.slice(at + length);
      return text;
    });
  await sendAll(
    peer,
    mutants.filter((text) => text.includes(';rport\r\n')),
    bench.port,
  );
  expect(bench.layer.counters.bugs).toBe(0);
});
