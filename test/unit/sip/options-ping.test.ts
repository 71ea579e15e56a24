import { expect, test } from 'vitest';
import { type PingAnswer, sendPing } from '../../../src/sip/options-ping.ts';
import { FakeSipConnection, type SentFake } from '../../support/fake-sip-connection.ts';

const TARGET = { uri: 'sip:10.0.0.1', nextHop: 'sip:10.0.0.1;transport=tcp' };

async function pingWith(answer: (sent: SentFake) => void): Promise<PingAnswer> {
  const connection = new FakeSipConnection();
  const outcome = sendPing(connection, TARGET);
  const [sent] = connection.sent;
  if (sent !== undefined) answer(sent);
  return await outcome;
}

test('OPTIONS goes to the next hop, addressed to the agent', async () => {
  const connection = new FakeSipConnection();
  void sendPing(connection, TARGET);
  expect(connection.sent.map(({ options }) => options)).toEqual([
    {
      method: 'OPTIONS',
      ...TARGET,
      headers: { To: '<sip:10.0.0.1>', 'Max-Forwards': '70', Accept: 'application/sdp' },
    },
  ]);
});

test.each<[string, (sent: SentFake) => void, PingAnswer]>([
  ['any answer', (sent) => sent.answer(404), { type: 'answer', status: 404 }],
  ['a 408 of the peer', (sent) => sent.answer(408), { type: 'answer', status: 408 }],
  ['a 503 of the peer', (sent) => sent.answer(503), { type: 'answer', status: 503 }],
  ['a 408 in its name', (sent) => sent.makeUp(408), { type: 'silence' }],
  ['a 503 in its name', (sent) => sent.makeUp(503), { type: 'transportError' }],
  ['a request that could not be sent', (sent) => sent.fail('nowhere'), { type: 'transportError' }],
  ['a lost engine', (sent) => sent.fail('connection-lost'), { type: 'notAsked' }],
  [
    'a provisional answer and then one',
    (sent) => {
      sent.answer(100);
      sent.answer(200);
    },
    { type: 'answer', status: 200 },
  ],
])('%s', async (_, answer, expected) => {
  expect(await pingWith(answer)).toEqual(expected);
});
