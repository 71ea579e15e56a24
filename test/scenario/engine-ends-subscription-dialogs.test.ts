/** When a dialog that a SUBSCRIBE opened is over, and who hears of a NOTIFY in a dialog that is not there. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from '../support/engine-app.ts';
import type { App, AppDialog } from '../support/engine-app.ts';
import { PeerCall } from '../support/engine-peer.ts';
import type { EnginePeer } from '../support/engine-peer.ts';
import { idOf, sendInDialog } from '../support/engine-stage.ts';

let bench: EngineBench;
let alice: EnginePeer;

beforeEach(async () => {
  bench = await EngineBench.start();
  alice = await bench.peer();
});

afterEach(async () => {
  await bench.close();
});

async function subscribed(): Promise<AppDialog> {
  const app = await bench.app();
  const subscribing: Promise<AppDialog> = app.createUAC(`sip:bob@${alice.address}`, {
    method: 'SUBSCRIBE',
    headers: { Event: 'kpml' },
  });
  const subscribe = await alice.request('SUBSCRIBE');
  alice.answer(subscribe, '200 OK', [`Contact: <sip:bob@${alice.address}>`, 'Expires: 60']);
  return subscribing;
}

/** Sends a SUBSCRIBE in the dialog and has it answered. */
async function ask(dialog: AppDialog, expires: string, answer: string): Promise<void> {
  const asked = dialog.request({
    method: 'SUBSCRIBE',
    headers: { Event: 'kpml', Expires: expires },
  });
  alice.answer(await alice.request('SUBSCRIBE'), answer, [`Contact: <sip:bob@${alice.address}>`]);
  await asked;
}

test.each([
  ['60', '481 Gone', true],
  ['60', '404 Not Found', true],
  ['60', '489 Bad Event', true],
  ['60', '500 Later', false],
  ['60', '200 OK', false],
  ['0', '500 Later', true],
  // The last NOTIFY is still to come.
  ['0', '200 OK', false],
])('Expires %s answered %s ends it: %s', async (expires, answer, isOver) => {
  const dialog = await subscribed();
  await ask(dialog, expires, answer);
  if (!isOver) {
    await ask(dialog, '60', '200 OK');
    return;
  }
  const again = dialog.request({ method: 'SUBSCRIBE', headers: { Event: 'kpml' } });
  await expect(again).rejects.toThrow(/unable to find dialog/);
});

/** Alice subscribes; the id of the dialog at the application. */
async function subscribedByAlice(): Promise<{ app: App; dialogId: string }> {
  const accepted = signal<string>();
  const app = await bench.app((srf) => {
    srf.subscribe((_request, response) => {
      response.send(200, { headers: { Expires: '60' } }, () => accepted.resolve(idOf(call)));
    });
  });
  const call = new PeerCall(alice);
  call.request('SUBSCRIBE', ['Event: kpml', 'Expires: 60']);
  return { app, dialogId: await accepted.promise };
}

test.each([
  ['active', '401 Unauthorized', false],
  ['active', '407 Proxy Authentication Required', false],
  // It comes again with credentials (RFC 5057 §5.1).
  ['terminated', '401 Unauthorized', false],
  ['active', '408 Request Timeout', true],
  ['active', '481 Gone', true],
  ['terminated', '200 OK', true],
])('NOTIFY of state %s answered %s ends it: %s', async (state, answer, isOver) => {
  const { app, dialogId } = await subscribedByAlice();
  const notify = () =>
    sendInDialog({ app }, dialogId, 'NOTIFY', { Event: 'kpml', 'Subscription-State': state });
  const asked = notify();
  alice.answer(await alice.request('NOTIFY'), answer);
  await asked;

  const again = notify();
  if (!isOver) alice.answer(await alice.request('NOTIFY'), '200 OK');
  expect((await again)?.status).toBe(isOver ? undefined : 200);
});

test.each([
  [true, 200],
  [false, 481],
])(
  'NOTIFY in an unknown dialog; somebody wants to hear of NOTIFYs: %s',
  async (isWanted, status) => {
    await bench.app((app) => {
      if (isWanted) app.notify((_request, response) => response.send(200));
    });
    alice.send([
      `NOTIFY sip:app@127.0.0.1:${bench.sipPort} SIP/2.0`,
      `Via: SIP/2.0/UDP ${alice.address};branch=z9hG4bKlate`,
      'Max-Forwards: 70',
      `From: <sip:bob@${alice.address}>;tag=theirs`,
      'To: <sip:app@127.0.0.1>;tag=gone',
      'Call-ID: gone@127.0.0.1',
      'CSeq: 9 NOTIFY',
      'Event: kpml',
      'Subscription-State: terminated',
    ]);
    const response = await alice.finalResponse('NOTIFY');
    expect([response.status, getHeader(response, 'Call-ID')]).toEqual([status, 'gone@127.0.0.1']);
  },
);
