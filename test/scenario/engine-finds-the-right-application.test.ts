import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from '../support/engine-app.ts';
import type { App, AppDialog, AppMessage } from '../support/engine-app.ts';
import { PeerCall, SDP } from '../support/engine-peer.ts';
import type { EnginePeer } from '../support/engine-peer.ts';

let bench: EngineBench;
let alice: EnginePeer;

beforeEach(async () => {
  bench = await EngineBench.start();
  alice = await bench.peer();
});

afterEach(async () => {
  await bench.close();
});

async function allowed(): Promise<string> {
  new PeerCall(alice).request('FOO');
  return getHeader(await alice.finalResponse('FOO'), 'Allow') ?? '';
}

function answering(status: number): (app: App) => void {
  return (app) => app.options((_request, response) => response.send(status));
}

describe('a new request', () => {
  test('goes to the applications that asked for its method, in turn', async () => {
    await bench.app(answering(200));
    await bench.app(answering(202));
    await bench.app();
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      new PeerCall(alice).request('OPTIONS');
      statuses.push((await alice.finalResponse('OPTIONS')).status);
    }
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 200, 202, 202]);
    expect(statuses[0]).not.toBe(statuses[1]);
  });

  test.each([
    ['OPTIONS', 503],
    ['INVITE', 503],
    ['REFER', 503],
    ['FOO', 501],
    ['BYE', 481],
    ['UPDATE', 481],
  ])('%s that nobody asked for gets %i', async (method, status) => {
    new PeerCall(alice).request(method);
    expect((await alice.finalResponse(method)).status).toBe(status);
  });

  test('of an unknown method is told which ones are served', async () => {
    expect(await allowed()).toBe('ACK, CANCEL');
    await bench.app(answering(200));
    expect(await allowed()).toBe('ACK, CANCEL, OPTIONS');
  });

  test.each(['INVITE', 'INFO', 'SUBSCRIBE', 'NOTIFY', 'OPTIONS', 'BYE'])(
    '%s with a To tag nobody knows gets 481',
    async (method) => {
      await bench.app(answering(200));
      const call = new PeerCall(alice);
      call.toTag = 'unknown';
      call.request(method);
      expect((await alice.finalResponse(method)).status).toBe(481);
    },
  );

  test('an INVITE without Contact gets 400, a second one with its identity 482', async () => {
    await bench.app((app) => app.invite(() => undefined));
    const call = new PeerCall(alice);
    call.request('INVITE', ['X-Note: the first one stays unanswered']);
    await alice.response(100, 'INVITE');
    call.request('INVITE');
    expect((await alice.finalResponse('INVITE')).status).toBe(482);
    const { address } = alice;
    alice.send([
      `INVITE sip:bob@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP ${address};branch=z9hG4bKnocontact`,
      'Max-Forwards: 70',
      `From: <sip:alice@${address}>;tag=1`,
      'To: <sip:bob@127.0.0.1>',
      'Call-ID: nocontact',
      'CSeq: 1 INVITE',
    ]);
    expect((await alice.finalResponse('INVITE')).status).toBe(400);
  });
});

describe('an application', () => {
  test.each([
    ['a wrong secret', '21#m1|authenticate|wrong', /^\d+#\S+\|response\|m1\|NO\|incorrect secret$/],
    ['anything before the secret', '15#m1|route|invite', /\|NO\|not authenticated$/],
  ])('with %s is told so and cut off', async (_name, frame, expected) => {
    const port = bench.adminPort;
    const socket = connect(port, '127.0.0.1');
    const length = Buffer.byteLength(frame.slice(frame.indexOf('#') + 1));
    socket.write(`${length}#${frame.slice(frame.indexOf('#') + 1)}`);
    let heard = '';
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toMatch(expected);
  });

  test.each([
    ['a header with a line feed', { headers: { Subject: 'a\nEvil: 1' } }, /invalid header/],
    ['a body without Content-Type', { body: 'hello' }, /missing content-type/],
  ])('is refused %s', async (_name, options, expected) => {
    const app = await bench.app();
    const failed = signal<Error | null>();
    app.request(`sip:bob@${alice.address}`, { method: 'MESSAGE', ...options }, failed.resolve);
    expect((await failed.promise)?.message).toMatch(expected);
  });

  test('cannot call itself', async () => {
    const app = await bench.app();
    const failed = signal<Error | null>();
    app.request(`sip:me@127.0.0.1:${bench.sipPort}`, { method: 'OPTIONS' }, failed.resolve);
    expect((await failed.promise)?.message).toBe('can not send request to myself');
  });

  test('sees a NOTIFY that overtakes the 200 to its SUBSCRIBE in the dialog, after that 200', async () => {
    const app = await bench.app((srf) => {
      srf.notify((_request, response) => response.send(481));
    });
    const notified = signal<AppMessage>();
    const subscribing = app
      .createUAC(`sip:bob@${alice.address}`, { method: 'SUBSCRIBE', headers: { Event: 'dialog' } })
      .then((dialog: AppDialog) => {
        dialog.on('notify', (request: AppMessage, response: { send(status: number): void }) => {
          response.send(200);
          notified.resolve(request);
        });
        return dialog;
      });
    const subscribe = await alice.request('SUBSCRIBE');
    const callId = getHeader(subscribe, 'Call-ID') ?? '';
    alice.send([
      `NOTIFY sip:app@127.0.0.1:${bench.sipPort} SIP/2.0`,
      `Via: SIP/2.0/UDP ${alice.address};branch=z9hG4bKearly`,
      'Max-Forwards: 70',
      `From: <sip:bob@${alice.address}>;tag=peer${alice.port}`,
      `To: ${getHeader(subscribe, 'From') ?? ''}`,
      `Call-ID: ${callId}`,
      'CSeq: 1 NOTIFY',
      `Contact: <sip:bob@${alice.address}>`,
      'Event: dialog',
      'Subscription-State: active',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    alice.answer(subscribe, '202 Accepted', [`Contact: <sip:bob@${alice.address}>`, 'Expires: 60']);
    const dialog = await subscribing;
    expect((await notified.promise).stackDialogId).toBe(dialog.id);
    await alice.response(200, 'NOTIFY');
  });
});

test('a call over TCP keeps to its connection and says so in its Contact', async () => {
  const answered = signal<AppDialog>();
  await bench.app((app) => {
    app.invite((request, response) => {
      void app.createUAS(request, response, { localSdp: SDP }).then(answered.resolve);
    });
  });
  const socket = connect(bench.tcpPort, '127.0.0.1');
  let heard = '';
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
  });
  const hears = async (text: RegExp): Promise<RegExpExecArray> => {
    let found = text.exec(heard);
    while (found === null) {
      await once(socket, 'data');
      found = text.exec(heard);
    }
    return found;
  };
  const fields = [
    'Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtcp1',
    'Max-Forwards: 70',
    'From: <sip:alice@127.0.0.1:9>;tag=a',
    'Call-ID: tcp-call',
    'Contact: <sip:alice@127.0.0.1:9;transport=tcp>',
  ];
  const invite = [
    ...fields,
    'To: <sip:bob@127.0.0.1>',
    'CSeq: 1 INVITE',
    'Content-Length: 0',
    '',
    '',
  ];
  socket.write(['INVITE sip:bob@127.0.0.1 SIP/2.0', ...invite].join('\r\n'));
  await hears(new RegExp(`Contact: <sip:127\\.0\\.0\\.1:${bench.tcpPort};transport=tcp>`));
  const to = await hears(/200 OK[\s\S]*?(To: .*?)\r\n/);
  const ack = [...fields, to[1] ?? '', 'CSeq: 1 ACK', 'Content-Length: 0', '', ''];
  socket.write(['ACK sip:bob@127.0.0.1 SIP/2.0', ...ack].join('\r\n').replace('tcp1', 'tcp2'));
  void (await answered.promise).destroy().catch(() => undefined);
  const bye = await hears(/BYE (\S+) SIP\/2\.0/);
  expect(bye[1]).toBe('sip:alice@127.0.0.1:9;transport=tcp');
  socket.destroy();
});
