import { expect, test } from 'vitest';
import { HepSender, type HepSenderOptions } from '../../../src/observe/hep-sender.ts';
import { encodeHep, HEP_SIP } from '../../../src/observe/hep.ts';
import { HepServer } from '../../support/hep-server.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../support/leak-check.ts';
import { waitFor } from '../../support/wait-for.ts';

checkLeaksAfterEach();

/** A datagram that says `text`. */
function datagram(text: string): Buffer {
  const end = { address: '127.0.0.1', port: 5060 };
  return encodeHep(
    {
      type: HEP_SIP,
      source: end,
      destination: end,
      transport: 'udp',
      atMs: 0,
      correlationId: 'c',
      payload: text,
    },
    { captureId: 1, nodeName: '', password: '' },
  );
}

interface Watched {
  readonly sender: HepSender;
  /** What became of each datagram, as `content result`. */
  readonly results: string[];
  readonly troubles: string[];
}

function watched(options: Partial<HepSenderOptions> = {}): Watched {
  const results: string[] = [];
  const troubles: string[] = [];
  const sender = new HepSender({
    onResult: (content, result) => results.push(`${content} ${result}`),
    onTrouble: ({ host }, reason) => troubles.push(`${host}: ${reason}`),
    retryMs: 5,
    ...options,
  });
  closeAfterTest({ close: async () => sender.close() });
  return { sender, results, troubles };
}

test.each(['127.0.0.1', '::1'])(
  'datagrams reach a server on %s, and each is counted',
  async (host) => {
    const server = await HepServer.open(host);
    const { sender, results } = watched();
    sender.apply({ host, port: server.port });
    sender.send('sip', datagram('one'));
    sender.send('digit', datagram('two'));
    await waitFor('both', () => server.received.length === 2 && results.length === 2);
    expect(server.received.map(({ payload }) => payload)).toEqual(['one', 'two']);
    expect(results).toEqual(['sip sent', 'digit sent']);
  },
);

test('a host name is looked up beside, and datagrams wait for its address', async () => {
  const server = await HepServer.open();
  const { sender } = watched({ lookUp: () => Promise.resolve('127.0.0.1') });
  sender.apply({ host: 'homer.example', port: server.port });
  sender.send('sip', datagram('waited'));
  await waitFor('the datagram', () => server.received.length === 1);
  expect(server.received[0]?.payload).toBe('waited');
});

test('a name that cannot be found is told once, its datagrams are dropped, and it is tried again', async () => {
  const server = await HepServer.open();
  let lookUps = 0;
  const lookUp = (): Promise<string> => {
    lookUps += 1;
    return lookUps < 4 ? Promise.reject(new Error('not found')) : Promise.resolve('127.0.0.1');
  };
  const { sender, results, troubles } = watched({ lookUp });
  sender.apply({ host: 'homer.example', port: server.port });
  sender.send('sip', datagram('too early'));
  await waitFor('the drop', () => results.length === 1);
  await waitFor('the address', () => lookUps === 4);
  sender.send('sip', datagram('in time'));
  await waitFor('the datagram', () => server.received.length === 1);
  expect(server.received[0]?.payload).toBe('in time');
  expect(results).toEqual(['sip dropped', 'sip sent']);
  expect(troubles).toEqual(['homer.example: not found']);
});

test('a name that stands for another address after a while is followed', async () => {
  const next = await HepServer.open('127.0.0.2');
  const moved = await HepServer.open('127.0.0.3', next.port);
  let address = '127.0.0.2';
  const { sender } = watched({ lookUp: () => Promise.resolve(address), refreshMs: 5 });
  sender.apply({ host: 'homer.example', port: next.port });
  sender.send('sip', datagram('first'));
  await waitFor('the first', () => next.received.length === 1);
  address = '127.0.0.3';
  await waitFor('the move', () => {
    sender.send('sip', datagram('again'));
    return moved.received.length > 0;
  });
  expect(moved.received[0]?.payload).toBe('again');
});

test('nobody listening is told and survived', async () => {
  const server = await HepServer.open();
  const { port } = server;
  await server.close();
  const { sender, troubles } = watched();
  sender.apply({ host: '127.0.0.1', port });
  await waitFor('a refusal', () => {
    sender.send('sip', datagram('x'));
    return troubles.length > 0;
  });
  expect(troubles).toEqual([expect.stringContaining('ECONNREFUSED')]);
  const back = await HepServer.open('127.0.0.1', port);
  await waitFor('the server that is back', () => {
    sender.send('sip', datagram('x'));
    return back.received.length > 0;
  });
});

test('what finds no room is dropped and counted', async () => {
  const { sender, results } = watched({ lookUp: () => new Promise(() => undefined) });
  sender.apply({ host: 'slow.example', port: 9 });
  for (let sent = 0; sent < 600; sent += 1) sender.send('sip', datagram('x'));
  expect(results).toEqual(Array.from({ length: 100 }, () => 'sip dropped'));
  sender.close();
  expect(results).toHaveLength(600);
});

test('without a server nothing is counted, and another one may be named at any time', async () => {
  const [one, other] = [await HepServer.open(), await HepServer.open()];
  const { sender, results } = watched();
  sender.send('sip', datagram('nowhere'));
  expect(sender.isOn).toBe(false);
  sender.apply({ host: '127.0.0.1', port: one.port });
  sender.send('sip', datagram('one'));
  await waitFor('the first', () => one.received.length === 1);
  sender.apply({ host: '127.0.0.1', port: other.port });
  sender.send('sip', datagram('other'));
  await waitFor('the second', () => other.received.length === 1);
  sender.apply(undefined);
  sender.send('sip', datagram('nowhere'));
  expect(results).toEqual(['sip sent', 'sip sent']);
});
