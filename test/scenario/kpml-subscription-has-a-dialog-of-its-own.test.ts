/**
 * Rows D02 to D04, D71 and G05: a phone subscribes outside the dialog of its call, which it names (RFC 4730 §4.2).
 *
 *   phone (KPML)                                    SBC                trunk (2833)
 *     | SUBSCRIBE, Call-ID b, kpml;call-id=a;tags    |                      |
 *     |--------------------------------------------->|                      |
 *     | 200, NOTIFY active                           |                      |
 *     |<---------------------------------------------|                      |
 *     | NOTIFY digits="1"                            |<= telephone-event 1 =|
 *     |<---------------------------------------------|                      |
 *     | BYE, Call-ID a                               |                      |
 *     |--------------------------------------------->|                      |
 *     | NOTIFY terminated;reason=noresource, b       |                      |
 *     |<---------------------------------------------|                      |
 */
import { expect, test } from 'vitest';
import { subscriptionViews } from '../../src/api/call-view.ts';
import { ledgerLines, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall, Stage } from '../support/digit-call.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const SHORT = { durationMs: 40, gapMs: 40 };

const open = shareSbc();

checkLeaksAfterEach();

interface Outside {
  readonly dialog: SipDialog;
  readonly listener: KpmlListener;
}

function outside(peer: SipPeer, { running }: Stage): Outside {
  const dialog = peer.openDialog({ user: 'sbc', via: running.access });
  return { dialog, listener: new KpmlListener(dialog) };
}

/** How the phone names its call: the local tag is the notifier's. */
function eventOf(call: DigitCall, changes: { callId?: string; isSwapped?: boolean } = {}): string {
  const { callId, localTag, remoteTag = '' } = call.phone.dialog;
  const [local, remote] =
    changes.isSwapped === true ? [localTag, remoteTag] : [remoteTag, localTag];
  return `kpml;call-id="${changes.callId ?? callId}";local-tag=${local};remote-tag=${remote}`;
}

async function notified(listener: KpmlListener, state: string): Promise<SipText | undefined> {
  await waitFor(`NOTIFY ${state}`, () => listener.state.startsWith(state));
  return listener.notifies.at(-1);
}

async function noDialogLeft({ running }: Stage): Promise<void> {
  await waitFor('no dialog', () => running.sbc.stack.dialogCount === 0);
}

test.each([false, true])(
  'keys reach it until the call ends; tags swapped: %s',
  async (isSwapped) => {
    const stage = await open();
    const call = await phoneCallsTrunk(stage);
    const { dialog, listener } = outside(stage.phone.sip, stage);
    const event = eventOf(call, { isSwapped });

    const answer = await listener.subscribe({ event, expiresSeconds: 600 });
    const first = await notified(listener, 'active');
    await call.trunk.press('12', SHORT);
    await listener.waitForDigits(2);
    const refreshed = await listener.subscribe({ event, expiresSeconds: 500 });
    await call.trunk.press('3', SHORT);
    await listener.waitForDigits(3);
    const [held] = stage.running.sbc.calls.list();
    const views = held === undefined ? [] : subscriptionViews(held, 'caller');
    const problems = await call.finish();
    const last = await notified(listener, 'terminated');
    await noDialogLeft(stage);

    expect([statusOf(answer), statusOf(refreshed)]).toEqual([200, 200]);
    expect(headerValue(answer, 'Expires')).toBe('600');
    expect(first?.body).toBe('');
    expect(listener.digits).toBe('123');
    expect(views.map(({ role, kind, state }) => `${role} ${kind} ${state}`)).toContain(
      'notifier separate active',
    );
    expect(listener.state).toBe('terminated;reason=noresource');
    expect(last?.body).toContain('code="481"');
    expect([...problems, ...listener.problems, ...dialog.problems]).toEqual([]);
    expect(call.phone.listener.notifies).toEqual([]);
  },
);

test('it ends by itself; the one inside the call goes on, and a key told in both is one press', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const { dialog, listener } = outside(stage.phone.sip, stage);
  const event = eventOf(call);

  await call.phone.listen();
  await listener.subscribe({ event });
  await notified(listener, 'active');
  await call.trunk.press('1', SHORT);
  await Promise.all([listener.waitForDigits(1), call.phone.listener.waitForDigits(1)]);
  const stopped = await listener.subscribe({ event, expiresSeconds: 0 });
  await notified(listener, 'terminated');
  const again = await listener.subscribe({ event });
  await call.trunk.press('2', SHORT);
  await call.phone.listener.waitForDigits(2);
  const lines = await waitFor('both presses', () => {
    const all = ledgerLines(stage.running.sbc.ledger.list({}));
    return all.filter((line) => line.includes('notify 200')).length >= 2 ? all : undefined;
  });
  const problems = await call.finish();
  await noDialogLeft(stage);

  expect([statusOf(stopped), statusOf(again)]).toEqual([200, 481]);
  expect(listener.digits).toBe('1');
  expect(call.phone.listener.digits).toBe('12');
  expect(lines.filter((line) => line.includes('!'))).toEqual([]);
  expect([...problems, ...dialog.problems]).toEqual([]);
});

test('a second Event id does not share its dialog', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const { listener } = outside(stage.phone.sip, stage);
  const event = eventOf(call);

  const first = await listener.subscribe({ event });
  const second = await listener.subscribe({ event: `${event};id=2` });
  await call.trunk.press('7', SHORT);
  await listener.waitForDigits(1);
  const problems = await call.finish();
  await noDialogLeft(stage);

  expect([statusOf(first), statusOf(second)]).toEqual([200, 403]);
  expect(problems).toEqual([]);
});

test.each([
  ['an unknown call-id', (call: DigitCall) => eventOf(call, { callId: 'nobody@nowhere' })],
  [
    'a tag of another dialog',
    (call: DigitCall) => `kpml;call-id="${call.phone.dialog.callId}";local-tag=x;remote-tag=y`,
  ],
])('%s is answered 200, then KPML 481', async (_what, event) => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const { listener } = outside(stage.phone.sip, stage);

  const answer = await listener.subscribe({ event: event(call) });
  const last = await notified(listener, 'terminated');
  const problems = await call.finish();
  await noDialogLeft(stage);

  expect(statusOf(answer)).toBe(200);
  expect(last?.body).toContain('code="481"');
  expect(problems).toEqual([]);
});

test('without naming a call it is refused', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);

  const statuses = [];
  for (const event of ['kpml', 'kpml;local-tag=1', 'kpml;call-id="', 'presence']) {
    const { listener } = outside(stage.phone.sip, stage);
    statuses.push(statusOf(await listener.subscribe({ event })));
  }
  const problems = await call.finish();

  expect(statuses).toEqual([489, 489, 489, 489]);
  expect(problems).toEqual([]);
});

test('a third party does not hear of the call, and the other end not of this leg', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const stranger = closeAfterTest(await SipPeer.open({ address: '127.0.0.7' }));
  const event = eventOf(call);

  const statuses = [];
  for (const peer of [stranger, stage.trunk.sip]) {
    statuses.push(statusOf(await outside(peer, stage).listener.subscribe({ event })));
  }
  const problems = await call.finish();

  expect(statuses).toEqual([403, 403]);
  expect(problems).toEqual([]);
});

test('a leg holds eight of them, and takes another when one is gone', async () => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  const event = eventOf(call);
  const held = Array.from({ length: 8 }, () => outside(stage.phone.sip, stage));
  for (const { listener } of held) await listener.subscribe({ event });
  await Promise.all(held.map(({ listener }) => notified(listener, 'active')));

  const crowded = await outside(stage.phone.sip, stage).listener.subscribe({ event });
  await held[0]?.listener.subscribe({ event, expiresSeconds: 0 });
  await waitFor('an end', () => held[0]?.listener.state.startsWith('terminated'));
  const admitted = await waitForPlace(stage, event);
  const problems = await call.finish();
  await noDialogLeft(stage);

  expect([statusOf(crowded), headerValue(crowded, 'Retry-After')]).toEqual([503, '10']);
  expect(admitted).toBe(200);
  expect(problems).toEqual([]);
});

/** The place is free once the last NOTIFY of the one before is answered. */
async function waitForPlace(stage: Stage, event: string): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const status = statusOf(await outside(stage.phone.sip, stage).listener.subscribe({ event }));
    if (status !== 503) return status ?? 0;
  }
  return 503;
}
