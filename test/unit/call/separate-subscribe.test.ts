/** Where our SUBSCRIBE outside the dialog of a leg goes. */
import { expect, test } from 'vitest';
import { subscribeTarget } from '../../../src/call/digits/separate-subscribe.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import type { Transport } from '../../../src/config/config.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

function dialogWith(remoteTarget: string, firstRoute?: string): SipDialog {
  const identity = {
    role: 'uac' as const,
    dialogId: 'id',
    callId: 'a',
    localTag: 'ours',
    remoteTag: 'theirs',
    localContact: undefined,
    remoteTarget,
    firstRoute,
  };
  const handler = {
    onRequest: () => undefined,
    onAck: () => undefined,
    onEnd: () => undefined,
    onTrace: () => undefined,
  };
  return new SipDialog(identity, new FakeSipConnection(), handler, () => undefined);
}

const INVITE = {
  uri: 'sip:b@host',
  callId: 'a',
  from: '"A" <sip:a@one>;tag=x',
  to: '<sip:b@two>;tag=y',
  assertedIdentity: '',
  privacy: '',
  sentOver: undefined,
};

test.each<[transport: Transport, target: string, route: string | undefined, nextHop: string]>([
  ['udp', 'sip:b@host:5070', undefined, 'sip:b@host:5070'],
  ['tcp', 'sip:b@host:5070', undefined, 'sip:b@host:5070;transport=tcp'],
  ['tcp', 'sip:b@host;transport=udp', undefined, 'sip:b@host;transport=udp'],
  ['tls', 'sips:b@host', undefined, 'sips:b@host'],
  ['udp', 'sip:b@host', 'sip:proxy;lr', 'sip:proxy;lr'],
  ['tcp', 'sip:b@host', 'sip:proxy;lr', 'sip:proxy;lr;transport=tcp'],
])('on %s to %s over %s: next hop %s', (transport, target, route, nextHop) => {
  const leg = { side: 'caller' as const, transport, invite: INVITE };
  expect(subscribeTarget(leg, dialogWith(target, route))).toEqual({
    uri: target,
    nextHop,
    headers: { From: '<sip:b@two>', To: '<sip:a@one>' },
  });
});

test('of a callee we are the one who called; addresses that cannot be read are left out', () => {
  const leg = { side: 'callee' as const, transport: 'udp' as const, invite: INVITE };
  const dialog = dialogWith('sip:b@host');
  expect(subscribeTarget(leg, dialog).headers).toEqual({ From: '<sip:a@one>', To: '<sip:b@two>' });
  const damaged = { ...leg, invite: { ...INVITE, from: '<', to: '' } };
  expect(subscribeTarget(damaged, dialog).headers).toEqual({});
});
