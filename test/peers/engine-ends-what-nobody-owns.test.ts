import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import type { SipMessage, SipRequest } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from '../support/engine-app.ts';
import type { App, AppDialog, AppMessage, AppRequest, AppResponse } from '../support/engine-app.ts';
import { PeerCall, SDP } from '../support/engine-peer.ts';
import type { EnginePeer } from '../support/engine-peer.ts';

/** T1 of 20 ms: 64*T1, after which everything is given up, is 1.3 s. For peers that are silent alone. */
const FAST = { t1Ms: 20, t2Ms: 80, t4Ms: 100 };

let bench: EngineBench;
let alice: EnginePeer;
let call: PeerCall;
let app: App;
let offered: ReturnType<typeof signal<{ request: AppRequest; response: AppResponse }>>;

async function open(options: Parameters<typeof EngineBench.start>[0] = {}): Promise<void> {
  bench = await EngineBench.start(options);
  alice = await bench.peer();
  call = new PeerCall(alice);
  offered = signal();
  app = await bench.app((srf) => {
    srf.invite((request, response) => offered.resolve({ request, response }));
  });
}

beforeEach(() => open());

afterEach(async () => {
  await bench.close();
});

async function answer(): Promise<AppDialog> {
  call.invite();
  const { request, response } = await offered.promise;
  const dialog = await app.createUAS(request, response, { localSdp: SDP });
  call.follow(await alice.response(200, 'INVITE'));
  return dialog;
}

function isByeOf(tag: string, each: SipMessage): each is SipRequest {
  const to = getHeader(each, 'To') ?? '';
  return each.type === 'request' && each.method === 'BYE' && to.endsWith(`;tag=${tag}`);
}

describe('when the application disconnects', () => {
  test('established calls get a BYE, later requests 481, new calls 503', async () => {
    await answer();
    call.ack();
    bench.disconnect(app);
    const bye = await alice.request('BYE');
    expect(getHeader(bye, 'From')).toContain(call.toTag);
    alice.answer(bye, '200 OK');
    call.request('INFO');
    await alice.response(481, 'INFO');
    const next = new PeerCall(alice);
    next.invite();
    await alice.response(503, 'INVITE');
  });

  test('calls it has not answered get 503', async () => {
    call.invite();
    await offered.promise;
    bench.disconnect(app);
    const refusal = await alice.response(503, 'INVITE');
    expect(getHeader(refusal, 'To')).toContain(';tag=');
    call.ackRefusal();
  });

  test('calls it is making are cancelled, and ended when the answer was quicker', async () => {
    const bob = await bench.peer();
    app.createUAC(`sip:bob@${bob.address}`, { localSdp: SDP }).catch(() => undefined);
    const invite = await bob.request('INVITE');
    bob.answer(invite, '180 Ringing', [`Contact: <sip:bob@${bob.address}>`]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    bench.disconnect(app);
    bob.answer(await bob.request('CANCEL'), '200 OK');
    bob.answer(invite, '200 OK', [`Contact: <sip:bob@${bob.address}>`]);
    const ack = await bob.request('ACK');
    expect(getHeader(ack, 'CSeq')).toBe(getHeader(invite, 'CSeq')?.replace('INVITE', 'ACK'));
    bob.answer(await bob.request('BYE'), '200 OK');
  });
});

describe('when a peer falls silent', () => {
  beforeEach(async () => {
    await bench.close();
    await open({ timers: FAST });
  });

  test('without ACK the 200 is repeated, then the call is ended and the application told why', async () => {
    const dialog = await answer();
    const reason = signal<string>();
    dialog.on('destroy', (_bye: unknown, text: string) => reason.resolve(text));
    await alice.response(200, 'INVITE');
    await alice.response(200, 'INVITE');
    const bye = await alice.request('BYE');
    expect(getHeader(bye, 'Reason')).toBe('SIP;cause=200;text="ACK timeout"');
    expect(await reason.promise).toBe('ACK timeout');
    expect(dialog.connected).toBe(false);
  });

  test('after a challenge to the BYE of an application that has no credentials', async () => {
    const dialog = await answer();
    call.ack();
    const bye = dialog.request({ method: 'BYE' });
    alice.answer(await alice.request('BYE'), '401 Unauthorized');
    await bye;
    const isOver = async (): Promise<boolean> => {
      call.request('INFO');
      return (await alice.finalResponse('INFO')).status === 481;
    };
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true);
  });

  test('a request without answer gets 408 from the engine', async () => {
    const dialog = await answer();
    call.ack();
    const response = await dialog.request({ method: 'INFO' });
    expect(response.status).toBe(408);
    expect(dialog.connected).toBe(true);
  });

  test('a request nobody listens for gets 503 from the engine', async () => {
    const closed = await bench.peer();
    const uri = `sip:bob@${closed.address};transport=tcp`;
    const answered = signal<AppMessage>();
    app.request(uri, { method: 'OPTIONS' }, (_error, request) => {
      request.on('response', answered.resolve);
    });
    expect((await answered.promise).status).toBe(503);
  });
});

test('the second branch that answers is acknowledged and ended, once however often it answers', async () => {
  const bob = await bench.peer();
  const made = app.createUAC(`sip:bob@${bob.address}`, { localSdp: SDP });
  const invite = await bob.request('INVITE');
  const extra = [`Contact: <sip:bob@${bob.address}>`, 'Content-Type: application/sdp'];
  bob.answerAs('one', invite, { status: '200 OK', extra, body: SDP });
  const dialog = await made;
  expect(dialog.sip.remoteTag).toBe('one');
  expect(getHeader(await bob.request('ACK'), 'To')).toContain('tag=one');
  bob.answerAs('two', invite, { status: '200 OK', extra, body: SDP });
  const ack = await bob.request('ACK');
  expect(getHeader(ack, 'To')).toContain('tag=two');
  const bye = await bob.request('BYE');
  expect(getHeader(bye, 'To')).toContain('tag=two');
  bob.answer(bye, '200 OK');
  expect(dialog.connected).toBe(true);

  bob.answerAs('two', invite, { status: '200 OK', extra, body: SDP });
  expect(await bob.request('ACK')).toEqual(ack);
  const ended = dialog.destroy();
  bob.answer(await bob.next((each) => isByeOf('one', each)), '200 OK');
  await ended;
  // Nothing but copies of the first one: the copy of the 200 caused no second BYE.
  const others = bob.heard.filter((each) => isByeOf('two', each));
  expect(others.every((each) => getHeader(each, 'Via') === getHeader(bye, 'Via'))).toBe(true);
});

test('a callee that invents branches without end fills nothing', async () => {
  const bob = await bench.peer();
  const made = app.createUAC(`sip:bob@${bob.address}`, { localSdp: SDP });
  const invite = await bob.request('INVITE');
  const extra = [`Contact: <sip:bob@${bob.address}>`, 'Content-Type: application/sdp'];
  for (let index = 0; index < 40; index += 1) {
    bob.answerAs(`early${index}`, invite, { status: '183 Progress', extra, body: SDP });
  }
  bob.answerAs('one', invite, { status: '200 OK', extra, body: SDP });
  const dialog = await made;
  for (let index = 0; index < 40; index += 1) {
    bob.answerAs(`late${index}`, invite, { status: '200 OK', extra, body: SDP });
  }
  const ended = dialog.destroy();
  bob.answer(await bob.next((each) => isByeOf('one', each)), '200 OK');
  await ended;

  const tags = bob.heard
    .filter((each) => each.type === 'request' && each.method === 'BYE')
    .map((each) => getHeader(each, 'To'));
  expect(new Set(tags).size).toBeLessThanOrEqual(17);
});

test('a call answered in spite of the CANCEL is ended after its ACK', async () => {
  const bob = await bench.peer();
  const sent = signal<AppRequest>();
  const made = app.createUAC(
    `sip:bob@${bob.address}`,
    { localSdp: SDP },
    { cbRequest: (_error: unknown, request: AppRequest) => sent.resolve(request) },
  );
  const invite = await bob.request('INVITE');
  bob.answer(invite, '180 Ringing', [`Contact: <sip:bob@${bob.address}>`]);
  (await sent.promise).cancel();
  bob.answer(await bob.request('CANCEL'), '200 OK');
  const extra = [`Contact: <sip:bob@${bob.address}>`, 'Content-Type: application/sdp'];
  bob.answer(invite, '200 OK', extra, SDP);
  const reason = signal<string>();
  (await made).on('destroy', (_bye: unknown, text: string) => reason.resolve(text));
  await bob.request('ACK');
  bob.answer(await bob.request('BYE'), '200 OK');
  expect(await reason.promise).toBe('ACK-BYE due to cancel race condition');
});
