import { afterEach, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { Bench, closeAll, statusLine, udpPeer } from './layer-bench.ts';
import { requestText } from './sample-messages.ts';

afterEach(closeAll);

const LONG = `X: ${'x'.repeat(98)}`;

/** The answers to one datagram, up to the request behind it that the layer hands on. */
async function answersTo(text: string): Promise<string[]> {
  const bench = await Bench.open();
  const peer = await udpPeer();
  peer.send(text, bench.port);
  peer.send(requestText({ method: 'INFO', branch: 'z9hG4bKafter', callId: 'after' }), bench.port);
  const { request, transaction } = await bench.takeRequest();
  await transaction.send(buildResponse(request, 200, 'OK'));
  const answers: string[] = [];
  for (;;) {
    const answer = await peer.inbox.take();
    if (answer.includes('z9hG4bKafter')) break;
    answers.push(answer);
  }
  expect(bench.layer.counters).toMatchObject({ malformed: 1, bugs: 0 });
  return answers;
}

test.each([
  ['a head of 40 kB', { extra: Array.from({ length: 400 }, () => LONG) }],
  ['1000 header fields', { extra: Array.from({ length: 1000 }, () => 'X: y') }],
])('%s is answered 513', async (_what, shape) => {
  const [answer = ''] = await answersTo(requestText({ method: 'INVITE', ...shape }));
  expect(statusLine(answer)).toBe('SIP/2.0 513 Message Too Large');
  expect(answer).toContain('Call-ID: call1@example.com\r\n');
  expect(answer.length).toBeLessThan(500);
});

test('a head whose beginning does not identify the request gets silence', async () => {
  const lines = requestText({ method: 'INVITE' }).split('\r\n');
  const [start = '', via = '', ...rest] = lines;
  const padding = Array.from({ length: 400 }, () => LONG);
  expect(await answersTo([start, via, ...padding, ...rest].join('\r\n'))).toEqual([]);
});

test.each([
  ['no Via', ''],
  ['an empty Via', 'Via:\r\n'],
])('a request with %s gets silence: nobody could tell what is answered', async (_what, via) => {
  const text = requestText({ method: 'INVITE' }).replace(/^Via:.*\r\n/m, via);
  expect(await answersTo(text)).toEqual([]);
});

test.each([
  ['400', 'Max-Forwards: 70', 'Max-Forwards: 256'],
  ['400', 'Call-ID: call1@example.com\r\n', ''],
  ['505', 'SIP/2.0\r\n', 'SIP/3.0\r\n'],
])('other faults of a request are answered %s', async (status, from, to) => {
  const answers = await answersTo(requestText({ method: 'INFO' }).replace(from, to));
  expect(answers.map((answer) => answer.slice(8, 11))).toEqual([status]);
});
