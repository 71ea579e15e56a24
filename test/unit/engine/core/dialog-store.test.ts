import { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DialogSession } from '../../../../src/engine/core/dialog-session.ts';
import type { SentInvite } from '../../../../src/engine/core/dialog-session.ts';
import { DialogStore } from '../../../../src/engine/core/dialog-store.ts';
import { AppConnection } from '../../../../src/engine/admin/app-connection.ts';
import { Dialog } from '../../../../src/engine/dialog/dialog.ts';

const LOCAL = { protocol: 'udp', address: '127.0.0.1', port: 5 } as const;
const owners: AppConnection[] = [];

/** An application that is never connected: only its identity counts here. */
function owner(): AppConnection {
  const welcome = { secret: '', hostports: '', version: '' };
  const user = { onCommand: () => undefined, onGone: () => undefined };
  const connection = new AppConnection(new Socket(), welcome, user);
  owners.push(connection);
  return connection;
}

afterEach(() => {
  for (const connection of owners.splice(0)) connection.close();
});

function session(app: AppConnection, remoteTag: string): DialogSession {
  const dialog = new Dialog({
    role: 'uac',
    method: 'INVITE',
    callId: 'call',
    localTag: 'mine',
    remoteTag,
    localParty: '<sip:me>;tag=mine',
    remoteParty: `<sip:you>;tag=${remoteTag}`,
    remoteTarget: 'sip:you',
    routeSet: [],
    localContact: '<sip:me>',
    localCSeq: 1,
    remoteCSeq: undefined,
  });
  return new DialogSession({ dialog, owner: app, local: LOCAL, flow: undefined });
}

/** An INVITE of ours that does nothing. */
function invite(isPending: boolean): SentInvite {
  return {
    isPending,
    awaitsAck: false,
    acknowledge: () => undefined,
    repeatAck: () => undefined,
    abandon: () => undefined,
    acknowledgeBare: () => undefined,
  };
}

const CSEQ = { number: 1, method: 'INFO' };

describe('DialogStore', () => {
  test('finds the fork a message belongs to by both tags', () => {
    const store = new DialogStore();
    const app = owner();
    const [one, two] = [session(app, 'one'), session(app, 'two')];
    store.add(one);
    store.add(two);
    const fromPeer = { callId: 'call', fromTag: 'two', toTag: 'mine', cseq: CSEQ };
    expect(store.ofRequest(fromPeer)).toBe(two);
    expect(store.ofRequest({ ...fromPeer, toTag: undefined })).toBeUndefined();
    expect(store.ofRequest({ ...fromPeer, fromTag: 'three' })).toBeUndefined();
    expect(store.ofResponse({ callId: 'call', fromTag: 'mine', toTag: 'one', cseq: CSEQ })).toBe(
      one,
    );
  });

  test('an application means the confirmed fork, before that the latest', () => {
    const store = new DialogStore();
    const app = owner();
    const [one, two] = [session(app, 'one'), session(app, 'two')];
    store.add(one);
    store.add(two);
    expect(store.ofApp('call;from-tag=mine', app)).toEqual([two, one]);
    one.dialog.confirm();
    expect(store.ofApp('call;from-tag=mine', app)).toEqual([one, two]);
  });

  test('a dialog belongs to its connection alone', () => {
    const store = new DialogStore();
    const app = owner();
    const mine = session(app, 'one');
    store.add(mine);
    expect(store.ofApp('call;from-tag=mine', owner())).toEqual([]);
    expect(store.ofOwner(app)).toEqual([mine]);
  });

  test('nothing is left of a dialog that was removed, and its frames have no id any more', () => {
    const store = new DialogStore();
    const gone = session(owner(), 'one');
    store.add(gone);
    expect(store.has('call;from-tag=mine')).toBe(true);
    store.remove(gone);
    store.remove(gone);
    expect(store.size).toBe(0);
    expect(store.has('call;from-tag=mine')).toBe(false);
    expect(gone.id).toBe('');
  });
});

describe('DialogSession', () => {
  test('holds deliveries in order until it is opened', () => {
    const held = session(owner(), 'one');
    const delivered: string[] = [];
    held.deliver(() => delivered.push('before'));
    held.hold();
    held.deliver(() => delivered.push('ack'));
    held.deliver(() => delivered.push('subscribe'));
    expect(delivered).toEqual(['before']);
    held.open();
    held.deliver(() => delivered.push('after'));
    expect(delivered).toEqual(['before', 'ack', 'subscribe', 'after']);
  });

  test('with two frames on their way waits for both', () => {
    const held = session(owner(), 'one');
    const delivered: string[] = [];
    held.hold();
    held.hold();
    held.deliver(() => delivered.push('info'));
    held.open();
    expect(delivered).toEqual([]);
    held.open();
    expect(delivered).toEqual(['info']);
  });

  test('that only lingers for its last NOTIFY keeps no new call away, and goes in time', () => {
    const refused = session(owner(), 'one');
    vi.useFakeTimers();
    try {
      const store = new DialogStore();
      store.add(refused);
      refused.linger(1000, () => store.remove(refused));
      expect([refused.isLingering, store.has('call;from-tag=mine'), store.size]).toEqual([
        true,
        false,
        1,
      ]);
      vi.advanceTimersByTime(1000);
      expect([refused.isLingering, store.size, vi.getTimerCount()]).toEqual([false, 0, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('remembers pending INVITEs and the last answered one', () => {
    const long = session(owner(), 'one');
    for (let cseq = 1; cseq <= 5; cseq += 1) long.addSent(cseq, invite(cseq === 2));
    expect([...long.sentInvites.keys()]).toEqual([2, 4, 5]);
    expect(long.pendingSent).toBe(long.sentInvites.get(2));
    expect(long.pendingReceived).toBeUndefined();
  });
});

test('a Call-ID is known as long as any dialog has it', () => {
  const store = new DialogStore();
  const app = owner();
  const [one, two] = [session(app, 'one'), session(app, 'two')];
  const known = [store.hasCallId('call')];
  store.add(one);
  store.add(two);
  // An early dialog is put in again when it is confirmed.
  store.add(one);
  store.remove(one);
  known.push(store.hasCallId('call'));
  store.remove(two);
  store.remove(two);
  known.push(store.hasCallId('call'), store.hasCallId('other'));
  expect(known).toEqual([false, true, false, false]);
});
