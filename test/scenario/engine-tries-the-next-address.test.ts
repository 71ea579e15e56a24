import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import type { SipRequest } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from '../support/engine-app.ts';
import type { App, AppDialog, AppRequest } from '../support/engine-app.ts';
import { SDP } from '../support/engine-peer.ts';
import type { EnginePeer } from '../support/engine-peer.ts';
import { FakeNames } from '../support/fake-names.ts';
import { freePorts } from '../support/free-ports.ts';

const URI = 'sip:bob@carrier.example';
const CONTACT = [`Contact: <${URI}>`, 'Content-Type: application/sdp'];

let close: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of close.toReversed()) await each();
  close = [];
});

interface Stage {
  readonly app: App;
  /** The servers of carrier.example, to be tried in this order. */
  readonly first: EnginePeer;
  readonly second: EnginePeer;
}

/** The engine with an application, and a carrier with two servers behind one name. */
async function setUp(options: { t1Ms?: number; firstPort?: number } = {}): Promise<Stage> {
  const { t1Ms = 500, firstPort } = options;
  // The engine has to know the servers' ports, the servers that of the engine: they learn it later.
  const services: Record<string, string[]> = {};
  const lookUp = new FakeNames({ 'host.example': ['127.0.0.1'] }, services);
  const timers = { t1Ms, t2Ms: 4000, t4Ms: 5000 };
  const bench = await EngineBench.start({ lookUp, timers });
  close.push(() => bench.close());
  const first = await bench.peer(firstPort);
  const second = await bench.peer();
  const records = [first, second].map(({ port }, index) => `${index} 0 ${port} host.example`);
  services['_sip._udp.carrier.example'] = records;
  return { app: await bench.app(), first, second };
}

interface Call {
  readonly dialog: Promise<AppDialog>;
  readonly request: Promise<AppRequest>;
}

/** The application calls; a refusal rejects `dialog`. */
function call(app: App, localSdp = SDP): Call {
  const sent = signal<AppRequest>();
  const dialog = app.createUAC(
    URI,
    { localSdp },
    {
      cbRequest: (_error: unknown, request: AppRequest) => {
        sent.resolve(request);
      },
    },
  );
  dialog.catch(() => undefined);
  return { dialog, request: sent.promise };
}

function identity(request: SipRequest): string[] {
  return ['From', 'To', 'Call-ID', 'CSeq'].map((name) => getHeader(request, name) ?? '');
}

function branch(request: SipRequest): string {
  return /branch=([^;]+)/.exec(getHeader(request, 'Via') ?? '')?.[1] ?? '';
}

/**
 *   application      engine            first           second
 *     |--INVITE------->|--INVITE--------->|               |
 *     |                |<-503, ICMP, -----|               |
 *     |                |  or nothing      |               |
 *     |                |--INVITE (new branch)------------>|
 *     |<-200-----------|<-200-----------------------------|
 *     |--ACK, BYE----->|--ACK, BYE----------------------->|
 */
describe('a call to a carrier with two servers', () => {
  test('the first says 503: the second takes the call, its ACK and its BYE', async () => {
    const { app, first, second } = await setUp();
    const { dialog } = call(app);
    const refused = await first.request('INVITE');
    first.answer(refused, '503 Service Unavailable');
    expect(branch(await first.request('ACK'))).toBe(branch(refused));
    const invite = await second.request('INVITE');
    expect(identity(invite)).toEqual(identity(refused));
    expect(branch(invite)).not.toBe(branch(refused));
    second.answer(invite, '200 OK', CONTACT, SDP);
    const established = await dialog;
    await second.request('ACK');
    const ended = established.destroy();
    second.answer(await second.request('BYE'), '200 OK');
    await ended;
    expect(
      first.heard.filter((each) => each.type === 'request' && each.method !== 'INVITE'),
    ).toEqual([]);
  });

  test('the first has no open port: the second takes the call', async () => {
    const { app, first, second } = await setUp();
    first.close();
    const { dialog } = call(app);
    second.answer(await second.request('INVITE'), '200 OK', CONTACT, SDP);
    await expect(dialog).resolves.toMatchObject({ connected: true });
    await second.request('ACK');
  });

  test('the first is silent: the second takes the call, long before the caller gives up', async () => {
    const { app, first, second } = await setUp({ t1Ms: 60 });
    const { dialog } = call(app);
    const lost = await first.request('INVITE');
    const invite = await second.request('INVITE');
    expect(identity(invite)).toEqual(identity(lost));
    second.answer(invite, '200 OK', CONTACT, SDP);
    await dialog;
    await second.request('ACK');
  });

  test('both say 503: the application hears of one', async () => {
    const { app, first, second } = await setUp();
    const { dialog } = call(app);
    first.answer(await first.request('INVITE'), '503 Service Unavailable');
    second.answer(await second.request('INVITE'), '503 Service Unavailable');
    await expect(dialog).rejects.toMatchObject({ status: 503 });
  });

  test('the application cancels while the second rings: the second gets the CANCEL', async () => {
    const { app, first, second } = await setUp();
    const { dialog, request } = call(app);
    first.answer(await first.request('INVITE'), '503 Service Unavailable');
    const invite = await second.request('INVITE');
    second.answer(invite, '180 Ringing');
    (await request).cancel();
    const cancel = await second.request('CANCEL');
    expect(branch(cancel)).toBe(branch(invite));
    second.answer(cancel, '200 OK');
    second.answer(invite, '487 Request Terminated');
    await expect(dialog).rejects.toMatchObject({ status: 487 });
    expect(first.heard.some((each) => each.type === 'request' && each.method === 'CANCEL')).toBe(
      false,
    );
  });

  test('the server of a running call dies: the other one gets the BYE', async () => {
    const { app, first, second } = await setUp();
    const { dialog } = call(app);
    first.answer(await first.request('INVITE'), '503 Service Unavailable');
    second.answer(await second.request('INVITE'), '200 OK', CONTACT, SDP);
    const established = await dialog;
    await second.request('ACK');
    second.close();
    const ended = established.destroy();
    const bye = await first.request('BYE');
    first.answer(bye, '200 OK');
    await ended;
    expect(getHeader(bye, 'Call-ID')).toBe(established.sip.callId);
  });
});

describe('an INVITE of 2 000 bytes', () => {
  const large = `${SDP}${'a=x-filler:0123456789012345678901234567890\r\n'.repeat(50)}`;

  test('reaches a server that has UDP only', async () => {
    const { app, first } = await setUp();
    const { dialog } = call(app, large);
    const invite = await first.request('INVITE');
    expect(getHeader(invite, 'Via')).toMatch(/^SIP\/2.0\/UDP /);
    first.answer(invite, '200 OK', CONTACT, SDP);
    await dialog;
    await first.request('ACK');
  });

  test('goes by TCP to a server that has it', async () => {
    const [port = 0] = await freePorts(1);
    const { app, first } = await setUp({ firstPort: port });
    const heard = signal<string>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk) => {
        heard.resolve(chunk.toString());
        socket.destroy();
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    close.push(async () => {
      server.close();
      await once(server, 'close');
    });
    const { dialog } = call(app, large);
    expect(await heard.promise).toMatch(/^INVITE .*\r\nVia: SIP\/2.0\/TCP /);
    // It does not answer there, so the call goes on as a datagram.
    const invite = await first.request('INVITE');
    expect(getHeader(invite, 'Via')).toMatch(/^SIP\/2.0\/UDP /);
    first.answer(invite, '486 Busy Here');
    await expect(dialog).rejects.toMatchObject({ status: 486 });
  });
});
