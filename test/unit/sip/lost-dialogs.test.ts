import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SipDialog, type DialogIdentity } from '../../../src/sip/dialog.ts';
import { LostDialogs } from '../../../src/sip/lost-dialogs.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

const HOLD_MS = 30_000;
const PARTING = { Reason: 'Q.850;cause=41' };

const IDENTITY: DialogIdentity = {
  role: 'uac',
  dialogId: 'dialog-a',
  callId: 'leg-a',
  localTag: 'ours',
  remoteTag: 'theirs',
  localContact: '<sip:us@sbc>',
  localUri: 'sip:alice@sbc.example',
  remoteUri: 'sip:bob@example.org',
  remoteTarget: 'sip:bob@192.0.2.7:5080',
};

interface Scene {
  readonly lost: LostDialogs;
  readonly dialog: SipDialog;
  /** The connection that went away, and the one that is there after it. */
  readonly old: FakeSipConnection;
  readonly back: FakeSipConnection;
  readonly log: string[];
}

/** A dialog whose call hangs up as soon as it hears that the dialog is gone. */
function scene(
  options: { identity?: Partial<DialogIdentity>; holdMs?: number; takesRoutes?: boolean } = {},
): Scene {
  const old = new FakeSipConnection();
  const log: string[] = [];
  const dialog: SipDialog = new SipDialog(
    { ...IDENTITY, ...options.identity },
    old,
    {
      onRequest: () => undefined,
      onAck: () => undefined,
      onEnd: (by) => {
        log.push(`end ${by}`);
        void dialog.bye(PARTING);
      },
      onTrace: () => undefined,
    },
    () => log.push('out of the table'),
  );
  const lost = new LostDialogs(options.holdMs ?? HOLD_MS, options.takesRoutes ?? true);
  return { lost, dialog, old, back: new FakeSipConnection(), log };
}

/** Method, dialog id, target and headers of what was sent. */
function sentOn({ sent }: FakeSipConnection): unknown[] {
  return sent.map(({ options }) => options);
}

const INSIDE = {
  method: 'BYE',
  uri: 'sip:placeholder',
  dialogId: 'dialog-a',
  headers: { ...PARTING, To: '<sip:placeholder@localhost>;tag=theirs' },
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

test('an answered dialog stays until its connection is back, then ends and gets its BYE', () => {
  const { lost, dialog, back, log } = scene();
  lost.lose([dialog]);
  vi.advanceTimersByTime(HOLD_MS - 1);
  expect(log).toEqual([]);

  lost.regain(back);
  expect(log).toEqual(['out of the table', 'end connection']);
  expect(sentOn(back)).toEqual([INSIDE]);
  back.last.answer(200);
});

test('a server that knows the dialog no more is given the whole BYE', async () => {
  const { lost, dialog, back } = scene();
  lost.lose([dialog]);
  lost.regain(back);
  back.last.fail('no-dialog');
  await vi.advanceTimersByTimeAsync(0);
  expect(sentOn(back)[1]).toEqual({
    method: 'BYE',
    uri: 'sip:bob@192.0.2.7:5080',
    headers: {
      ...PARTING,
      From: '<sip:alice@sbc.example>;tag=ours',
      To: '<sip:bob@example.org>;tag=theirs',
      'Call-ID': 'leg-a',
      CSeq: '2000000000 BYE',
    },
  });
  back.last.answer(481);
});

test('a BYE that the connection no longer took is sent when it is back, though the loss is noticed later', async () => {
  const { lost, dialog, old, back, log } = scene();
  const ended = dialog.bye(PARTING);
  old.last.fail('connection-lost');
  await ended;
  expect(log).toEqual(['out of the table']);
  expect(dialog.isUnreleased).toBe(true);
  lost.add(dialog);
  lost.lose([]);
  lost.regain(back);
  expect(sentOn(back)).toEqual([INSIDE]);
  back.last.answer(200);
});

test('a BYE that fails with its connection is sent once when that is back', async () => {
  const { lost, dialog, old, back } = scene();
  const ended = dialog.bye(PARTING);
  old.last.fail('connection-lost');
  lost.lose([dialog]);
  await ended;
  lost.add(dialog);
  lost.regain(back);
  expect(sentOn(back)).toEqual([INSIDE]);
  back.last.answer(200);
});

test('a peer that is not told within five minutes is not told at all', async () => {
  const { lost, dialog, old, back } = scene();
  const ended = dialog.bye(PARTING);
  old.last.fail('connection-lost');
  await ended;
  lost.add(dialog);
  vi.advanceTimersByTime(300_000);
  lost.regain(back);
  expect(sentOn(back)).toEqual([]);
});

test.each(['inside the dialog', 'outside of it'])(
  'a BYE %s that is lost with its connection again is sent when that is back again',
  async (place) => {
    const { lost, dialog, back, log } = scene();
    lost.lose([dialog]);
    lost.regain(back);
    if (place === 'outside of it') back.last.fail('no-dialog');
    await vi.advanceTimersByTimeAsync(0);
    back.last.fail('connection-lost');
    lost.lose([]);
    await vi.advanceTimersByTimeAsync(0);

    const again = new FakeSipConnection();
    lost.regain(again);
    expect(sentOn(again)).toEqual([INSIDE]);
    again.last.answer(200);
    await vi.advanceTimersByTimeAsync(0);
    lost.regain(back);
    expect([again.sent.length, log]).toEqual([1, ['out of the table', 'end connection']]);
  },
);

test('a BYE with which the connection is lost each time is sent three times', async () => {
  const { lost, dialog } = scene();
  lost.lose([dialog]);
  const connections = Array.from({ length: 5 }, () => new FakeSipConnection());
  for (const connection of connections) {
    lost.regain(connection);
    for (const sent of connection.sent) sent.fail('connection-lost');
    lost.lose([]);
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(connections.map(({ sent }) => sent.length)).toEqual([1, 1, 1, 0, 0]);
});

test('nothing is kept for a connection that is closed for good', async () => {
  const { lost, dialog, old } = scene();
  const ended = dialog.bye(PARTING);
  old.last.fail('connection-lost');
  await ended;
  lost.close();
  lost.add(dialog);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  {
    routing: 'loose',
    routeSet: ['<sip:near.example;lr;x=1>', '<sip:far.example;lr>'],
    uri: 'sip:bob@192.0.2.7:5080',
    Route: '<sip:near.example;lr;x=1>, <sip:far.example;lr>',
    nextHop: 'sip:near.example;lr;x=1',
  },
  {
    routing: 'strict',
    routeSet: ['<sip:near.example>', '<sip:far.example;lr>'],
    uri: 'sip:near.example',
    Route: '<sip:far.example;lr>, <sip:bob@192.0.2.7:5080>',
    nextHop: 'sip:near.example',
  },
])('that BYE goes by every proxy on the way, $routing routing', async (row) => {
  const { routeSet, uri, Route, nextHop } = row;
  const { lost, dialog, back } = scene({ identity: { routeSet } });
  lost.lose([dialog]);
  lost.regain(back);
  back.last.fail('no-dialog');
  await vi.advanceTimersByTimeAsync(0);
  expect(back.last.options).toMatchObject({ uri, headers: { Route }, nextHop });
  back.last.answer(200);
});

test.each(['<sip:near.example;lr>', '<sip:near.example>'])(
  'a server that writes Route by itself is given the remote target and the next hop %s',
  async (first) => {
    const identity = { routeSet: [first, '<sip:far.example;lr>'] };
    const { lost, dialog, back } = scene({ identity, takesRoutes: false });
    lost.lose([dialog]);
    lost.regain(back);
    back.last.fail('no-dialog');
    await vi.advanceTimersByTimeAsync(0);
    const { uri, nextHop, headers } = back.last.options;
    expect({ uri, nextHop }).toEqual({
      uri: 'sip:bob@192.0.2.7:5080',
      nextHop: first.slice(1, -1),
    });
    expect(headers).not.toHaveProperty('Route');
    back.last.answer(200);
  },
);

test('that BYE cannot be sent to a peer without Contact', async () => {
  const { lost, dialog, back } = scene({ identity: { remoteTarget: undefined } });
  lost.lose([dialog]);
  lost.regain(back);
  back.last.fail('no-dialog');
  await vi.advanceTimersByTimeAsync(0);
  expect(sentOn(back)).toEqual([INSIDE]);
});

test('a connection that stays away ends the dialog after the hold, and its peer hears of it later', () => {
  const { lost, dialog, back, log } = scene();
  lost.lose([dialog]);
  vi.advanceTimersByTime(HOLD_MS);
  expect(log).toEqual(['out of the table', 'end connection']);

  lost.regain(back);
  expect(log).toHaveLength(2);
  expect(sentOn(back)).toEqual([INSIDE]);
  back.last.answer(200);
});

test('a peer that was left alone for long is not bothered any more', () => {
  const { lost, dialog, back } = scene();
  lost.lose([dialog]);
  vi.advanceTimersByTime(HOLD_MS + 300_000);
  lost.regain(back);
  expect(back.sent).toEqual([]);
});

test('a call that ends by itself during the hold leaves the BYE for later', () => {
  const { lost, dialog, back, log } = scene();
  lost.lose([dialog]);
  void dialog.bye({ Reason: 'Q.850;cause=16' });
  expect(log).toEqual(['out of the table']);

  lost.regain(back);
  expect(log).toEqual(['out of the table']);
  expect(back.last.options.headers).toMatchObject({ Reason: 'Q.850;cause=16' });
  back.last.answer(200);
});

test('a BYE that was under way is sent again', async () => {
  const { lost, dialog, old, back } = scene();
  void dialog.bye({ Reason: 'Q.850;cause=16' });
  lost.lose([dialog]);
  old.last.fail('connection-lost');
  await vi.advanceTimersByTimeAsync(0);
  lost.regain(back);
  expect(back.last.options).toMatchObject({ method: 'BYE', headers: { Reason: 'Q.850;cause=16' } });
  back.last.answer(200);
});

test('an early dialog ends at once', () => {
  const { lost, dialog, back, log } = scene();
  dialog.begin({});
  lost.lose([dialog]);
  expect(log).toEqual(['out of the table', 'end connection']);
  lost.regain(back);
  expect(back.sent).toEqual([]);
});

test('without a hold an answered dialog ends at once', () => {
  const { lost, dialog, log } = scene({ holdMs: 0 });
  lost.lose([dialog]);
  expect(log).toEqual(['out of the table', 'end connection']);
  lost.close();
});

test('closing ends what is held', () => {
  const { lost, dialog, log } = scene();
  lost.lose([dialog]);
  lost.close();
  expect(log).toEqual(['out of the table', 'end connection']);
});
